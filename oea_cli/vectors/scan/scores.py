"""Exact scores: single cosines, summed in double precision.

A product in float32 depends in its last bits on the block's shape, the threads and the processor.
So a scan decides by it only where scores differ by more than that noise; all closer decisions, and
every score in a result, come from here.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from oea_cli.vectors.arrays import CACHED_DOUBLES, RowNumbers, Vectors
from oea_cli.vectors.scan.candidates import Corpus, spread
from oea_cli.vectors.scan.threads import num_threads

PAIRS_AT_ONCE = 4096


def noise_of(dim: int) -> np.float32:
    """How far float32 products of unit vectors may differ: their errors are a random walk."""
    return np.float32(2.0**-24 * max(dim, 64) ** 0.5)


def cosines(rows: Vectors, queries: Vectors) -> Vectors:
    """The cosine (C,) of each row (C, D) with its query (C, D)."""
    scores = np.empty(len(rows), np.float32)
    step = max(1, CACHED_DOUBLES // max(1, 2 * rows.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        scores[part] = np.vecdot(rows[part].astype(np.float64), queries[part].astype(np.float64))
    return scores


def in_parts(score: Callable[[slice], Vectors], count: int) -> Vectors:
    """The scores (C,) of `count` pairs, found part by part in several threads."""
    scores = np.empty(count, np.float32)

    def work(start: int) -> None:
        part = slice(start, min(start + PAIRS_AT_ONCE, count))
        scores[part] = score(part)

    starts = range(0, count, PAIRS_AT_ONCE)
    if len(starts) < 2:
        list(map(work, starts))
    else:
        with ThreadPoolExecutor(num_threads()) as pool:
            list(pool.map(work, starts))
    return scores


def pair_scores(
    corpus: Corpus, queries: Vectors, owners: RowNumbers, numbers: RowNumbers
) -> Vectors:
    """The cosine of each pair (P,) of a query and a candidate, given by their numbers.

    The score of a candidate with several rows is that of its best row.
    """

    def score(part: slice) -> Vectors:
        own, chosen = queries[owners[part]], numbers[part]
        if corpus.starts is None:
            return cosines(corpus.rows.take(chosen), own)
        firsts = corpus.starts[chosen]
        ends = np.append(corpus.starts, corpus.rows.count)[chosen + 1]
        offsets = np.cumsum(np.append(0, ends - firsts))
        rows = corpus.rows.take(spread(firsts, ends))
        return best_of_rows(rows, offsets[:-1], offsets[1:], own)

    return in_parts(score, len(owners))


def best_of_rows(rows: Vectors, firsts: RowNumbers, ends: RowNumbers, queries: Vectors) -> Vectors:
    """The best cosine (C,) of a query (C, D) with the rows of its candidate, first to end."""
    lengths = ends - firsts
    scores = cosines(rows[spread(firsts, ends)], np.repeat(queries, lengths, axis=0))
    best: Vectors = np.maximum.reduceat(scores, np.cumsum(lengths) - lengths)
    return best
