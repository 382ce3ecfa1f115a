"""The exact search: the k best rows for every query."""

from collections.abc import Callable, Iterable
from itertools import islice

import numpy as np

from oea_cli.vectors.arrays import RowNumbers, Vectors
from oea_cli.vectors.scan.nearest import (
    ClipsOf,
    Nearest,
    Pairs,
    Short,
    joined,
    places_of,
    slices_of,
)
from oea_cli.vectors.scan.products import Product, products
from oea_cli.vectors.scan.scores import cosines, in_parts, noise_of

NumberedRows = tuple[RowNumbers, Vectors]


def best_rows(
    blocks: Iterable[NumberedRows],
    take: Callable[[RowNumbers], Vectors],
    queries: Vectors,
    k: int,
    *,
    penalty: Vectors | None = None,
    proposed: tuple[RowNumbers, RowNumbers] | None = None,
    clips_of: ClipsOf | None = None,
    threads: int | None = None,
) -> tuple[RowNumbers, Vectors]:
    """Find the best `k` rows for each query (Q, D) of length 1.

    `blocks` are the rows that may be found, each row once: numbers (B,) and unit vectors (B, D);
    `take` gives the vectors of any of them again. `penalty`, one value per row number, is
    subtracted from the scores. `proposed` are (query, row) pairs from elsewhere (a graph), as two
    (C,) arrays; their rows are in no block. With `clips_of`, which gives the number of each row's
    clip, the best `k` clips are found, each by its best row.

    Returns rows and scores (Q, k), best first, equal scores by row; -1 and -inf where there are
    fewer rows. A score that is NaN is never among the best. The result depends neither on the
    blocks nor on `threads`.
    """

    def score(owners: Short, rows: Short) -> Vectors:
        numbers = rows.astype(np.int64)
        scores = in_parts(
            lambda part: cosines(take(numbers[part]), queries[owners[part]]), len(owners)
        )
        return scores if penalty is None else scores - penalty[rows]

    nearest = Nearest(len(queries), k, noise_of(queries.shape[1]), score, clips_of)
    if proposed is not None:
        owners, rows = (numbers.astype(np.int32) for numbers in proposed)
        nearest.add(Pairs(owners, rows, score(owners, rows)))
        nearest.settle()
    columns = queries.T

    def visit(rows: RowNumbers, scores: Vectors) -> Pairs:
        if penalty is not None:
            scores -= penalty[rows][:, None]
        return candidates(nearest, scores, rows)

    parts = (Product(block, columns, rows) for rows, block in blocks)
    # The first block alone: with its k-th best as the threshold, only a few of the others pass.
    for some in (islice(parts, 1), parts):
        for pairs in products(some, visit, threads):
            nearest.add(pairs)
        nearest.settle()
    return nearest.result()


def all_scores(blocks: Iterable[NumberedRows], queries: Vectors, num_rows: int) -> Vectors:
    """The cosines (Q, N) of queries (Q, D) with every row, to single precision.

    `blocks` are as of `best_rows`; a row in none of them has score 0.
    """
    scores = np.zeros((len(queries), num_rows), np.float32)

    def visit(rows: RowNumbers, found: Vectors) -> None:
        scores[:, rows] = found.T

    columns = queries.T
    for _ in products((Product(block, columns, rows) for rows, block in blocks), visit):
        pass
    return scores


class BestSoFar:
    """The best `k` rows for each query (Q, D) among vectors that are added once and not kept."""

    def __init__(self, queries: Vectors, k: int) -> None:
        self._queries = queries
        self._nearest = Nearest(len(queries), k, noise_of(queries.shape[1]), score=None)
        self._num_rows = 0

    def add(self, vectors: Vectors) -> None:
        """Add the next rows (B, D), of length 1."""
        rows = self._num_rows + np.arange(len(vectors))
        self._num_rows += len(vectors)
        found = candidates(self._nearest, vectors @ self._queries.T, rows)
        scores = cosines(vectors[found.rows - rows[0]], self._queries[found.owners])
        self._nearest.add(Pairs(found.owners, found.rows, scores))

    def result(self) -> tuple[RowNumbers, Vectors]:
        """Rows, numbered as they came, and scores (Q, k), as of `best_rows`."""
        return self._nearest.result()


def candidates(nearest: Nearest, scores: Vectors, rows: RowNumbers) -> Pairs:
    """What may be among the best in scores (B, Q) of the rows (B,) with all queries."""
    low = nearest.thresholds.copy()
    if len(scores) > nearest.k and np.isneginf(low).any():
        enough = nearest.enough(rows)
        if len(scores) > enough:
            low = np.maximum(low, nearest.below(_kth_best(scores, enough)))
    numbers = rows.astype(np.int32)
    found = []
    for some in slices_of(scores):
        part = scores[some]
        places, owners = places_of(part > low)
        if len(places):
            found.append(Pairs(owners, numbers[some][places], part[places, owners]))
    return joined(found)


def _kth_best(scores: Vectors, k: int) -> Vectors:
    """The k-th best (Q,) of the scores (B > k, Q) of each query."""
    # NaN would count as the best of all.
    by_query = np.where(np.isnan(scores), -np.inf, scores).T
    place = by_query.shape[1] - k
    return np.partition(by_query, place, axis=1)[:, place]
