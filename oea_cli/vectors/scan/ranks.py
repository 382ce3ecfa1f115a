"""Exact ranks without sorting: how many candidates score higher than targets and hard negatives.

Each block of scores is compared with the score of every relevant clip and hard negative while it
is in the cache, which costs a fraction of the matrix product that made it. A product in float32
depends in its last bits on the block's shape, so candidates within that noise of a threshold are
scored again, pair by pair in double precision, so that equal scores are ties.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oea_cli.vectors.arrays import Mask, RowNumbers, Ties, Vectors
from oea_cli.vectors.scan.candidates import Corpus
from oea_cli.vectors.scan.products import Product, products
from oea_cli.vectors.scan.scores import PAIRS_AT_ONCE, best_of_rows, cosines, noise_of, pair_scores

QUERIES_AT_ONCE = 2048
# Groups of queries for which the corpus is read once.
GROUPS_AT_ONCE = 8
# Rows that are compared at a time: their comparisons are counted in bytes, so 255 at most; with
# 2,048 queries, 1 MB of scores.
SLICE_ROWS = 128
WHOLE_LAYERS = 8
FEW = 32
"""Columns are looked at one by one where they are at most one in so many."""


@dataclass(frozen=True)
class Ranks:
    """Of pairs (P,) of a query and a candidate: how many candidates are above it, its cosine, and
    whether a candidate in none of the query's pairs has the same one (with "strict" ties)."""

    above: RowNumbers
    scores: Vectors
    is_tied: Mask


def ranks_of(
    corpus: Corpus,
    queries: Vectors,
    owners: RowNumbers,
    candidates: RowNumbers,
    hidden: RowNumbers | None = None,
    ties: Ties = "strict",
) -> Ranks:
    """Count, for each pair (P,), the candidates that its query (Q, D) scores higher.

    `owners` (P,), ascending, and `candidates` (P,) are the numbers of queries and candidates.
    `hidden` (Q,) is a candidate that does not count for a query, or -1. With ties "trec" equal
    scores are ordered by id, descending.
    """
    scores = pair_scores(corpus, queries, owners, candidates)
    names = _name_order(corpus.ids) if ties == "trec" else None
    counter = _RankCounter(queries, owners, candidates, scores, names, noise_of(corpus.dim))
    if hidden is not None:
        counter.leave_out(hidden)
    sizes = np.bincount(owners, minlength=len(queries))
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    starts = range(0, len(order), QUERIES_AT_ONCE)
    chunks = [order[start : start + QUERIES_AT_ONCE] for start in starts]
    for start in range(0, len(chunks), GROUPS_AT_ONCE):
        _scan(
            corpus,
            [
                _group(queries, chosen, _layers(owners, sizes, chosen), counter)
                for chosen in chunks[start : start + GROUPS_AT_ONCE]
            ],
            counter,
        )
    above = counter.above
    if hidden is not None and (hidden >= 0).any():
        above = above - _hidden_above(corpus, queries, hidden, counter)
    return Ranks(above, scores, counter.is_tied)


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
    queries: Vectors, chosen: RowNumbers, layers: Sequence[RowNumbers], counter: "_RankCounter"
) -> _Group:
    # Comparing two whole tables is 1.6 times as fast as a table and a row; memory sets the limit.
    repeats = SLICE_ROWS if len(layers) <= WHOLE_LAYERS else 1
    columns = np.ascontiguousarray(queries[chosen]).T
    return _Group(columns, [counter.layer(pairs, repeats) for pairs in layers])


def _scan(corpus: Corpus, groups: Sequence[_Group], counter: "_RankCounter") -> None:
    """Count above the pairs of some queries, block by block."""

    def count(key: tuple[_Block, _Group], scores: Vectors) -> tuple[_Group, _Counted]:
        block, group = key
        return group, counter.count(block.of_candidates(scores), group.layers, block)

    parts = (
        Product(block.rows, group.columns, (block, group))
        for block in _blocks(corpus)
        for group in groups
    )
    for group, counted in products(parts, count):
        counter.add(group.layers, counted)


@dataclass(frozen=True)
class _Layer:
    """Some pairs (p,), of the first p queries of a scan: their scores less and plus the noise, as
    tables of equal rows (1 or SLICE_ROWS, p)."""

    pairs: RowNumbers
    low: Vectors
    high: Vectors


@dataclass(frozen=True)
class _Counted:
    """The counts of a block: per layer the scores surely above (p,), single pairs besides, and the
    pairs that other candidates are tied with."""

    counts: list[RowNumbers]
    pairs: list[RowNumbers]
    tied: list[RowNumbers]


