"""Exact ranks without sorting: how many candidates score higher than the ones that matter.

Each block of scores is compared with the score of every relevant clip and hard negative while it
is at hand, which costs a fraction of the matrix product that made it. A product in float32 depends
in its last bits on the block's shape, so candidates within that noise of a threshold are scored
again, pair by pair in double precision: what ties, ties.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from oea_cli.vectors.arrays import Mask, RowNumbers, Ties, Vectors
from oea_cli.vectors.scan.candidates import BLOCK_ROWS, Corpus
from oea_cli.vectors.scan.threads import num_threads

QUERIES_AT_ONCE = 2048
# So many times the corpus is read once.
GROUPS_AT_ONCE = 8
PAIRS_AT_ONCE = 4096
# Rows that are compared at a time: their comparisons are counted in bytes, so 255 at most; with
# 2,048 queries, 1 MB of scores.
SLICE_ROWS = 128
WHOLE_LAYERS = 8
FEW = 32
"""Columns are looked at one by one where they are at most one in so many."""


@dataclass(frozen=True)
class Standing:
    """How pairs (P,) of a query and a candidate stand: candidates above, and the cosine."""

    above: RowNumbers
    scores: Vectors


def standing_of(
    corpus: Corpus,
    queries: Vectors,
    owners: RowNumbers,
    candidates: RowNumbers,
    hidden: RowNumbers | None = None,
    ties: Ties = "strict",
) -> Standing:
    """Count, for each pair (P,), the candidates that its query (Q, D) scores higher.

    `owners` (P,), ascending, and `candidates` (P,) are the numbers of queries and candidates.
    `hidden` (Q,) is a candidate that does not count for a query, or -1. With ties "trec" equal
    scores are ordered by id, descending.
    """
    scores = exact_scores(corpus, queries, owners, candidates)
    names = _name_order(corpus.ids) if ties == "trec" else None
    tally = _Tally(queries, owners, candidates, scores, names, noise_of(corpus.dim))
    sizes = np.bincount(owners, minlength=len(queries))
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    starts = range(0, len(order), QUERIES_AT_ONCE)
    chunks = [order[start : start + QUERIES_AT_ONCE] for start in starts]
    for start in range(0, len(chunks), GROUPS_AT_ONCE):
        _scan(
            corpus,
            [
                _group(queries, chosen, _layers(owners, sizes, chosen), tally)
                for chosen in chunks[start : start + GROUPS_AT_ONCE]
            ],
            tally,
        )
    above = tally.above
    if hidden is not None and (hidden >= 0).any():
        above = above - _above_if_shown(corpus, queries, hidden, tally)
    return Standing(above, scores)


def noise_of(dim: int) -> np.float32:
    """How far float32 products of unit vectors may lie apart: their errors walk at random."""
    return np.float32(2.0**-24 * max(dim, 64) ** 0.5)


def _layers(owners: RowNumbers, sizes: RowNumbers, chosen: RowNumbers) -> list[RowNumbers]:
    """The pairs of the chosen queries, layer by layer: every query's first one, its second one ...

    The queries come with most pairs first, so each layer belongs to the first few of them.
    """
    firsts = np.searchsorted(owners, chosen)
    return [
        firsts[: np.count_nonzero(sizes[chosen] > number)] + number
        for number in range(int(sizes[chosen[0]]))
    ]


@dataclass(frozen=True)
class _Group:
    """Some queries, as columns (D, Q), and the layers of their pairs."""

    columns: Vectors
    layers: list["_Layer"]


def _group(
    queries: Vectors, chosen: RowNumbers, layers: Sequence[RowNumbers], tally: "_Tally"
) -> _Group:
    # Comparing two whole tables is 1.6 times as fast as a table and a row; memory sets the limit.
    repeats = SLICE_ROWS if len(layers) <= WHOLE_LAYERS else 1
    columns = np.ascontiguousarray(queries[chosen]).T
    return _Group(columns, [tally.layer(pairs, repeats) for pairs in layers])


def _scan(corpus: Corpus, groups: Sequence[_Group], tally: "_Tally") -> None:
    """Count above the pairs of some queries, block by block, each block in a thread of its own.

    Products that run side by side do not wait for each other, as the threads of one product do,
    and the scores are compared where they were made.
    """
    threads = num_threads()
    widest = max(group.columns.shape[1] for group in groups)
    buffers: SimpleQueue[Vectors] = SimpleQueue()
    for _ in range(threads):
        buffers.put(np.empty((BLOCK_ROWS, widest), np.float32))

    def work(block: _Block) -> list[_Counted]:
        buffer = buffers.get()
        try:
            return [
                tally.count(block.products(group.columns, buffer), group.layers, block)
                for group in groups
            ]
        finally:
            buffers.put(buffer)

    def add(counted: list[_Counted]) -> None:
        for group, one in zip(groups, counted, strict=True):
            tally.add(group.layers, one)

    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[list[_Counted]]] = deque()
        for block in _blocks(corpus):
            waiting.append(pool.submit(work, block))
            if len(waiting) > threads:
                add(waiting.popleft().result())
        for future in waiting:
            add(future.result())


@dataclass(frozen=True)
class _Layer:
    """Some pairs (p,), of the first p queries of a scan: their scores less and plus the noise, as
    tables of equal rows (1 or SLICE_ROWS, p)."""

    pairs: RowNumbers
    low: Vectors
    high: Vectors


@dataclass(frozen=True)
class _Counted:
    """What a block adds: per layer the scores surely above (p,), and single pairs, one by one."""

    counts: list[RowNumbers]
    pairs: list[RowNumbers]


@dataclass(frozen=True)
class _Block:
    """Rows (B, D), the first row of each candidate where they have several, and the number of the
    first candidate."""

    rows: Vectors
    starts: RowNumbers | None
    first: int

    def products(self, columns: Vectors, buffer: Vectors) -> Vectors:
        """The scores (candidates, Q) of the block with queries (D, Q), in a buffer for rows."""
        size = len(self.rows), columns.shape[1]
        if len(self.rows) > len(buffer):
            buffer = np.empty(size, np.float32)
        scores = buffer.reshape(-1)[: size[0] * size[1]].reshape(size)
        # This way round the product of a block runs as fast as that of the whole.
        np.matmul(self.rows, columns, out=scores)
        if self.starts is None:
            return scores
        return np.maximum.reduceat(scores, self.starts, axis=0)

    def scores(self, candidates: RowNumbers, queries: Vectors) -> Vectors:
        """The cosines (C,) of candidates of this block with a query (C, D) each."""
        if self.starts is None:
            return pair_scores(self.rows[candidates], queries)
        ends = np.append(self.starts[1:], len(self.rows))
        return _best_of_rows(self.rows, self.starts[candidates], ends[candidates], queries)


def _blocks(corpus: Corpus) -> Iterator[_Block]:
    for first, rows in corpus.blocks():
        if corpus.starts is None:
            yield _Block(rows, None, first)
            continue
        low, high = np.searchsorted(corpus.starts, [first, first + len(rows)])
        yield _Block(rows, corpus.starts[low:high] - first, int(low))


class _Tally:
    """Counts what lies above the scores of pairs, block after block."""

    def __init__(
        self,
        queries: Vectors,
        owners: RowNumbers,
        candidates: RowNumbers,
        scores: Vectors,
        names: RowNumbers | None,
        noise: np.float32,
    ) -> None:
        self.above = np.zeros(len(owners), np.int64)
        self.owners = owners
        self._queries, self._candidates = queries, candidates
        self._scores, self._names = scores, names
        self._noise = noise

    def layer(self, pairs: RowNumbers, repeats: int) -> _Layer:
        """The thresholds of one pair (p,) per query, below and above the noise."""
        low = np.tile(self._scores[pairs] - self._noise, (repeats, 1))
        high = np.tile(self._scores[pairs] + self._noise, (repeats, 1))
        return _Layer(pairs, low, high)

    def count(self, scores: Vectors, layers: Sequence[_Layer], block: _Block) -> _Counted:
        """Count in scores (B, Q) of a block with queries, whose pairs come in layers (<= Q,).

        They are taken in slices that fit into the processor's cache, so that the comparisons of all
        layers cost one reading of the memory.
        """
        counts = [np.zeros(len(layer.pairs), np.int64) for layer in layers]
        unsure: list[tuple[RowNumbers, RowNumbers]] = []
        mask = np.empty((SLICE_ROWS, scores.shape[1]), bool)
        for start in range(0, len(scores), SLICE_ROWS):
            part = scores[start : start + SLICE_ROWS]
            for layer, count in zip(layers, counts, strict=True):
                above, rows, places = _compared(part, layer, mask)
                count += above
                if len(rows):
                    unsure.append((rows + start, layer.pairs[places]))
        return _Counted(counts, self._settled(unsure, block))

    def _settled(
        self, unsure: list[tuple[RowNumbers, RowNumbers]], block: _Block
    ) -> list[RowNumbers]:
        """Of candidates of a block and pairs within the noise of each other, the pairs beaten."""
        if not unsure:
            return []
        candidates, pairs = map(np.concatenate, zip(*unsure, strict=True))
        beaten = []
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            near, own = (
                candidates[start : start + PAIRS_AT_ONCE],
                pairs[start : start + PAIRS_AT_ONCE],
            )
            scores = block.scores(near, self._queries[self.owners[own]])
            beaten.append(own[self.beats(scores, near + block.first, own)])
        return beaten

    def add(self, layers: Sequence[_Layer], counted: _Counted) -> None:
        """Take over what was counted in a block."""
        for layer, counts in zip(layers, counted.counts, strict=True):
            self.above[layer.pairs] += counts
        for pairs in counted.pairs:
            np.add.at(self.above, pairs, 1)

    def beats(self, scores: Vectors, candidates: RowNumbers, pairs: RowNumbers) -> Mask:
        """Which candidates (C,), with these exact scores, stand above a pair (C,) each."""
        above: Mask = scores > self._scores[pairs]
        if self._names is not None:
            own = self._candidates[pairs]
            is_tied = scores == self._scores[pairs]
            above = above | (is_tied & (self._names[candidates] > self._names[own]))
        return above


def _compared(
    scores: Vectors, layer: _Layer, mask: Mask
) -> tuple[npt.NDArray[np.uint8], RowNumbers, RowNumbers]:
    """Of scores (B <= 255, Q): how many are surely above each pair of the layer (p <= Q), as bytes
    (p,), and rows and columns of those within the noise."""
    counts = _counts_above(scores, layer.low, mask)
    columns = np.flatnonzero(counts)
    if len(columns) > len(counts) // FEW:
        surely = _counts_above(scores, layer.high, mask)
        columns = np.flatnonzero(counts != surely)
        counts = surely
    # Few columns are left: where nothing is above, as of targets that rank high, nothing is near.
    chosen = scores[:, columns]
    above = chosen > layer.high[0, columns]
    counts[columns] = np.add.reduce(above, axis=0, dtype=np.uint8)
    rows, places = np.nonzero((chosen > layer.low[0, columns]) & ~above)
    return counts, rows, columns[places]


def _counts_above(scores: Vectors, thresholds: Vectors, mask: Mask) -> npt.NDArray[np.uint8]:
    """How many scores (B <= 255, Q) are above thresholds (B or 1, p <= Q), as bytes (p,).

    Sums of bytes are several times faster than `mask.sum(axis=0)`.
    """
    width = thresholds.shape[1]
    above = mask.reshape(-1)[: len(scores) * width].reshape(len(scores), width)
    np.greater(scores[:, :width], thresholds[: len(scores)], out=above)
    counts: npt.NDArray[np.uint8] = np.add.reduce(above.view(np.uint8), axis=0, dtype=np.uint8)
    return counts


def _above_if_shown(
    corpus: Corpus, queries: Vectors, hidden: RowNumbers, tally: _Tally
) -> RowNumbers:
    """1 for each pair (P,) that its query's hidden candidate was counted above, else 0."""
    candidates = hidden[tally.owners]
    pairs = np.flatnonzero(candidates >= 0)
    above = np.zeros(len(candidates), np.int64)
    scores = exact_scores(corpus, queries, tally.owners[pairs], candidates[pairs])
    above[pairs] = tally.beats(scores, candidates[pairs], pairs)
    return above


