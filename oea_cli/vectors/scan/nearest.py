"""The k best rows of every query or row (the owner), kept while candidates come in.

Sorting, or even partitioning, every score costs several times the matrix product that made them.
Here a block of scores is compared once with the k-th best so far, and only
the few above it (about `k * log(rows / block)` per owner) are ever sorted.

Candidates within the rounding noise of the k-th best are kept as well, and scores in double
precision, pair by pair, decide in the end: neither blocks nor threads change the result.

Where rows are windows of clips, the k nearest may be k clips: each is there by its best row, and
the k-th best clip is what candidates are compared with.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oea_cli.vectors.arrays import Mask, RowNumbers, Vectors

Short = npt.NDArray[np.int32]  # row numbers while they are many
ClipsOf = Callable[[Short], Short]
"""The number of the clip of each row (C,), from 0; several threads may ask at once."""
# Candidates per place that wait before they are sorted: fewer sorts, but a looser threshold.
WAITING_PER_PLACE = 1.0
# Where more than this many candidates per place pass (many are equal), exact scores decide at once.
HELD_PER_PLACE = 4
# Compared at a time: 1 MB of scores, which stay in the processor's cache.
SLICE_SCORES = 1 << 18
ROUNDING = np.float32(2.0**-22)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs (C,) of an owner (a query, a row) and a row that may be among its nearest, scored."""

    owners: Short
    rows: Short
    scores: Vectors

    def __len__(self) -> int:
        return len(self.owners)

    def chosen(self, which: RowNumbers | Mask) -> "Pairs":
        """These pairs alone."""
        return Pairs(self.owners[which], self.rows[which], self.scores[which])


def joined(parts: list[Pairs]) -> Pairs:
    """All pairs of several parts, in their order."""
    if not parts:
        empty = np.zeros(0, np.int32)
        return Pairs(empty, empty, np.zeros(0, np.float32))
    return Pairs(
        np.concatenate([part.owners for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


class Nearest:
    """A running k best for a fixed number of owners; higher scores first, equal ones by row.

    Candidates must be above `thresholds` (N,), which threads may read while they rise: an old
    one only lets more pass. `score` gives the exact scores (C,) of owners and rows (C,);
    None where those that are added are exact. With `clips_of`, no two of the nearest are of a clip.
    """

    def __init__(
        self,
        num_owners: int,
        k: int,
        noise: np.float32,
        score: Callable[[Short, Short], Vectors] | None,
        clips_of: ClipsOf | None = None,
    ) -> None:
        self.k = k
        self.thresholds = np.full(num_owners, -np.inf, np.float32)
        self._noise = noise
        self._score, self._clips_of = score, clips_of
        self._held = joined([])
        self._waiting: list[Pairs] = []
        self._num_waiting = 0

    def below(self, scores: Vectors) -> Vectors:
        """A bound (C,) that is surely below every score that may equal these (C,)."""
        # Two scores that are equal may lie twice the noise apart, and a penalty taken off them
        # rounds once more.
        lower: Vectors = scores - (2 * self._noise + np.abs(scores) * ROUNDING)
        return lower

    def enough(self, rows: RowNumbers) -> int:
        """So many of these rows (B,), whichever they are, hold k clips, if all of them do."""
        if self._clips_of is None:
            return self.k
        _, counts = np.unique(self._clips_of(rows.astype(np.int32)), return_counts=True)
        return self.k * int(counts.max())

    def add(self, pairs: Pairs) -> None:
        """Add candidates, each pair only once, in any order."""
        self._waiting.append(pairs)
        self._num_waiting += len(pairs)
        if self._num_waiting > WAITING_PER_PLACE * self.k * len(self.thresholds):
            self.settle()

    def settle(self) -> None:
        """Drop what is surely not among the nearest, and raise the thresholds."""
        held = joined([self._held, *self._waiting])
        self._waiting, self._num_waiting = [], 0
        self._held = self._pruned(held)
        if len(self._held) > HELD_PER_PLACE * self.k * len(self.thresholds):
            self._held = self._exact()

    def _pruned(self, held: Pairs) -> Pairs:
        held = held.chosen(np.argsort(_sort_keys(held.owners, held.scores)))
        best = held
        if self._clips_of is not None:
            firsts, clips = _firsts(held.owners, self._clips_of(held.rows))
            best = held.chosen(np.sort(firsts))
            held = held.chosen(held.scores > self.below(held.scores[firsts])[clips])
        counts = np.bincount(best.owners, minlength=len(self.thresholds))
        starts = np.cumsum(counts) - counts
        full = np.flatnonzero(counts >= self.k)
        worst = self.below(best.scores[starts[full] + self.k - 1])
        self.thresholds[full] = np.maximum(self.thresholds[full], worst)
        return held.chosen(held.scores > self.thresholds[held.owners])

    def _exact(self) -> Pairs:
        """The k nearest of what is held, by their exact scores."""
        held = self._held
        if self._score is not None:
            held = Pairs(held.owners, held.rows, self._score(held.owners, held.rows))
        held = held.chosen(np.lexsort((held.rows, -held.scores, held.owners)))
        if self._clips_of is not None:
            firsts, _ = _firsts(held.owners, self._clips_of(held.rows))
            held = held.chosen(np.sort(firsts))
        return held.chosen(_places_within(held.owners) < self.k)

    def result(self) -> tuple[RowNumbers, Vectors]:
        """Rows and scores (N, k), best first; -1 and -inf where there are fewer."""
        self.settle()
        best = self._exact()
        shape = (len(self.thresholds), self.k)
        rows: RowNumbers = np.full(shape, -1, np.int64)
        scores: Vectors = np.full(shape, -np.inf, np.float32)
        places = _places_within(best.owners)
        rows[best.owners, places], scores[best.owners, places] = best.rows, best.scores
        return rows, scores


def _firsts(owners: Short, clips: Short) -> tuple[RowNumbers, RowNumbers]:
    """The first pair of each clip of an owner (F,), and which of them is that of each pair (C,)."""
    keys = (owners.astype(np.int64) << 32) + clips
    _, firsts, belongs = np.unique(keys, return_index=True, return_inverse=True)
    return firsts, belongs


def slices_of(scores: Vectors) -> Iterator[slice]:
    """Some rows of a table of scores (B, Q) after the other."""
    step = max(1, SLICE_SCORES // scores.shape[1])
    for start in range(0, len(scores), step):
        yield slice(start, min(start + step, len(scores)))


def places_of(mask: Mask) -> tuple[Short, Short]:
    """The rows and columns (C,) of what is true in a table; for few, faster than np.nonzero."""
    flat = np.flatnonzero(mask)
    rows, columns = np.divmod(flat, mask.shape[1])
    return rows.astype(np.int32), columns.astype(np.int32)


def _sort_keys(owners: Short, scores: Vectors) -> RowNumbers:
    """Whole numbers (C,) that put pairs in the order of their owners, and the best first."""
    bits = np.ascontiguousarray(scores).view(np.int32)
    # The bits of a float as a number that falls as the float rises, negative ones included.
    falling = ~(bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF)))
    return (owners.astype(np.int64) << 32) + falling


def _places_within(owners: Short) -> RowNumbers:
    """The place (C,), from 0, of each pair among those of its owner; owners ascend."""
    if not len(owners):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    lengths = np.diff(starts, append=len(owners))
    return np.arange(len(owners)) - np.repeat(starts, lengths)
