"""The k best rows per query, kept while blocks of scores stream past.

Sorting, or even partitioning, every score costs several times the matrix product that made them.
Here each block is compared once with the k-th best score so far, and only the few scores above it
are ever sorted: about `k * log(rows / k)` per query on rows in no particular order.
"""

import numpy as np

from oea_cli.vector_index.arrays import Floats, Rows

FIRST_COLUMNS = 64


class NearestRows:
    """A running top k for a fixed number of queries.

    Higher scores come first; of equal scores the lower row. A NaN is never among the best.
    """

    def __init__(self, num_queries: int, k: int) -> None:
        self.k = k
        self.scores: Floats = np.full((num_queries, k), -np.inf, np.float32)
        self.rows: Rows = np.full((num_queries, k), -1, np.int64)
        self._seen = 0
        self._pending: list[tuple[Rows, Floats, Rows]] = []
        self._num_pending = 0

    def update(self, scores: Floats, rows: Rows) -> None:
        """Take in a block of scores (Q, B) of the rows (B,), all higher than those seen before.

        The first block is taken in slices of growing width, so that a threshold is known before
        most of it is looked at.
        """
        start, num_columns = 0, scores.shape[1]
        while start < num_columns:
            stop = min(num_columns, start + max(self._seen, 2 * self.k, FIRST_COLUMNS))
            self._take(scores[:, start:stop], rows[start:stop])
            start = stop

    def add(self, queries: Rows, scores: Floats, rows: Rows) -> None:
        """Take in single candidates: (query, score, row) triples as three (C,) arrays."""
        if not len(queries):
            return
        self._pending.append((queries, scores, rows))
        self._num_pending += len(queries)
        # Waiting for a few candidates per place keeps the number of sorts logarithmic.
        if self._num_pending >= 2 * self.scores.size:
            self._settle()

    def best(self) -> tuple[Rows, Floats]:
        """Return rows (Q, k) and scores (Q, k), best first; -1 and -inf where there are fewer."""
        self._settle()
        return self.rows, self.scores

    def _take(self, scores: Floats, rows: Rows) -> None:
        self._seen += scores.shape[1]
        # Blocks come in ascending order of rows, so an equal score always loses to the one held.
        above = scores > self.scores[:, -1:]
        places = np.flatnonzero(above)
        queries, columns = np.divmod(places, scores.shape[1])
        self.add(queries, scores[queries, columns], rows[columns])

    def _settle(self) -> None:
        """Sort the pending candidates into the k best."""
        if not self._pending:
            return
        held_queries, held_places = np.nonzero(self.rows >= 0)
        held = (
            held_queries,
            self.scores[held_queries, held_places],
            self.rows[held_queries, held_places],
        )
        queries, scores, rows = map(np.concatenate, zip(held, *self._pending, strict=True))
        self._pending, self._num_pending = [], 0
        order = np.lexsort((rows, -scores, queries))
        queries, scores, rows = queries[order], scores[order], rows[order]
        firsts = np.searchsorted(queries, np.arange(len(self.scores)))
        places = np.arange(len(queries)) - firsts[queries]
        kept = places < self.k
        self.scores[queries[kept], places[kept]] = scores[kept]
        self.rows[queries[kept], places[kept]] = rows[kept]
