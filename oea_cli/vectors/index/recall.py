"""How many of the true nearest rows a search of a segment finds, asked by rows that are left out.

A stored vector finds itself whatever the search, and its links in a graph are its neighbours: both
flatter. So the rows that ask are linked only after they have asked and, in a scan, a row is never
among its own hits.
"""

import numpy as np

from oea_cli.vectors.arrays import Floats, Mask, RowNumbers
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.scan.best import BestSoFar

NUM_QUERIES = 100
NEAREST = 10
CHOSEN_FROM = 4096
"""The rows that ask are evenly spread over so many first ones."""


class RecallSample:
    """Some rows of a segment that ask for their nearest, found before they lose precision."""

    def __init__(self, dim: int, is_exact: bool) -> None:
        """`is_exact` says that rows are stored as they come, which need not be compared here."""
        self.rows: RowNumbers = np.zeros(0, np.int64)
        self._queries = np.zeros((0, dim), np.float32)
        self.is_exact = is_exact
        self._first: list[Floats] = []
        self._nearest: BestSoFar | None = None

    def observe(self, vectors: Floats) -> None:
        """See the next rows (N, D) of the segment, which must not be changed afterwards."""
        if self._nearest is None:
            self._first.append(vectors)
            if sum(map(len, self._first)) >= CHOSEN_FROM:
                self.choose()
        elif not self.is_exact:
            self._nearest.add(vectors)

    def choose(self) -> None:
        """Choose the rows among those seen, if that is not done."""
        if self._nearest is not None or not self._first:
            return
        seen = self._first[0] if len(self._first) == 1 else np.concatenate(self._first)
        last = min(len(seen), CHOSEN_FROM) - 1
        self.rows = np.unique(np.linspace(0, last, NUM_QUERIES).astype(np.int64))
        self._queries = seen[self.rows]
        # Enough of them, whichever are left out.
        self._nearest = BestSoFar(self._queries, NEAREST + len(self.rows))
        if not self.is_exact:
            self._nearest.add(seen)
        self._first = []

    def share_of_graph(self, index: VectorIndex) -> float | None:
        """The share (0 to 1) that is found in an index whose graph lacks the rows that ask."""
        others = np.ones(index.num_rows, bool)
        others[self.rows] = False
        found, _ = index.search(self._queries, NEAREST, mask=others)
        if self.is_exact:
            true, _ = index.search(self._queries, NEAREST, mask=others, exact=True)
        else:
            true = self._true(~np.isin(self._nearest_rows, self.rows))
        return _share(true, found)

    def share_of_scan(self, index: VectorIndex) -> float | None:
        """The share that a scan of an index finds, whose rows lost precision."""
        found, _ = index.search(self._queries, NEAREST + 1)
        own = self.rows[:, None]
        return _share(self._true(self._nearest_rows != own), np.where(found == own, -1, found))

    @property
    def _nearest_rows(self) -> RowNumbers:
        assert self._nearest is not None
        return self._nearest.result()[0]

    def _true(self, allowed: Mask) -> RowNumbers:
        """The nearest of those that are allowed (Q, K), best first; -1 where there are fewer."""
        rows = np.where(allowed, self._nearest_rows, -1)
        order = np.argsort(rows < 0, axis=1, kind="stable")
        return np.take_along_axis(rows, order, axis=1)[:, :NEAREST]


def _share(true: RowNumbers, found: RowNumbers) -> float | None:
    """The mean share of each row of `true` that is in the same row of `found`; -1 is nothing."""
    pairs = [(t[t >= 0], f) for t, f in zip(true, found, strict=True)]
    shares = [np.isin(t, f).mean() for t, f in pairs if len(t)]
    return round(float(np.mean(shares)), 4) if shares else None