def exact_scores(
    corpus: Corpus, queries: Vectors, owners: RowNumbers, candidates: RowNumbers
) -> Vectors:
    """The cosine of each pair (P,), summed in double precision."""
    scores = np.empty(len(owners), np.float32)
    for start in range(0, len(owners), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        own, chosen = queries[owners[part]], candidates[part]
        if corpus.starts is None:
            scores[part] = pair_scores(corpus.rows.take(chosen), own)
            continue
        first = corpus.starts[chosen]
        ends = np.append(corpus.starts, corpus.rows.count)[chosen + 1]
        numbers = spread(first, ends)
        offsets = np.cumsum(np.append(0, ends - first))
        rows = corpus.rows.take(numbers)
        scores[part] = _best_of_rows(rows, offsets[:-1], offsets[1:], own)
    return scores


def pair_scores(rows: Vectors, queries: Vectors) -> Vectors:
    """The cosine (C,) of each row (C, D) with its query (C, D)."""
    scores: Vectors = np.einsum("cd,cd->c", rows, queries, dtype=np.float64).astype(np.float32)
    return scores


def _best_of_rows(rows: Vectors, firsts: RowNumbers, ends: RowNumbers, queries: Vectors) -> Vectors:
    """The best cosine (C,) of a query (C, D) with the rows of its candidate, first to end."""
    lengths = ends - firsts
    scores = pair_scores(rows[spread(firsts, ends)], np.repeat(queries, lengths, axis=0))
    offsets = np.cumsum(lengths) - lengths
    best: Vectors = np.maximum.reduceat(scores, offsets)
    return best


def spread(firsts: RowNumbers, ends: RowNumbers) -> RowNumbers:
    """All numbers from each first to its end, one range after the other."""
    lengths = ends - firsts
    offsets = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(lengths.sum()) - np.repeat(offsets - firsts, lengths))


def _name_order(ids: Sequence[str]) -> RowNumbers:
    """The place of each id in the order of their bytes, as C's strcmp has it."""
    names = [id_.encode() for id_ in ids]
    order = np.empty(len(names), np.int64)
    order[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return order
