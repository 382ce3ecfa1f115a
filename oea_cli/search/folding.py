"""One result per file: of a long clip, which lies as windows, the best window alone.

Windows are folded before the cut, so that k counts files. A scan folds on its way. A graph is asked
for more rows than there are places, as a file's windows may take many, and more again where they
hold too few files.
"""

import numpy as np

from oea_cli.vectors.arrays import Floats, Mask, RowNumbers
from oea_cli.vectors.index.index import VectorIndex

DEEPER = 4
"""So many times as many rows are asked for where those at hand do not hold k files."""
SCAN_DEPTH = 1000
"""From this depth on, a scan is quicker than a graph, and misses nothing."""


def best_files(
    index: VectorIndex, queries: Floats, k: int, mask: Mask | None, penalty: Floats | None
) -> tuple[RowNumbers, Floats]:
    """As `VectorIndex.search`: the best row of each of the `k` best files."""
    k = min(k, len(index))
    rows = np.full((len(queries), k), -1, np.int64)
    scores = np.full((len(queries), k), -np.inf, np.float32)
    lacking, depth = np.arange(len(queries)), DEEPER * k
    if index.uses_graph(index.live if mask is None else index.live & mask, penalty):
        while len(lacking) and depth < max(SCAN_DEPTH, DEEPER * k + 1):
            found = index.search(queries[lacking], depth, mask)
            rows[lacking], scores[lacking] = _folded(index, *found, k)
            lacking = lacking[rows[lacking, -1] < 0]
            depth *= DEEPER
    if len(lacking):
        found = index.search(queries[lacking], k, mask, penalty, by_clip=True)
        rows[lacking], scores[lacking] = found
    return rows, scores


def _folded(
    index: VectorIndex, rows: RowNumbers, scores: Floats, k: int
) -> tuple[RowNumbers, Floats]:
    """Of rows (Q, depth), best first, the best one of each of the first `k` files (Q, k)."""
    own_rows = np.full((len(rows), k), -1, np.int64)
    own_scores = np.full((len(rows), k), -np.inf, np.float32)
    for query, all_rows in enumerate(rows):
        known = all_rows[: np.count_nonzero(all_rows >= 0)].astype(np.int32)
        firsts = np.unique(index.clip_numbers(known), return_index=True)[1]
        places = np.sort(firsts)[:k]
        own_rows[query, : len(places)] = known[places]
        own_scores[query, : len(places)] = scores[query, places]
    return own_rows, own_scores
