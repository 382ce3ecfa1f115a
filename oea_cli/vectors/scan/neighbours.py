"""Each row's nearest rows among all the others, in half the product of all with all.

The table of scores is symmetric, so only its blocks on and above the diagonal are computed; each
serves its rows and, read the other way, its columns. The diagonal comes first: what it leaves as
the k-th best score of every row lets pass only a few candidates of all later blocks (about
`k * log(rows / block)` per row), and nothing but those is ever sorted.

A product in float32 depends in its last bits on the block's shape. So candidates within that noise
of the k-th best are kept as well, and the last word has a score in double precision, pair by pair:
neither blocks nor threads change the result.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from oea_cli.vectors.arrays import Mask, RowNumbers, Vectors
from oea_cli.vectors.scan.ranks import noise_of, pair_scores
from oea_cli.vectors.scan.threads import num_threads

BLOCK_ROWS = 2048
# Compared at a time: with a block of columns 1 MB of scores, which stay in the processor's cache.
SLICE_ROWS = 128
PAIRS_AT_ONCE = 4096
Short = npt.NDArray[np.int32]  # row numbers while they are many
# So many candidates per place wait before they are sorted: fewer sorts, but a looser threshold.
WAITING_PER_PLACE = 1.0
# Rows with so many equal neighbours that more than this per place pass are settled exactly at once.
HELD_PER_PLACE = 4


@dataclass(frozen=True)
class Neighbours:
    """Of each row (N,) the k nearest others, best first, equal scores by row number.

    `rows` (N, k) are their numbers and `scores` (N, k) the cosines; -1 and -inf where there are
    fewer than k.
    """

    rows: RowNumbers
    scores: Vectors


@dataclass(frozen=True)
class _Candidates:
    """Pairs (C,) of a row and another that may be among its nearest, with their scores."""

    owners: Short
    others: Short
    scores: Vectors

    def __len__(self) -> int:
        return len(self.owners)

    def chosen(self, which: RowNumbers | Mask) -> "_Candidates":
        return _Candidates(self.owners[which], self.others[which], self.scores[which])


def nearest_neighbours(
    vectors: Vectors,
    k: int,
    groups: RowNumbers | None = None,
    *,
    block_rows: int = BLOCK_ROWS,
    threads: int | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Neighbours:
    """Find the `k` rows most similar to each row of unit vectors (N, D), itself left out.

    Rows of one group (N,) are never neighbours of each other. `advance` is called once for each of
    `num_blocks(N)` products. The result is the same for every `block_rows` and `threads`.
    """
    groups = np.arange(len(vectors)) if groups is None else groups
    running = _Running(vectors, k, groups)
    firsts = range(0, len(vectors), block_rows)
    diagonal = [(first, first) for first in firsts]
    above = [(first, other) for first in firsts for other in firsts if other > first]
    for part in (diagonal, above):
        for candidates in _products(running, part, block_rows, threads or num_threads()):
            running.add(candidates)
            advance()
        running.settle()
    return running.result()


def num_blocks(num_rows: int, block_rows: int = BLOCK_ROWS) -> int:
    """How many products it takes."""
    blocks = -(-num_rows // block_rows)
    return blocks * (blocks + 1) // 2


def _products(
    running: "_Running", blocks: list[tuple[int, int]], block_rows: int, threads: int
) -> Iterator[_Candidates]:
    """The candidates of each block, found in threads that each multiply and compare alone.

    Products side by side do not wait for each other, as the threads of one product do.
    """
    buffers: SimpleQueue[Vectors] = SimpleQueue()
    for _ in range(threads):
        buffers.put(np.empty(block_rows * block_rows, np.float32))

    def work(first: int, other: int) -> _Candidates:
        buffer = buffers.get()
        try:
            rows = running.vectors[first : first + block_rows]
            columns = running.vectors[other : other + block_rows]
            scores = buffer[: len(rows) * len(columns)].reshape(len(rows), len(columns))
            np.matmul(rows, columns.T, out=scores)
            return running.candidates(scores, first, other)
        finally:
            buffers.put(buffer)

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[_Candidates]] = deque()
        for first, other in blocks:
            waiting.append(pool.submit(work, first, other))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Running:
    """The nearest so far. Threads read `thresholds` while they rise: an old one is only looser."""

    def __init__(self, vectors: Vectors, k: int, groups: RowNumbers) -> None:
        self.vectors, self.k, self.groups = vectors, k, groups.astype(np.int32)
        self.thresholds = np.full(len(vectors), -np.inf, np.float32)
        self._noise = noise_of(vectors.shape[1])
        nothing = np.zeros(0, np.int32)
        self._held = _Candidates(nothing, nothing, np.zeros(0, np.float32))
        self._waiting: list[_Candidates] = []
        self._num_waiting = 0

    def candidates(self, scores: Vectors, first: int, other: int) -> _Candidates:
        """What may be among the nearest in scores (B, C) of the rows from two places on."""
        if first == other:
            return self._on_diagonal(scores, first)
        low_rows = self.thresholds[first : first + len(scores)]
        low_columns = self.thresholds[other : other + scores.shape[1]]
        mask = np.empty((min(SLICE_ROWS, len(scores)), scores.shape[1]), bool)
        found = []
        for start in range(0, len(scores), SLICE_ROWS):
            part = scores[start : start + SLICE_ROWS]
            above = mask[: len(part)]
            np.greater_equal(part, low_rows[start : start + SLICE_ROWS, None], out=above)
            rows, columns = _places(above)
            found.append((rows + (first + start), columns + other, part[rows, columns]))
            np.greater_equal(part, low_columns, out=above)
            rows, columns = _places(above)
            found.append((columns + other, rows + (first + start), part[rows, columns]))
        return self._of_other_groups(*map(np.concatenate, zip(*found, strict=True)))

    def _on_diagonal(self, scores: Vectors, first: int) -> _Candidates:
        """The same for the rows among themselves, which sets their first thresholds."""
        own = self.groups[first : first + len(scores)]
        # A group's own members must not raise the threshold of the others.
        scores[own[:, None] == own] = -np.inf
        if len(scores) > self.k:
            place = len(scores) - self.k
            low = np.partition(scores, place, axis=1)[:, place] - 2 * self._noise
        else:
            low = np.full(len(scores), -np.inf, np.float32)
        rows, columns = _places(scores >= low[:, None])
        return self._of_other_groups(rows + first, columns + first, scores[rows, columns])

    def _of_other_groups(self, owners: Short, others: Short, scores: Vectors) -> _Candidates:
        found = _Candidates(owners, others, scores)
        return found.chosen(self.groups[owners] != self.groups[others])

    def add(self, candidates: _Candidates) -> None:
        """Take in the candidates of a block."""
        self._waiting.append(candidates)
        self._num_waiting += len(candidates)
        if self._num_waiting >= WAITING_PER_PLACE * self.k * len(self.vectors):
            self.settle()

    def settle(self) -> None:
        """Sort out what is surely not among the nearest, and raise the thresholds."""
        self._held = self._joined()
        self._prune()
        if len(self._held) > HELD_PER_PLACE * self.k * len(self.vectors):
            self._held = self._nearest()

    def _joined(self) -> _Candidates:
        parts = [self._held, *self._waiting]
        self._waiting, self._num_waiting = [], 0
        columns = ("owners", "others", "scores")
        return _Candidates(*(np.concatenate([getattr(p, c) for p in parts]) for c in columns))

    def _prune(self) -> None:
        order = np.argsort(_sort_keys(self._held.owners, self._held.scores))
        held = self._held.chosen(order)
        counts = np.bincount(held.owners, minlength=len(self.vectors))
        starts = np.cumsum(counts) - counts
        full = np.flatnonzero(counts >= self.k)
        # Two scores that are equal may lie twice the noise apart.
        worst = held.scores[starts[full] + self.k - 1] - 2 * self._noise
        self.thresholds[full] = np.maximum(self.thresholds[full], worst)
        self._held = held.chosen(held.scores >= self.thresholds[held.owners])

    def _nearest(self) -> _Candidates:
        """The k nearest of what is held, by their exact scores."""
        held = self._held
        scores = np.empty(len(held), np.float32)

        def score(start: int) -> None:
            part = slice(start, start + PAIRS_AT_ONCE)
            scores[part] = pair_scores(
                self.vectors[held.owners[part]], self.vectors[held.others[part]]
            )

        with ThreadPoolExecutor(num_threads()) as pool:
            list(pool.map(score, range(0, len(held), PAIRS_AT_ONCE)))
        exact = _Candidates(held.owners, held.others, scores)
        exact = exact.chosen(np.lexsort((exact.others, -exact.scores, exact.owners)))
        return exact.chosen(_places_within(exact.owners) < self.k)

    def result(self) -> Neighbours:
        """The nearest of every row."""
        best = self._nearest()
        shape = (len(self.vectors), self.k)
        rows: RowNumbers = np.full(shape, -1, np.int64)
        scores: Vectors = np.full(shape, -np.inf, np.float32)
        places = _places_within(best.owners)
        rows[best.owners, places], scores[best.owners, places] = best.others, best.scores
        return Neighbours(rows, scores)


def _places(mask: Mask) -> tuple[Short, Short]:
    """The rows and columns (C,) of what is true in a table; for few, faster than np.nonzero."""
    flat = np.flatnonzero(mask)
    rows, columns = np.divmod(flat, mask.shape[1])
    return rows.astype(np.int32), columns.astype(np.int32)


def _sort_keys(owners: Short, scores: Vectors) -> RowNumbers:
    """Whole numbers (C,) that put pairs in the order of their owners, and the best first."""
    # Steps of 2**-30 are finer than float32 around any score that matters.
    falling = ((2.0 - scores.astype(np.float64)) * 2.0**30).astype(np.int64)
    return (owners.astype(np.int64) << 32) | falling


def _places_within(owners: Short) -> RowNumbers:
    """The place (C,), from 0, of each pair among those of its owner; owners ascend."""
    if not len(owners):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    lengths = np.diff(starts, append=len(owners))
    return np.arange(len(owners)) - np.repeat(starts, lengths)
