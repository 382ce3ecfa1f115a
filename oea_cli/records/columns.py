"""Records as typed columns (Parquet, polars) and back, without losing a value.

A key whose values are all text, all whole numbers, all numbers, all booleans, or all flat lists of
one of these becomes a column of that type. Everything else (objects, mixed types) becomes a text
column that holds JSON. An absent key is null; the keys that are null in some rows are listed
in the description, which is stored as JSON beside the columns: {"json": [...], "null": [...],
"unnamed": ...}; the last names the column of the key "", which polars cannot select.
Records read back equal those written; only a whole number among fractions becomes 1.0.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from oea_cli.errors import OeaError
from oea_cli.records.byte_columns import BYTE_TYPES, byte_columns, with_stray_bytes, with_texts
from oea_cli.records.json_lines import JsonRecords
from oea_cli.records.parquet_files import (
    PARQUET_KEY,
    all_frames,
    checked_source,
    own_metadata,
    parquet_errors,
)

Record = dict[str, Any]
EXACT_IN_FLOAT64 = 2**53
SCALARS: dict[str, type[pl.DataType]] = {
    "null": pl.String,
    "json": pl.String,
    "bool": pl.Boolean,
    "int": pl.Int64,
    "bigint": pl.Int64,
    "float": pl.Float64,
    "str": pl.String,
}
DIGITS_OF_INT64 = 18


@dataclass
class ColumnPlan:
    """The column type of each key of many records; `description` is needed to read them back."""

    dtypes: dict[str, pl.DataType | type[pl.DataType]] = field(default_factory=dict)
    json: list[str] = field(default_factory=list)
    null: list[str] = field(default_factory=list)
    unnamed: str = "unnamed"

    @property
    def description(self) -> dict[str, Any]:
        """JSON columns, columns whose nulls were in the records, and the column of the key ""."""
        return {"json": self.json, "null": self.null, "unnamed": self.unnamed}

    def frame(self, records: Sequence[Record]) -> pl.DataFrame:
        """Return the records as columns."""
        return pl.DataFrame([self._column(name, records) for name in self.dtypes])

    def _column(self, name: str, records: Sequence[Record]) -> pl.Series:
        key = "" if name == self.unnamed else name
        if name in self.json:
            values = [_dumps(row[key]) if key in row else None for row in records]
        else:
            values = [row.get(key) for row in records]
        return pl.Series(name, values, dtype=self.dtypes[name], strict=False)


def frame(rows: Iterable[Record] | Iterable[Sequence[Record]]) -> pl.DataFrame:
    """Records or hits as a polars frame, a column for each key; lists of them follow each other.

    What no type holds (objects, mixed values) becomes text that is JSON. A key that a row does not
    have is null.
    """
    flat = [row for item in rows for row in ([item] if isinstance(item, dict) else item)]
    known = [{key: value for key, value in row.items() if value is not None} for row in flat]
    return plan_columns(known).frame(known)


def rows_of(table: pl.DataFrame) -> Iterator[Record]:
    """The rows of anyone's frame as records: a key whose value is null is left out."""
    for row in table.iter_rows(named=True):
        yield {key: value for key, value in row.items() if value is not None}


def plan_columns(records: Iterable[Record]) -> ColumnPlan:
    """Decide each key's column type, in one pass over all records."""
    kinds: dict[str, str] = {}
    present: dict[str, int] = {}
    nulls: set[str] = set()
    total = 0
    for record in records:
        total += 1
        for key, value in record.items():
            present[key] = present.get(key, 0) + 1
            kinds[key] = _merged(kinds.get(key, "null"), _kind(value))
            if value is None:
                nulls.add(key)
    plan = ColumnPlan()
    while plan.unnamed in kinds:
        plan.unnamed += "_"
    for key, kind in kinds.items():
        name = key or plan.unnamed
        if key in nulls and present[key] < total:
            # Null and absent in one column: only JSON keeps the two apart.
            kind = "json"
        plan.dtypes[name] = _dtype(kind)
        if kind == "json":
            plan.json.append(name)
        elif key in nulls:
            plan.null.append(name)
    return plan


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            if abs(value) <= EXACT_IN_FLOAT64:
                return "int"
            return "bigint" if -(2**63) <= value < 2**63 else "json"
        case float():
            return "float"
        case str():
            return "str"
        case list():
            return _list_kind(value)
    return "json"


def _list_kind(values: list[Any]) -> str:
    inner = "null"
    for value in values:
        kind = _kind(value)
        if kind == "null" or kind == "json" or kind.startswith("list "):
            return "json"
        inner = _merged(inner, kind)
    return "json" if inner == "json" else f"list {inner}"


def _merged(first: str, second: str) -> str:
    if first == second or second == "null":
        return first
    if first == "null":
        return second
    if first.startswith("list ") and second.startswith("list "):
        inner = _merged(first[5:], second[5:])
        return "json" if inner == "json" else f"list {inner}"
    for wider, narrower in (("float", "int"), ("bigint", "int")):
        if {first, second} == {wider, narrower}:
            return wider
    return "json"


