"""One file of an index's records: the record as JSON text, and a typed column for each of its keys.

What is read back is the JSON text: it keeps every key exactly, as columns could not (a key that is
a number in one clip and a list in the next, absent keys and null ones). The columns answer
`--where`, and whoever opens the files elsewhere. Older files have `id` and `record` only.
"""

import mmap
import os
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from oea_cli.errors import OeaError
from oea_cli.records.arrow_schema import plain_types
from oea_cli.records.json_columns import json_columns
from oea_cli.records.json_values import parse_json
from oea_cli.records.parquet_files import (
    PARQUET_KEY,
    own_metadata,
    parquet_errors,
    writing_parquet,
)
from oea_cli.records.parquet_structure import BytesSource, check_structure
from oea_cli.records.rows import Record

TEXT = "record"
_LONG = re.compile(r"\d{19}")
"""So many digits may be a whole number that 64 bits cannot hold, which is kept as its digits."""


def write_part(path: Path, ids: Sequence[str], texts: Sequence[str]) -> None:
    """Write a new file of records, given as JSON text with the id of each."""
    columns = json_columns(texts, taken=TEXT)
    frame = columns.frame.with_columns(pl.Series("id", ids), pl.Series(TEXT, texts))
    description = orjson.dumps({"columns": columns.description}).decode()
    metadata = {PARQUET_KEY: description, **plain_types(frame.schema)}
    with path.open("xb") as file:
        with writing_parquet(path):
            frame.write_parquet(file, compression="lz4", statistics=False, metadata=metadata)
        file.flush()
        os.fsync(file.fileno())


class RecordPart:
    """A file of records, mapped into memory: so it stays readable after a writer's clean-up."""

    def __init__(self, path: Path, num_rows: int) -> None:
        """Open a file of so many records; raises OeaError where it is damaged."""
        self._path, self._num_rows = path, num_rows
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise self._damaged("an empty file")
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if (found := check_structure(BytesSource(self._file), str(path))) != num_rows:
            raise self._damaged(f"{found} records, not {num_rows}")

    def column(self, name: str) -> pl.Series:
        """A column of the file."""
        with parquet_errors(self._path):
            return pl.read_parquet(self._opened, columns=[name])[name]

    def record(self, text: str) -> Record:
        """A record out of its JSON text."""
        record = self._json(text)
        if not isinstance(record, dict):
            raise self._damaged(f"the record {text!r:.60}")
        return record

    @cached_property
    def keys(self) -> dict[str, str | None]:
        """The keys of the records, each with its column; None where only the text holds it."""
        if self._columns is None:
            return dict.fromkeys(key for text in self.column(TEXT) for key in self.record(text))
        with parquet_errors(self._path):
            names = [name for name in pl.read_parquet_schema(self._opened) if name != TEXT]
        columns = {self._columns["renamed"].get(name, name): name for name in names}
        return {**columns, **dict.fromkeys(self._columns["others"])}

    def values(self, key: str) -> pl.Series | list[Any]:
        """The values of a key, None for records without it."""
        if key not in self.keys:
            return pl.repeat(None, self._num_rows, dtype=pl.String, eager=True)
        name = self.keys[key]
        if name is None or self._columns is None:
            return [self.record(text).get(key) for text in self.column(TEXT)]
        values = self.column(name)
        if name not in self._columns["json"]:
            return values
        return [None if text is None else self._json(text) for text in values]

    @cached_property
    def _columns(self) -> dict[str, Any] | None:
        """How the keys are stored as columns; None in an older file."""
        with parquet_errors(self._path):
            text = pl.read_parquet_metadata(self._opened).get(PARQUET_KEY)
        if text is None:
            return None
        columns: dict[str, Any] = own_metadata(text, str(self._path)).get("columns", {})
        types = {"renamed": dict, "json": list, "others": list}
        if any(not isinstance(columns.get(key), type_) for key, type_ in types.items()):
            raise self._damaged(f"its key {PARQUET_KEY!r}")
        return columns

    def _json(self, text: str) -> Any:
        try:
            return parse_json(text.encode()) if _LONG.search(text) else orjson.loads(text)
        except (orjson.JSONDecodeError, TypeError, AttributeError) as error:
            raise self._damaged(f"the record {text!r:.60}") from error

    def _damaged(self, what: str) -> OeaError:
        return OeaError(f"{self._path}: damaged ({what}); build the index again")

    @property
    def _opened(self) -> Any:
        self._file.seek(0)
        return self._file
