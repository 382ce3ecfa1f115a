"""The records of an index: Parquet files of two columns, `id` and `record` (the record as JSON).

The JSON text keeps every key exactly; typed columns could not (a key that is a number in one clip
and a list in the next, absent keys and null ones).
"""

import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import orjson
import polars as pl

from oea_cli.errors import OeaError
from oea_cli.records.parquet_files import parquet_errors
from oea_cli.records.parquet_structure import BytesSource, check_structure
from oea_cli.vectors.arrays import RowNumbers

PART_ROWS = 1 << 18

Record = dict[str, Any]


class RecordWriter:
    """Writes records to numbered Parquet parts, holding one part in memory at most."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number = folder, number
        self.parts: list[str] = []
        self.part_rows: list[int] = []
        self._ids: list[str] = []
        self._texts: list[str] = []

    def write(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        """Append records as JSON text, with the id of each."""
        self._ids.extend(ids)
        self._texts.extend(texts)
        if len(self._ids) >= PART_ROWS:
            self._write_part()

    def text(self, row: int) -> str:
        """The record in a row that has been written, counted from the first."""
        for name, rows in zip(self.parts, self.part_rows, strict=True):
            if row < rows:
                return str(pl.read_parquet(self.folder / name, columns=["record"])["record"][row])
            row -= rows
        return self._texts[row]

    def close(self) -> None:
        """Write what is left; `parts` and `part_rows` then name the files and their sizes."""
        if self._ids:
            self._write_part()

    def _write_part(self) -> None:
        name = f"records-{self.number:04}-{len(self.parts):02}.parquet"
        frame = pl.DataFrame({"id": self._ids, "record": self._texts})
        self.parts.append(name)
        self.part_rows.append(len(frame))
        with (self.folder / name).open("xb") as file:
            frame.write_parquet(file, compression="lz4", statistics=False)
            file.flush()
            os.fsync(file.fileno())
        self._ids, self._texts = [], []


class RecordReader:
    """Reads records by row number from the open parts of all segments, in order.

    All files are mapped at once, so that they stay readable after a writer's clean-up.
    """

    def __init__(self, paths: Sequence[Path], sizes: Sequence[int]) -> None:
        self._parts = [_mapped(path, size) for path, size in zip(paths, sizes, strict=True)]
        self._paths = list(paths)
        self._starts = np.cumsum([0, *sizes])

    def ids(self) -> list[str]:
        """Return the id of every row, those of deleted rows included."""
        return self._whole("id")

    def texts(self) -> list[str]:
        """Return every row's record as JSON text."""
        return self._whole("record")

    def take(self, column: str, rows: RowNumbers) -> list[str]:
        """Return a column (`id`, or `record` as JSON text) of these rows, in their order."""
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        found = np.empty(len(rows), object)
        for number in np.unique(owners):
            own = owners == number
            local = rows[own] - self._starts[number]
            found[own] = self._column(int(number), column).gather(local).to_numpy()
        return list(found)

    def records(self, rows: RowNumbers) -> list[Record]:
        """Return the records of these rows, in their order."""
        return [self.parsed(text) for text in self.take("record", rows)]

    def parsed(self, text: str) -> Record:
        """A record out of its JSON text; raises OeaError where that is damaged."""
        try:
            record = orjson.loads(text)
        except orjson.JSONDecodeError:
            record = None
        if not isinstance(record, dict):
            folder = self._paths[0].parent
            raise OeaError(f"{folder}: a record is damaged ({text!r:.60}); build the index again")
        return record

    def _whole(self, name: str) -> list[str]:
        columns = (self._column(number, name) for number in range(len(self._parts)))
        return [value for column in columns for value in column.to_list()]

    def _column(self, number: int, name: str) -> pl.Series:
        self._parts[number].seek(0)
        with parquet_errors(self._paths[number]):
            return pl.read_parquet(cast(Any, self._parts[number]), columns=[name])[name]


def _mapped(path: Path, size: int) -> mmap.mmap:
    """A part of so many rows, mapped."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise OeaError(f"{path}: damaged (an empty file); build the index again")
        part = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if (found := check_structure(BytesSource(part), str(path))) != size:
        raise OeaError(f"{path}: damaged ({found} records, not {size}); build the index again")
    return part
