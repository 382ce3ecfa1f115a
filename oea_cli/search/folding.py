"""One result per file: of a long clip, which lies as windows, the best window alone.

Windows are folded before the cut, so that k counts files. A file's windows may push others out of
the k best rows, so more rows are fetched, for the queries that need them, until k files are found.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from oea_cli.records.ids import clip_of
from oea_cli.vectors.arrays import Floats, Mask, RowNumbers
from oea_cli.vectors.index.index import VectorIndex

DEEPER = 4
"""So many times as many rows are fetched where those at hand do not hold k files."""
PAIRS_AT_ONCE = 1 << 22
SCAN_DEPTH = 1000
"""Beyond this depth a scan is quicker than a graph, and misses nothing."""


class FileSearch:
    """The best files of an index: a file scores what its best window does."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index

    @cached_property
    def clips(self) -> RowNumbers:
        """The number of each row's clip (N,)."""
        numbers: dict[str, int] = {}
        ids = self._index.record_files.ids()
        return np.array([numbers.setdefault(clip_of(id_), len(numbers)) for id_ in ids], np.int64)

    def search(
        self, queries: Floats, k: int, mask: Mask | None, penalty: Floats | None
    ) -> tuple[RowNumbers, Floats]:
        """As `VectorIndex.search`: the best row of each of the `k` best files."""
        live = self._index.live
        num_eligible = int(np.count_nonzero(live if mask is None else live & mask))
        k = min(k, num_eligible)
        rows = np.full((len(queries), k), -1, np.int64)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        lacking, depth = np.arange(len(queries)), k
        while len(lacking):
            for part in _parts(lacking, depth):
                exact = depth > max(k, SCAN_DEPTH)
                found = self._index.search(queries[part], depth, mask, penalty, exact)
                rows[part], scores[part] = self._folded(*found, k)
            lacking = lacking[rows[lacking, -1] < 0] if depth < num_eligible else lacking[:0]
            depth = min(depth * DEEPER, num_eligible)
        return rows, scores

    def _folded(self, rows: RowNumbers, scores: Floats, k: int) -> tuple[RowNumbers, Floats]:
        """Of rows (Q, depth), best first, the best one of each of the first `k` files (Q, k)."""
        own_rows = np.full((len(rows), k), -1, np.int64)
        own_scores = np.full((len(rows), k), -np.inf, np.float32)
        for query, all_rows in enumerate(rows):
            known = all_rows[: np.count_nonzero(all_rows >= 0)]
            firsts = np.unique(self.clips[known], return_index=True)[1]
            places = np.sort(firsts)[:k]
            own_rows[query, : len(places)] = known[places]
            own_scores[query, : len(places)] = scores[query, places]
        return own_rows, own_scores


def _parts(queries: RowNumbers, depth: int) -> Iterator[RowNumbers]:
    """The queries in parts whose results, `depth` each, fit into memory."""
    step = max(1, PAIRS_AT_ONCE // max(depth, 1))
    for start in range(0, len(queries), step):
        yield queries[start : start + step]
