"""The records of an index: Parquet files of the column `record`, the record as JSON, and of a typed
column for each of its keys.

What is read back is the JSON text: it keeps every key exactly, as columns could not (a key that is
a number in one clip and a list in the next, absent keys and null ones). The columns answer
`--where`, and whoever opens the files elsewhere. Older files have `id` and `record` only.
"""

import mmap
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from oea_cli.records.arrow_schema import plain_types
from oea_cli.records.json_columns import json_columns
from oea_cli.records.parquet_files import PARQUET_KEY, own_metadata
from oea_cli.vectors.arrays import RowNumbers

PART_ROWS = 1 << 18
TEXT = "record"

Record = dict[str, Any]


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
                return str(pl.read_parquet(self.folder / name, columns=[TEXT])[TEXT][row])
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
        self._last = self._worker.submit(_write, self.folder / name, self._ids, self._texts)
        self._ids, self._texts = [], []

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()


def _write(path: Path, ids: list[str], texts: list[str]) -> None:
    columns = json_columns(texts, taken=TEXT)
    frame = columns.frame.with_columns(pl.Series("id", ids), pl.Series(TEXT, texts))
    description = orjson.dumps({"columns": columns.description}).decode()
    metadata = {PARQUET_KEY: description, **plain_types(frame.schema)}
    with path.open("xb") as file:
        frame.write_parquet(file, compression="lz4", statistics=False, metadata=metadata)
        file.flush()
        os.fsync(file.fileno())


class RecordPart:
    """One file of records, mapped into memory: so it stays readable after a writer's clean-up."""

    def __init__(self, path: Path, num_rows: int) -> None:
        self._path, self._num_rows = path, num_rows
        with path.open("rb") as file:
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def column(self, name: str) -> pl.Series:
        """A column of the file."""
        return pl.read_parquet(self._opened, columns=[name])[name]

    @cached_property
    def keys(self) -> dict[str, str | None]:
        """The keys of the records, each with its column; None where only the text holds it."""
        if self._description is None:
            return dict.fromkeys(key for text in self.column(TEXT) for key in orjson.loads(text))
        renamed = self._description["renamed"]
        names = [name for name in pl.read_parquet_schema(self._opened) if name != TEXT]
        columns = {renamed.get(name, name): name for name in names}
        return {**columns, **dict.fromkeys(self._description["others"])}

    def values(self, key: str) -> pl.Series | list[Any]:
        """The values of a key, None for records without it."""
        if key not in self.keys:
            return pl.repeat(None, self._num_rows, dtype=pl.String, eager=True)
        name = self.keys[key]
        if name is None or self._description is None:
            return [orjson.loads(text).get(key) for text in self.column(TEXT)]
        values = self.column(name)
        if name not in self._description["json"]:
            return values
        return [None if text is None else orjson.loads(text) for text in values]

    @cached_property
    def _description(self) -> dict[str, Any] | None:
        text = pl.read_parquet_metadata(self._opened).get(PARQUET_KEY)
        return None if text is None else own_metadata(text, str(self._path))["columns"]

    @property
    def _opened(self) -> Any:
        self._file.seek(0)
        return self._file


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

    def ids(self) -> list[str]:
        """Return the id of every row, those of deleted rows included."""
        return self._whole("id")

    def texts(self) -> list[str]:
        """Return every row's record as JSON text."""
        return self._whole(TEXT)

    def take(self, column: str, rows: RowNumbers) -> list[str]:
        """Return a column (`id`, or `record` as JSON text) of these rows, in their order."""
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        found = np.empty(len(rows), object)
        for number in np.unique(owners):
            own = owners == number
            local = rows[own] - self._starts[number]
            found[own] = self._parts[number].column(column).gather(local).to_numpy()
        return list(found)

    def records(self, rows: RowNumbers) -> list[Record]:
        """Return the records of these rows, in their order."""
        return [orjson.loads(text) for text in self.take(TEXT, rows)]

    def _whole(self, name: str) -> list[str]:
        return [value for part in self._parts for value in part.column(name).to_list()]
