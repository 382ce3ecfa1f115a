"""HNSW graphs by usearch, which speed up the search of a segment.

The graph proposes candidates, the stored rows give the scores: so a hit has the same score in every
kind of index, and filters and exclusions, which usearch does not have, stay possible.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from usearch.index import Index, ScalarKind

from oea_cli.vectors.arrays import Floats, RowNumbers
from oea_cli.vectors.index.graph_structure import check_graph

ADD_ROWS = 8192
# Half precision changes a cosine by less than 1e-3: accurate enough here, with half the memory.
_NUMBERS = {"f32": ScalarKind.F16, "f16": ScalarKind.F16, "i8": ScalarKind.I8, "b1": ScalarKind.I8}


def link_rows(graph: Index, rows: RowNumbers, take: Callable[[RowNumbers], Floats]) -> None:
    """Link these rows into a graph, by their numbers; `take` gives their vectors."""
    for start in range(0, len(rows), ADD_ROWS):
        part = rows[start : start + ADD_ROWS]
        graph.add(part, take(part))


def check_graph_file(path: Path, num_rows: int, storage: str, dim: int) -> None:
    """Raise OeaError where the saved graph is not one of so many rows, with sound links."""
    check_graph(path, num_rows, dim, 2 if _NUMBERS[storage] is ScalarKind.F16 else 1)


def open_graph(path: Path, storage: str, dim: int) -> Any:
    """Open a saved graph, memory-mapped."""
    graph = new_graph(dim, storage)
    graph.view(str(path))
    return graph


def propose(graph: Any, queries: Floats, count: int) -> tuple[RowNumbers, RowNumbers]:
    """Return (query, row) pairs as two (C,) arrays: about `count` likely rows per query (Q, D)."""
    # A wider beam than the default 64 where `count` is large: fewer true neighbours are missed.
    graph.expansion_search = max(128, 2 * count)
    matches = graph.search(queries, count)
    keys = np.atleast_2d(matches.keys).astype(np.int64)
    if queries.shape[0] == 1:
        return np.zeros(keys.size, np.int64), keys.ravel()
    found = np.arange(keys.shape[1]) < np.asarray(matches.counts)[:, None]
    owners = np.broadcast_to(np.arange(len(keys))[:, None], keys.shape)
    return owners[found], keys[found]


def new_graph(dim: int, storage: str) -> Index:
    """A graph without any row."""
    return Index(ndim=dim, metric="cos", dtype=_NUMBERS[storage], expansion_add=128)
