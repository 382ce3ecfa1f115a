"""Exact ranks without sorting: how many candidates score higher than the ones that matter.

Each block of scores is compared with the score of every relevant clip and hard negative while it
is at hand, which costs a fraction of the matrix product that made it. A product in float32 depends
in its last bits on the block's shape, so candidates within that noise of a threshold are scored
again, pair by pair in double precision: what ties, ties.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oea_cli.embeddings.batch import Vectors
from oea_cli.evaluation.corpora import Corpus
from oea_cli.evaluation.outcomes import Codes, Mask
from oea_cli.evaluation.runs import Ties

QUERIES_AT_ONCE = 2048
PAIRS_AT_ONCE = 4096
# Rows that are compared at a time: their comparisons are counted in bytes, so 255 at most; with
# 2,048 queries, 1 MB of scores.
SLICE_ROWS = 128
WHOLE_LAYERS = 8
Counted = tuple[Codes, list[tuple[Codes, Codes]]]


@dataclass(frozen=True)
class Standing:
    """How pairs (P,) of a query and a candidate stand: candidates above, and the cosine."""

    above: Codes
    scores: Vectors


def standing_of(
    corpus: Corpus,
    queries: Vectors,
    owners: Codes,
    candidates: Codes,
    hidden: Codes | None = None,
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
    for start in range(0, len(order), QUERIES_AT_ONCE):
        chosen = order[start : start + QUERIES_AT_ONCE]
        _scan(corpus, queries, chosen, _layers(owners, sizes, chosen), tally)
    above = tally.above
    if hidden is not None and (hidden >= 0).any():
        above = above - _above_if_shown(corpus, queries, hidden, tally)
    return Standing(above, scores)


def noise_of(dim: int) -> np.float32:
    """How far float32 products of unit vectors may lie apart: their errors walk at random."""
    return np.float32(2.0**-24 * max(dim, 64) ** 0.5)


def _layers(owners: Codes, sizes: Codes, chosen: Codes) -> list[Codes]:
    """The pairs of the chosen queries, layer by layer: every query's first one, its second one ...

    The queries come with most pairs first, so each layer belongs to the first few of them.
    """
    firsts = np.searchsorted(owners, chosen)
    return [
        firsts[: np.count_nonzero(sizes[chosen] > number)] + number
        for number in range(int(sizes[chosen[0]]))
    ]


def _scan(
    corpus: Corpus,
    queries: Vectors,
    chosen: Codes,
    pairs_in_layers: Sequence[Codes],
    tally: "_Tally",
) -> None:
    columns = np.ascontiguousarray(queries[chosen]).T
    # Comparing two whole tables is 1.6 times as fast as a table and a row; memory sets the limit.
    repeats = SLICE_ROWS if len(pairs_in_layers) <= WHOLE_LAYERS else 1
    layers = [tally.layer(pairs, repeats) for pairs in pairs_in_layers]
    buffer = np.empty(0, np.float32)
    for first, block in corpus.blocks():
        if buffer.size < len(block) * len(chosen):
            buffer = np.empty(len(block) * len(chosen), np.float32)
        scores = buffer[: len(block) * len(chosen)].reshape(len(block), len(chosen))
        # This way round the product of a block runs as fast as that of the whole.
        np.matmul(block, columns, out=scores)
        starts = _starts_within(corpus, first, len(block))
        if starts is not None:
            scores = np.maximum.reduceat(scores, starts, axis=0)
            first = int(np.searchsorted(corpus.starts, first))  # type: ignore[arg-type]
        tally.take(scores, layers, _Block(block, starts, first))
    for layer in layers:
        tally.add(layer)


class _Layer:
    """Some pairs (p,), of the first p queries of a scan, and what is being counted above each."""

    def __init__(self, pairs: Codes, low: Vectors, high: Vectors) -> None:
        self.pairs, self.low, self.high = pairs, low, high
        self.counts = np.zeros(len(pairs), np.int64)
        self.unsure: list[tuple[Codes, Codes]] = []

    def taken_unsure(self) -> Iterator[tuple[Codes, Codes]]:
        """Yield candidates and pairs within the noise of each other, some thousand at a time."""
        if not self.unsure:
            return
        candidates, pairs = map(np.concatenate, zip(*self.unsure, strict=True))
        self.unsure.clear()
        for start in range(0, len(pairs), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            yield candidates[part], pairs[part]


@dataclass(frozen=True)
class _Block:
    """Rows (B, D), the first row of each candidate where they have several, and the number of the
    first candidate."""

    rows: Vectors
    starts: Codes | None
    first: int

    def scores(self, candidates: Codes, queries: Vectors) -> Vectors:
        """The cosines (C,) of candidates of this block with a query (C, D) each."""
        if self.starts is None:
            return pair_scores(self.rows[candidates], queries)
        ends = np.append(self.starts[1:], len(self.rows))
        return _best_of_rows(self.rows, self.starts[candidates], ends[candidates], queries)


def _starts_within(corpus: Corpus, first: int, count: int) -> Codes | None:
    if corpus.starts is None:
        return None
    low, high = np.searchsorted(corpus.starts, [first, first + count])
    return corpus.starts[low:high] - first


class _Tally:
    """Counts what lies above the scores of pairs, block after block."""

    def __init__(
        self,
        queries: Vectors,
        owners: Codes,
        candidates: Codes,
        scores: Vectors,
        names: Codes | None,
        noise: np.float32,
    ) -> None:
        self.above = np.zeros(len(owners), np.int64)
        self.owners = owners
        self._queries, self._candidates = queries, candidates
        self._scores, self._names = scores, names
        self._noise = noise
        self._threads = num_threads()
        self._pool = ThreadPoolExecutor(self._threads)

    def layer(self, pairs: Codes, repeats: int) -> "_Layer":
        """The thresholds of one pair (p,) per query, below and above the noise."""
        low = np.tile(self._scores[pairs] - self._noise, (repeats, 1))
        high = np.tile(self._scores[pairs] + self._noise, (repeats, 1))
        return _Layer(pairs, low, high)

    def take(self, scores: Vectors, layers: Sequence["_Layer"], block: "_Block") -> None:
        """Take in scores (B, Q) of a block with queries, whose pairs come in layers (<= Q,).

        They are taken in slices that fit into the processor's cache, so that the comparisons of all
        layers cost one reading of the memory; numpy lets several threads compare at once.
        """
        starts = range(0, len(scores), SLICE_ROWS)
        shares = [starts[number :: self._threads] for number in range(self._threads)]
        if self._threads == 1:
            counted = [_count(scores, starts, layers)]
        else:
            counted = list(self._pool.map(lambda share: _count(scores, share, layers), shares))
        for share in counted:
            for layer, (counts, unsure) in zip(layers, share, strict=True):
                layer.counts += counts
                layer.unsure += unsure
        for layer in layers:
            for candidates, pairs in layer.taken_unsure():
                self._settle(candidates, pairs, block)

    def add(self, layer: "_Layer") -> None:
        """Take over what a layer has counted."""
        self.above[layer.pairs] += layer.counts

    def _settle(self, candidates: Codes, pairs: Codes, block: "_Block") -> None:
        """Count candidates of a block that lie within the noise of a pair's score."""
        scores = block.scores(candidates, self._queries[self.owners[pairs]])
        beats = self.beats(scores, candidates + block.first, pairs)
        np.add.at(self.above, pairs[beats], 1)

    def beats(self, scores: Vectors, candidates: Codes, pairs: Codes) -> Mask:
        """Which candidates (C,), with these exact scores, stand above a pair (C,) each."""
        above: Mask = scores > self._scores[pairs]
        if self._names is not None:
            own = self._candidates[pairs]
            is_tied = scores == self._scores[pairs]
            above = above | (is_tied & (self._names[candidates] > self._names[own]))
        return above