@dataclass(frozen=True)
class _Block:
    """Rows (B, D), the first row of each candidate where they have several, and the number of the
    first candidate."""

    rows: Vectors
    starts: RowNumbers | None
    first: int

    def of_candidates(self, scores: Vectors) -> Vectors:
        """The scores (candidates, Q) from those of the rows (B, Q)."""
        if self.starts is None:
            return scores
        return np.maximum.reduceat(scores, self.starts, axis=0)

    def scores(self, candidates: RowNumbers, queries: Vectors) -> Vectors:
        """The cosines (C,) of candidates of this block with a query (C, D) each."""
        if self.starts is None:
            return cosines(self.rows[candidates], queries)
        ends = np.append(self.starts[1:], len(self.rows))
        return best_of_rows(self.rows, self.starts[candidates], ends[candidates], queries)


def _blocks(corpus: Corpus) -> Iterator[_Block]:
    for first, rows in corpus.blocks():
        if corpus.starts is None:
            yield _Block(rows, None, first)
            continue
        low, high = np.searchsorted(corpus.starts, [first, first + len(rows)])
        yield _Block(rows, corpus.starts[low:high] - first, int(low))


class _RankCounter:
    """Counts the candidates above the scores of pairs, block by block."""

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
        self.is_tied = np.zeros(len(owners), bool)
        self.owners = owners
        self._known = np.sort(owners << 32 | candidates)
        self._queries, self._candidates = queries, candidates
        self._scores, self._names = scores, names
        self._noise = noise

    def leave_out(self, hidden: RowNumbers) -> None:
        """Candidates (Q,), or -1, that are no ties of their queries' pairs."""
        queries = np.flatnonzero(hidden >= 0)
        self._known = np.sort(np.append(self._known, queries << 32 | hidden[queries]))

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
        return _Counted(counts, *self._settled(unsure, block))

    def _settled(
        self, unsure: list[tuple[RowNumbers, RowNumbers]], block: _Block
    ) -> tuple[list[RowNumbers], list[RowNumbers]]:
        """Of candidates of a block and pairs within the noise of each other, the pairs beaten, and
        those that a candidate in none of their query's pairs is tied with."""
        if not unsure:
            return [], []
        candidates, pairs = map(np.concatenate, zip(*unsure, strict=True))
        beaten, tied = [], []
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            near, own = (
                candidates[start : start + PAIRS_AT_ONCE],
                pairs[start : start + PAIRS_AT_ONCE],
            )
            scores = block.scores(near, self._queries[self.owners[own]])
            beaten.append(own[self.beats(scores, near + block.first, own)])
            tied.append(own[self._ties(scores, near + block.first, own)])
        return beaten, tied

    def _ties(self, scores: Vectors, candidates: RowNumbers, pairs: RowNumbers) -> Mask:
        """Which candidates (C,) have the score of a pair (C,) each, and are in none themselves."""
        is_equal = scores == self._scores[pairs]
        is_other: Mask = is_equal & (candidates != self._candidates[pairs])
        if self._names is not None or not is_other.any():
            return np.zeros(len(pairs), bool)
        keys = self.owners[pairs[is_other]] << 32 | candidates[is_other]
        places = np.minimum(np.searchsorted(self._known, keys), len(self._known) - 1)
        is_other[is_other] = self._known[places] != keys
        return is_other

    def add(self, layers: Sequence[_Layer], counted: _Counted) -> None:
        """Add the counts of a block."""
        for layer, counts in zip(layers, counted.counts, strict=True):
            self.above[layer.pairs] += counts
        for pairs in counted.pairs:
            np.add.at(self.above, pairs, 1)
        for pairs in counted.tied:
            self.is_tied[pairs] = True

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
    # Few columns are left: where nothing is above, as for targets that rank high, nothing is close.
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


def _hidden_above(
    corpus: Corpus, queries: Vectors, hidden: RowNumbers, counter: _RankCounter
) -> RowNumbers:
    """1 for each pair (P,) that its query's hidden candidate was counted above, else 0."""
    candidates = hidden[counter.owners]
    pairs = np.flatnonzero(candidates >= 0)
    above = np.zeros(len(candidates), np.int64)
    scores = pair_scores(corpus, queries, counter.owners[pairs], candidates[pairs])
    above[pairs] = counter.beats(scores, candidates[pairs], pairs)
    return above


def _name_order(ids: Sequence[str]) -> RowNumbers:
    """The place of each id in the order of their bytes, as by C's strcmp."""
    names = [id_.encode() for id_ in ids]
    order = np.empty(len(names), np.int64)
    order[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return order
