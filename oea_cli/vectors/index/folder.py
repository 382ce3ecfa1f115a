"""An index folder as one object, to read and to change."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.records.lines import peek
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index import building
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.index.row_writer import Change

Batches = Batch | Iterable[Batch]


class Index:
    """An index folder: records and their vectors, to be searched (see `search_index`).

    What is read is the index as it was when it was opened, or when this object last changed it.
    Each change is there whole or not at all, also for others that read the folder.
    """

    def __init__(self, path: str | Path) -> None:
        """Open an index folder; raises OeaError where it is none or damaged."""
        self.path = Path(path)
        self.snapshot = VectorIndex.open(self.path)

    def __repr__(self) -> str:
        return f"Index({str(self.path)!r}: {len(self)} vectors of {self.encoder})"

    def __len__(self) -> int:
        return len(self.snapshot)

    def __contains__(self, id: object) -> bool:
        return id in self.snapshot.row_of

    @property
    def ids(self) -> list[str]:
        """The ids of all records, in the order of their rows."""
        return list(self.snapshot.row_of)

    @property
    def encoder(self) -> str | None:
        """NAME:FINGERPRINT of what made the vectors; None where they name no encoder."""
        return self.snapshot.encoder

    @property
    def dim(self) -> int:
        """The dimension of the vectors."""
        return self.snapshot.dim

    def add(self, batches: Batches, *, replace: bool = False) -> Change:
        """Add records with their vectors; the cost is that of the new ones.

        A record that is there already is left alone. With another vector than before, it takes the
        old one's place if `replace`; otherwise OeaError names it. Raises OeaError for vectors of
        another encoder or dimension. Returns how many were added, replaced and unchanged.
        """
        first, rest = _first_of(batches)
        if first is None:
            return Change(total=len(self))
        change = building.extend_index(
            self.path,
            rest,
            dim=first.vectors.shape[1],
            encoder=first.encoder,
            newer_wins=replace,
        )
        self.snapshot = VectorIndex.open(self.path)
        return change

    def remove(self, ids: Sequence[str]) -> Change:
        """Remove records by id, of a long clip all windows; raises OeaError, removing nothing,
        where one is not there."""
        change = building.delete_records(self.path, [ids] if isinstance(ids, str) else ids)
        self.snapshot = VectorIndex.open(self.path)
        return change

    def compact(self, *, kind: str | None = None, storage: str | None = None) -> Change:
        """Rewrite the folder without removed records, perhaps as another kind or storage."""
        change = building.compact_index(self.path, kind, storage)
        self.snapshot = VectorIndex.open(self.path)
        return change

    def records(self, ids: Sequence[str] | None = None) -> list[Record]:
        """The records of these ids, of all without; raises OeaError for an id that is not there."""
        return self.snapshot.records(self._rows(ids))

    def vectors(self, ids: Sequence[str] | None = None) -> Vectors:
        """The unit vectors (n, dim) float32 of these ids, of all without; raises as `records`."""
        return self.snapshot.vectors(self._rows(ids))

    def info(self) -> dict[str, Any]:
        """Counts, kind, storage, encoder, bytes and dates, as `oea index --info` shows them."""
        return self.snapshot.info()

    def _rows(self, ids: Sequence[str] | None) -> Any:
        if ids is None:
            return np.flatnonzero(self.snapshot.live)
        names = [ids] if isinstance(ids, str) else ids
        return self.snapshot.by_id.find_all(names)


def open_index(path: str | Path) -> Index:
    """Open an index folder; raises OeaError where it is none or damaged."""
    return Index(path)


def build_index(
    path: str | Path,
    batches: Batches,
    *,
    kind: str = "auto",
    storage: str = "f32",
    replace: bool = False,
) -> Index:
    """Build an index folder from batches, in place of any former one, in bounded memory.

    `kind` is "exact" (a scan), "hnsw" (a graph) or "auto", which scans up to a million vectors;
    `storage` is "f32", "f16", "i8" or "b1". An id that comes twice with different vectors is an
    OeaError, unless the newer one wins by `replace`. Whatever is raised, the former index is as it
    was.
    """
    first, rest = _first_of(batches)
    building.build_index(
        Path(path),
        rest,
        dim=0 if first is None else first.vectors.shape[1],
        encoder=None if first is None else first.encoder,
        kind=kind,
        storage=storage,
        newer_wins=replace,
    )
    return Index(path)


def _first_of(batches: Batches) -> tuple[Batch | None, Iterator[Batch]]:
    """The first batch that holds anything, and all of them."""
    every = iter([batches] if isinstance(batches, Batch) else batches)
    return peek(filter(len, every))
