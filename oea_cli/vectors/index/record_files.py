"""The records of an index, in numbered files."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import RowNumbers
from oea_cli.vectors.index.record_part import TEXT, RecordPart, write_part

PART_ROWS = 1 << 18


class RecordWriter:
    """Writes records to numbered Parquet parts, one while the next is being collected."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number = folder, number
        self.parts: list[str] = []
        self.part_rows: list[int] = []
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._worker = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def write(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        """Append records as JSON text, with the id of each."""
        self._ids.extend(ids)
        self._texts.extend(texts)
        if len(self._ids) >= PART_ROWS:
            self._write_part()

    def text(self, row: int) -> str:
        """The record in a row that has been written, counted from the first."""
        self._wait()
        for name, rows in zip(self.parts, self.part_rows, strict=True):
            if row < rows:
                return str(RecordPart(self.folder / name, rows).column(TEXT)[row])
            row -= rows
        return self._texts[row]

    def close(self) -> None:
        """Write what is left; `parts` and `part_rows` then name the files and their sizes."""
        if self._ids:
            self._write_part()
        self._wait()
        self._worker.shutdown()

    def abort(self) -> None:
        """Write nothing more."""
        self._worker.shutdown(cancel_futures=True)

    def _write_part(self) -> None:
        self._wait()
        name = f"records-{self.number:04}-{len(self.parts):02}.parquet"
        self.parts.append(name)
        self.part_rows.append(len(self._ids))
        self._last = self._worker.submit(write_part, self.folder / name, self._ids, self._texts)
        self._ids, self._texts = [], []

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()


class RecordReader:
    """Reads records by row number from the open parts of all segments, in order."""

    def __init__(self, paths: Sequence[Path], sizes: Sequence[int]) -> None:
        self._parts = [RecordPart(*part) for part in zip(paths, sizes, strict=True)]
        self._starts = np.cumsum([0, *sizes])

    @property
    def num_rows(self) -> int:
        """The number of records, those of deleted rows included."""
        return int(self._starts[-1])

    @property
    def names(self) -> list[str]:
        """The keys of all records."""
        return sorted({key for part in self._parts for key in part.keys})

    def pieces(self, name: str) -> Iterator[pl.Series | list[Any]]:
        """The values of a key, part by part."""
        return (part.values(name) for part in self._parts)

    @cached_property
    def id_column(self) -> pl.Series:
        """The id of every row, those of deleted rows included."""
        empty = pl.Series("id", dtype=pl.String)
        return pl.concat([empty, *(part.column("id") for part in self._parts)])

    def ids(self) -> list[str]:
        """The same as a list."""
        return self.id_column.to_list()

    def texts(self) -> list[str]:
        """Return every row's record as JSON text."""
        return self._whole(TEXT)

    def take(self, column: str, rows: RowNumbers) -> list[str]:
        """Return a column (`id`, or `record` as JSON text) of these rows, in their order."""
        found = np.empty(len(rows), object)
        for part, own, local in self._owners(rows):
            found[own] = part.column(column).gather(local).to_numpy()
        return list(found)

    def records(self, rows: RowNumbers) -> list[Record]:
        """Return the records of these rows, in their order; raises OeaError for a damaged one."""
        found = np.empty(len(rows), object)
        for part, own, local in self._owners(rows):
            texts = part.column(TEXT).gather(local)
            found[own] = [part.record(text) for text in texts]
        return list(found)

    def _owners(self, rows: RowNumbers) -> Iterator[tuple[RecordPart, Any, RowNumbers]]:
        """Each part that holds some of the rows: which they are, and their numbers in it."""
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(owners):
            own = owners == number
            yield self._parts[number], own, rows[own] - self._starts[number]

    def _whole(self, name: str) -> list[str]:
        return [value for part in self._parts for value in part.column(name).to_list()]


class WithKeys:
    """Records as columns, also of keys that only other records have: nulls."""

    def __init__(self, records: RecordReader, keys: Iterable[str]) -> None:
        self.num_rows, self.pieces = records.num_rows, records.pieces
        self.names = sorted({*records.names, *keys})
