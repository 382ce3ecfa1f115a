"""The index folder `X.oea`: vectors, records and perhaps a graph, searched exactly or by HNSW."""

from oea_cli.vector_index.building import (
    build_index,
    check_kind,
    compact_index,
    delete_records,
    extend_index,
)
from oea_cli.vector_index.index import VectorIndex
from oea_cli.vector_index.intake import Change
from oea_cli.vector_index.manifest import is_index
from oea_cli.vector_index.storage import check_storage

__all__ = [
    "Change",
    "VectorIndex",
    "build_index",
    "check_kind",
    "check_storage",
    "compact_index",
    "delete_records",
    "extend_index",
    "is_index",
]