def _count(scores: Vectors, starts: Sequence[int], layers: Sequence[_Layer]) -> list[Counted]:
    """Count one share of the slices of a block: per layer, the counts (p,) of scores surely above,
    and candidates and pairs that lie within the noise of each other."""
    found: list[Counted] = [(np.zeros(len(layer.pairs), np.int64), []) for layer in layers]
    mask = np.empty((SLICE_ROWS, scores.shape[1]), bool)
    for start in starts:
        part = scores[start : start + SLICE_ROWS]
        for layer, (counts, near) in zip(layers, found, strict=True):
            surely = _counts_above(part, layer.high, mask)
            counts += surely
            unsure = np.flatnonzero(_counts_above(part, layer.low, mask) != surely)
            if len(unsure):
                rows, places = _between(part, layer.low[0], layer.high[0], unsure)
                near.append((rows + start, layer.pairs[places]))
    return found


def num_threads() -> int:
    """As many as the matrix product uses: what the environment says, else one per processor."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if (value := os.environ.get(name, "")).isdecimal() and int(value) > 0:
            return int(value)
    return os.cpu_count() or 1


def _counts_above(scores: Vectors, thresholds: Vectors, mask: Mask) -> npt.NDArray[np.uint8]:
    """How many scores (B <= 255, Q) are above thresholds (B or 1, p <= Q), as bytes (p,).

    Sums of bytes are several times faster than `mask.sum(axis=0)`.
    """
    width = thresholds.shape[1]
    if width == scores.shape[1]:
        above = mask[: len(scores)]
    else:
        above = mask.reshape(-1)[: len(scores) * width].reshape(len(scores), width)
    np.greater(scores[:, :width], thresholds[: len(scores)], out=above)
    counts: npt.NDArray[np.uint8] = np.add.reduce(above.view(np.uint8), axis=0, dtype=np.uint8)
    return counts


def _between(scores: Vectors, low: Vectors, high: Vectors, columns: Codes) -> tuple[Codes, Codes]:
    """Where scores (B, Q) lie between two thresholds (Q,), in these columns: rows and columns."""
    chosen = scores[:, columns]
    rows, places = np.nonzero((chosen > low[columns]) & (chosen <= high[columns]))
    return rows, columns[places]


def _above_if_shown(corpus: Corpus, queries: Vectors, hidden: Codes, tally: _Tally) -> Codes:
    """1 for each pair (P,) that its query's hidden candidate was counted above, else 0."""
    candidates = hidden[tally.owners]
    pairs = np.flatnonzero(candidates >= 0)
    above = np.zeros(len(candidates), np.int64)
    scores = exact_scores(corpus, queries, tally.owners[pairs], candidates[pairs])
    above[pairs] = tally.beats(scores, candidates[pairs], pairs)
    return above


