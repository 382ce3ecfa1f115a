"""What `index.json` says: the segments of an index, each with its files; nothing in it is believed.

The names of files follow from the numbers of their segments, so that no name leads elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from oea_cli import __version__
from oea_cli.errors import OeaError
from oea_cli.vectors.index.checking import FileSum
from oea_cli.vectors.index.storage import STORAGES
from oea_cli.vectors.npy import LARGEST_DIM

KINDS = ("auto", "exact", "hnsw")
MOST_ROWS = 1 << 40


@dataclass(frozen=True)
class Segment:
    """Rows written together; all names are files in the index folder.

    `recall` is the share of the true ten nearest that a search of this segment finds, measured on
    the vectors as they came in; None where search is exact. `recall_queries` is how many of its
    rows asked, left out themselves; 0 in older segments, where they could find themselves. `sums`
    is empty in format 1.
    """

    number: int
    num_rows: int
    vectors: str
    records: tuple[str, ...]
    part_rows: tuple[int, ...]
    graph: str | None = None
    deleted: str | None = None
    num_deleted: int = 0
    recall: float | None = None
    recall_queries: int = 0
    sums: Mapping[str, FileSum] = field(default_factory=dict)

    def files(self) -> set[str]:
        """Return the names of all its files."""
        names = {self.vectors, self.graph, self.deleted, *self.records}
        return {name for name in names if name}


@dataclass(frozen=True)
class Manifest:
    """The content of `index.json`."""

    dim: int
    encoder: str | None
    kind: str
    storage: str
    created: str
    updated: str
    next_number: int = 1
    segments: tuple[Segment, ...] = ()
    oea: str = __version__

    @property
    def num_live(self) -> int:
        """Return the number of rows that are not deleted."""
        return sum(segment.num_rows - segment.num_deleted for segment in self.segments)

    def touched(self, **changes: Any) -> "Manifest":
        """Return a copy with these changes, a new date and this version."""
        return replace(self, updated=now(), oea=__version__, **changes)


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def manifest_of(content: dict[str, Any], where: str) -> Manifest:
    """The content of `index.json` as it was written; raises OeaError where it cannot be true."""
    try:
        fields = {key: value for key, value in content.items() if key not in ("format", "count")}
        segments = tuple(_segment(row) for row in fields.pop("segments"))
        manifest = Manifest(**fields, segments=segments)
        _check(manifest, content["count"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise OeaError(f"{where}: damaged ({_in_words(error)}); build the index again") from error
    return manifest


def _segment(row: dict[str, Any]) -> Segment:
    sums = {name: FileSum(**one) for name, one in row.get("sums", {}).items()}
    lists = {"records": tuple(row["records"]), "part_rows": tuple(row["part_rows"])}
    segment = Segment(**(row | lists | {"sums": sums}))
    _require(_is_whole(segment.number, 1) and segment.number, "number")
    _require(_is_whole(segment.num_rows, 1), "num_rows")
    _require(_is_whole(segment.num_deleted, 0, segment.num_rows), "num_deleted")
    _require(all(_is_whole(rows, 1) for rows in segment.part_rows), "part_rows")
    _require(sum(segment.part_rows) == segment.num_rows, "part_rows")
    recall = segment.recall
    _require(recall is None or (isinstance(recall, float | int) and 0 <= recall <= 1), "recall")
    _require(_is_whole(segment.recall_queries, 0, segment.num_rows), "recall_queries")
    _check_names(segment)
    return segment


def _check_names(segment: Segment) -> None:
    """Every file has the name that it was given when it was written, and a sum if any has one."""
    number = f"{segment.number:04}"
    parts = tuple(f"records-{number}-{part:02}.parquet" for part in range(len(segment.part_rows)))
    _require(segment.records == parts, "records")
    _require(segment.vectors == f"vectors-{number}.npy", "vectors")
    _require(segment.graph in (None, f"graph-{number}.usearch"), "graph")
    _require((segment.deleted is None) == (segment.num_deleted == 0), "deleted")
    if segment.deleted is not None:
        _require(re.fullmatch(rf"deleted-{number}-\d{{4,}}\.npy", segment.deleted), "deleted")
    if segment.sums:
        _require(set(segment.sums) == segment.files(), "sums")
    for one in segment.sums.values():
        _require(_is_whole(one.bytes, 0) and _is_whole(one.crc32, 0, 2**32 - 1), "sums")


def _check(manifest: Manifest, count: int) -> None:
    numbers = [segment.number for segment in manifest.segments]
    _require(len(set(numbers)) == len(numbers), "two segments of one number")
    _require(_is_whole(manifest.next_number, max([0, *numbers]) + 1), "next_number")
    _require(_is_whole(manifest.dim, 1 if numbers else 0, LARGEST_DIM), "dim")
    _require(isinstance(manifest.encoder, str | None), "encoder")
    _require(manifest.kind in KINDS, "kind")
    _require(manifest.storage in STORAGES, "storage")
    dates = (manifest.created, manifest.updated, manifest.oea)
    _require(all(isinstance(text, str) for text in dates), "dates")
    _require(_is_whole(count, 0) and count == manifest.num_live, "count")


def _is_whole(value: object, least: int, most: int = MOST_ROWS) -> bool:
    return type(value) is int and least <= value <= most


def _require(holds: object, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _in_words(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)[:200]
