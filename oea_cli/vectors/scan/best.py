"""The k best rows per query, kept while blocks of scores stream past.

Sorting, or even partitioning, every score costs several times the matrix product that made them.
Here each block is compared once with the k-th best score so far, and only the few scores above it
are ever sorted: about `k * log(rows / k)` per query on rows in no particular order.
"""

import numpy as np

from oea_cli.vectors.arrays import Floats, Mask, RowNumbers

FIRST_ROWS = 64


class NearestRows:
    """A running top k for a fixed number of queries.

    Higher scores come first; of equal scores the lower row. A NaN is never among the best.
    """

    def __init__(self, num_queries: int, k: int) -> None:
        self.k = k
        self.scores: Floats = np.full((num_queries, k), -np.inf, np.float32)
        self.rows: RowNumbers = np.full((num_queries, k), -1, np.int64)
        self._above: Mask = np.empty(0, bool)
        self._seen = 0
        self._pending: list[tuple[RowNumbers, Floats, RowNumbers]] = []
        self._num_pending = self._widest = 0

    def update(self, scores: Floats, rows: RowNumbers) -> None:
        """Take in a block of scores (B, Q) of the rows (B,), all higher than those seen before.

        The first block is taken in slices of growing width, so that a threshold is known before
        most of it is looked at.
        """
        start = 0
        while start < len(rows):
            stop = min(len(rows), start + max(self._seen, 2 * self.k, FIRST_ROWS))
            self._take(scores[start:stop], rows[start:stop])
            start = stop

    def add(self, queries: RowNumbers, scores: Floats, rows: RowNumbers) -> None:
        """Take in single candidates: (query, score, row) triples as three (C,) arrays."""
        if not len(queries):
            return
        self._pending.append((queries, scores, rows))
        self._num_pending += len(queries)
        self._widest += int(np.bincount(queries).max())
        # Waiting for a few candidates per place keeps the number of sorts logarithmic; no single
        # query may wait for long, because the table to be sorted is as wide as its candidates.
        if self._num_pending >= 2 * self.scores.size or self._widest >= 8 * self.k + FIRST_ROWS:
            self._settle()

    def best(self) -> tuple[RowNumbers, Floats]:
        """Return rows (Q, k) and scores (Q, k), best first; -1 and -inf where there are fewer."""
        self._settle()
        return self.rows, self.scores

    def _take(self, scores: Floats, rows: RowNumbers) -> None:
        self._seen += len(rows)
        # Blocks come in ascending order of rows, so an equal score always loses to the one held.
        if self._above.size < scores.size:
            self._above = np.empty(scores.size, bool)
        above = self._above[: scores.size].reshape(scores.shape)
        np.greater(scores, self.scores[:, -1], out=above)
        places = np.flatnonzero(above)
        owners, queries = np.divmod(places, scores.shape[1])
        self.add(queries, scores[owners, queries], rows[owners])

    def _settle(self) -> None:
        """Sort the pending candidates into the k best."""
        if not self._pending:
            return
        queries, scores, rows = map(np.concatenate, zip(*self._pending, strict=True))
        self._pending, self._num_pending, self._widest = [], 0, 0
        # Stable sorts keep candidates in the order they came, which is that of their rows.
        order = np.argsort(queries, kind="stable")
        queries = queries[order]
        counts = np.bincount(queries, minlength=len(self.scores))
        places = self.k + np.arange(len(queries)) - (np.cumsum(counts) - counts)[queries]
        shape = (len(self.scores), self.k + int(counts.max()))
        all_scores: Floats = np.full(shape, -np.inf, np.float32)
        all_rows: RowNumbers = np.full(shape, -1, np.int64)
        all_scores[:, : self.k], all_rows[:, : self.k] = self.scores, self.rows
        all_scores[queries, places], all_rows[queries, places] = scores[order], rows[order]
        best = np.argsort(-all_scores, axis=1, kind="stable")[:, : self.k]
        self.scores = np.take_along_axis(all_scores, best, 1)
        self.rows = np.take_along_axis(all_rows, best, 1)