def exact_scores(corpus: Corpus, queries: Vectors, owners: Codes, candidates: Codes) -> Vectors:
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
        numbers = _spread(first, ends)
        offsets = np.cumsum(np.append(0, ends - first))
        rows = corpus.rows.take(numbers)
        scores[part] = _best_of_rows(rows, offsets[:-1], offsets[1:], own)
    return scores


def pair_scores(rows: Vectors, queries: Vectors) -> Vectors:
    """The cosine (C,) of each row (C, D) with its query (C, D)."""
    scores: Vectors = np.einsum("cd,cd->c", rows, queries, dtype=np.float64).astype(np.float32)
    return scores


def _best_of_rows(rows: Vectors, firsts: Codes, ends: Codes, queries: Vectors) -> Vectors:
    """The best cosine (C,) of a query (C, D) with the rows of its candidate, first to end."""
    lengths = ends - firsts
    scores = pair_scores(rows[_spread(firsts, ends)], np.repeat(queries, lengths, axis=0))
    offsets = np.cumsum(lengths) - lengths
    best: Vectors = np.maximum.reduceat(scores, offsets)
    return best


def _spread(firsts: Codes, ends: Codes) -> Codes:
    """All numbers from each first to its end, one range after the other."""
    lengths = ends - firsts
    offsets = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(lengths.sum()) - np.repeat(offsets - firsts, lengths))


def _name_order(ids: Sequence[str]) -> Codes:
    """The place of each id in the order of their bytes, as C's strcmp has it."""
    names = [id_.encode() for id_ in ids]
    order = np.empty(len(names), np.int64)
    order[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return order