def _dtype(kind: str) -> pl.DataType | type[pl.DataType]:
    return pl.List(SCALARS[kind[5:]]) if kind.startswith("list ") else SCALARS[kind]


def _dumps(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise OeaError(f"{value!r:.80} cannot be written as JSON: {error}") from error


def records_of(frame: pl.DataFrame, description: dict[str, Any]) -> list[Record]:
    """Return the rows as records, nulls of absent keys left out, JSON columns decoded."""
    as_json = [key for key in description.get("json", []) if key in frame.columns]
    keep = set(description.get("null", []))
    unnamed = description.get("unnamed")
    rows = frame.to_dicts()
    stray = [key for key, dtype in frame.schema.items() if dtype in BYTE_TYPES]
    droppable = [k for k in frame.columns if k not in keep and frame[k].null_count()]
    for row in rows:
        for key in droppable:
            if row[key] is None:
                del row[key]
        for key in as_json:
            if key in row:
                row[key] = orjson.loads(row[key])
        for key in stray:
            if key in row:
                row[key] = with_stray_bytes(row[key])
        if unnamed in row:
            row[""] = row.pop(unnamed)
    return rows


def json_records_of(frame: pl.DataFrame, description: dict[str, Any]) -> JsonRecords | None:
    """The rows as JSON text, byte for byte what their records would be written as.

    Ten times as fast as making and writing dictionaries. None where a value needs
    conversion (an absent key, a JSON column, a number that is not finite) or a row has no id.
    """
    if description.get("json") or description.get("unnamed") in frame.columns:
        return None
    if "id" not in frame.columns or frame["id"].dtype != pl.String or frame["id"].has_nulls():
        return None
    keep = description.get("null", [])
    if not all(_is_plain(column, column.name in keep) for column in frame):
        return None
    texts = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return JsonRecords(frame["id"].to_list(), texts.to_list())


def _is_plain(column: pl.Series, may_be_null: bool) -> bool:
    """True where polars writes the column's values into JSON as a dictionary would be."""
    dtype = column.dtype
    if column.has_nulls() and not may_be_null:
        return False
    if isinstance(dtype, pl.List):
        return dtype.inner in (pl.String, pl.Boolean, pl.Int64)
    if dtype == pl.Float64:
        return bool(column.is_finite().all())
    return dtype in (pl.String, pl.Boolean, pl.Int64)


@dataclass
class ParquetTable:
    """An opened Parquet file: its frames, some thousand rows each, its schema and metadata.

    `metadata` is what oea wrote, `key_values` are all that the file holds.
    """

    frames: Iterator[pl.DataFrame]
    schema: pl.Schema
    metadata: dict[str, Any]
    key_values: dict[str, str]

    @property
    def description(self) -> dict[str, Any]:
        """How records are stored in the columns; empty for files that oea did not write."""
        columns: dict[str, Any] = self.metadata.get("columns", {})
        return columns


def open_parquet(
    source: str | Path, *, leave_out: Sequence[str] = (), batch_rows: int = 4096
) -> ParquetTable:
    """Open a Parquet file or address and look at its first values; raises OeaError for any other
    file.

    Columns that JSON cannot hold are converted: decimals into numbers, spans of time into seconds,
    a struct of bytes and a path (as in Hugging Face's audio columns) into the path, bytes that are
    UTF-8 into text; other bytes are left out. Whole numbers beyond 64 bits become their digits.
    """
    name = str(source)
    opened, rows = checked_source(name, leave_out)
    with parquet_errors(name):
        lazy = pl.scan_parquet(opened, glob=False)
        schema = lazy.collect_schema()
        keys = pl.read_parquet_metadata(opened)
        plain = lazy.select(
            column
            for key, dtype in schema.items()
            if key not in leave_out
            for column in _plain(key, dtype)
        )
        texts, others = byte_columns(plain)
        whole = plain.drop(others)
        is_empty = not whole.collect_schema()
    metadata = own_metadata(keys.get(PARQUET_KEY), name)
    frames = all_frames(whole, name, batch_rows, 0 if is_empty else rows)
    return ParquetTable(with_texts(frames, texts), schema, metadata, keys)


def _plain(key: str, dtype: pl.DataType) -> list[pl.Expr]:
    column = pl.col(key)
    if isinstance(dtype, pl.Struct):
        fields = {part.name: part.dtype for part in dtype.fields}
        if fields.get("bytes") == pl.Binary:
            return [column.struct.field("path").alias(key)] if "path" in fields else []
    if isinstance(dtype, pl.Decimal):
        if dtype.scale:
            return [column.cast(pl.Float64)]
        return [column.cast(pl.String if dtype.precision > DIGITS_OF_INT64 else pl.Int64)]
    if dtype in (pl.Int128, pl.UInt128):
        return [column.cast(pl.String)]
    return [column.dt.total_microseconds() / 1e6] if dtype == pl.Duration else [column]


def read_parquet(source: str | Path, *, leave_out: Sequence[str] = ()) -> Iterator[list[Record]]:
    """Yield the records of a Parquet file, some thousand at a time."""
    table = open_parquet(source, leave_out=leave_out)
    for frame in table.frames:
        yield records_of(frame, table.description)
