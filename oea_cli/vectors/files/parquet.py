"""Vectors as X.parquet: the records' columns, an `embedding` column, and what made them.

The file's key-value "oea" is JSON: encoder, dim, count, storage, metadata, and how the records are
stored in the columns (see `records/columns.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from oea_cli.errors import OeaError
from oea_cli.records.arrow_schema import plain_types
from oea_cli.records.artefacts import AtomicFile
from oea_cli.records.columns import (
    ColumnPlan,
    ParquetTable,
    json_records_of,
    open_parquet,
    plan_columns,
    records_of,
)
from oea_cli.records.json_lines import json_line
from oea_cli.records.lines import read_json_lines
from oea_cli.records.parquet_files import PARQUET_KEY, write_parquet, writing_parquet
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import unit_rows
from oea_cli.vectors.batch import (
    VECTOR_COLUMN as COLUMN,
)
from oea_cli.vectors.batch import (
    Batch,
    EmbeddingReader,
    Reading,
    column_in,
    empty_reader,
    no_vector,
    numbered,
)
from oea_cli.vectors.files.matrix import MatrixFile, open_matrix
from oea_cli.vectors.files.writer import STORAGE_TYPES, Origin, check_description

ROWS_PER_GROUP = 8192


def read_parquet_vectors(path: str | Path, reading: Reading) -> EmbeddingReader:
    """Open a Parquet file with a column of lists of numbers, ours or anyone's.

    Raises OeaError when there is no such column. Records without an `id` get their row number.
    """
    table = open_parquet(path, batch_rows=reading.batch_rows)
    column = COLUMN if table.metadata else column_in(table.schema, reading.column)
    if column not in table.schema:
        raise no_vector(path, f"column {reading.column!r}", list(table.schema))
    if table.metadata:
        check_description(table.metadata, path)
    first = next(table.frames, None)
    encoder = _encoder_of(table, first)
    if first is None or first.is_empty():
        return empty_reader(encoder)
    dim = _matrix_of(first[column], str(path), 0).shape[1]
    batches = _batches(first, table, encoder, dim, str(path), column, reading.first_row)
    return EmbeddingReader(batches, encoder, dim, table.metadata.get("metadata", {}))


def _encoder_of(table: ParquetTable, first: pl.DataFrame | None) -> str | None:
    """What made the vectors, by our own description or, in anyone's file, a key-value `encoder` or
    a column of that name, as on a pipe."""
    if "encoder" in table.metadata:
        own: str | None = table.metadata["encoder"]
        return own
    if "encoder" in table.key_values:
        return table.key_values["encoder"]
    if first is None or "encoder" not in first.columns or first.is_empty():
        return None
    named: str | None = first["encoder"].cast(pl.String)[0]
    return named


def _batches(
    first: pl.DataFrame,
    table: ParquetTable,
    encoder: str | None,
    dim: int,
    where: str,
    column: str,
    first_row: int,
) -> Iterator[Batch]:
    row = 0
    frame: pl.DataFrame | None = first
    while frame is not None:
        vectors = _matrix_of(frame[column], where, row)
        if vectors.shape[1] != dim:
            raise _ragged(where, row, vectors.shape[1], dim)
        if "encoder" in frame.columns and (frame["encoder"].ne_missing(encoder)).any():
            raise OeaError(
                f"{where}: vectors of several encoders; embed them all with the same encoder"
            )
        others = frame.drop(column, "encoder", strict=False)
        records = _records_of(others, table, first_row + row, len(vectors), where)
        yield Batch(records, unit_rows(vectors, records, where))
        row += len(vectors)
        frame = next(table.frames, None)


def _records_of(
    frame: pl.DataFrame, table: ParquetTable, first_row: int, count: int, where: str
) -> Sequence[Record]:
    texts = json_records_of(frame, table.description)
    if texts is not None:
        return texts
    records = records_of(frame, table.description) or [{} for _ in range(count)]
    numbered(records, first_row, where)
    return records


def _matrix_of(column: pl.Series, where: str, first_row: int) -> npt.NDArray[Any]:
    """The vectors (n, d) of a column; raises OeaError naming the row, counted from 1, of one that
    is none."""
    dtype = column.dtype
    if not (isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric()):
        raise OeaError(f"{where}: column {column.name!r} must be lists of numbers; got {dtype}")
    if column.has_nulls():
        row = first_row + (column.is_null().arg_max() or 0)
        raise OeaError(f"{where}: row {row + 1}: no vector; leave the row out")
    if isinstance(dtype, pl.List):
        lengths = column.list.len()
        others = lengths != lengths[0]
        if others.any() or not lengths[0]:
            place = others.arg_max() or 0
            raise _ragged(where, first_row + place, lengths[place], lengths[0])
        column = column.list.to_array(lengths[0])
    vectors = column.to_numpy()
    return vectors if dtype.inner.is_float() else vectors.astype(np.float32)


def _ragged(where: str, row: int, dim: int, before: int) -> OeaError:
    if not dim or not before:
        empty = row + 1 if not dim else 1
        return OeaError(f"{where}: row {empty}: an empty vector; leave the row out")
    return OeaError(
        f"{where}: row {row + 1}: a vector of {dim} dimension{'s' * (dim != 1)}; "
        f"the rows before have {before}"
    )


def vector_column(vectors: npt.NDArray[Any]) -> pl.Series:
    """Return (n, d) float32 or float16 rows as a column of fixed-size lists."""
    inner = pl.Float16 if vectors.dtype == np.float16 else pl.Float32
    return pl.Series(COLUMN, vectors, dtype=pl.Array(inner, vectors.shape[1]))


def key_values(
    description: dict[str, Any], plan: ColumnPlan, schema: Mapping[str, Any]
) -> dict[str, str]:
    """The Parquet key-values that make records and vectors readable again, here and elsewhere."""
    own = orjson.dumps({**description, "columns": plan.description}).decode()
    return {PARQUET_KEY: own, **plain_types(pl.Schema(schema))}


class ParquetSink:
    """Collects rows in two temporary files and turns them into one Parquet file at the end.

    The type of a column is known only when every record has been read, and the rows may not fit
    into memory: so they are kept on disk and streamed into the file.
    """

    def __init__(self, path: Path, origin: Origin) -> None:
        self._origin = origin
        self._atomic = AtomicFile(path)
        self._vectors = AtomicFile(path.with_name(path.name + ".vectors"))
        self._records = AtomicFile(path.with_name(path.name + ".records"))
        self._matrix = MatrixFile(self._vectors.temporary, STORAGE_TYPES[origin.storage])
        self._lines = self._records.temporary.open("wb")

    def write(self, batch: Batch) -> None:
        """Append the rows to the temporary files."""
        self._matrix.append(batch.vectors)
        self._lines.writelines(map(json_line, batch.records))

    def close(self) -> None:
        """Write the Parquet file in row groups, rename it into place, remove the rest."""
        self._matrix.close()
        self._lines.close()
        plan = plan_columns(self._read_records())
        description = self._origin.description(self._matrix.rows, self._matrix.dim)
        if self._matrix.rows:
            self._sink_frames(plan, description)
        else:
            empty = pl.DataFrame(schema={"id": pl.String, COLUMN: pl.List(pl.Float32)})
            metadata = key_values(description, plan, empty.schema)
            write_parquet(empty, self._atomic.temporary, metadata)
        self._atomic.commit()
        self.abort()

    def _sink_frames(self, plan: ColumnPlan, description: dict[str, Any]) -> None:
        from polars.io.plugins import register_io_source

        vectors = open_matrix(self._vectors.temporary)
        inner = pl.Float16 if vectors.dtype == np.float16 else pl.Float32
        schema = {**plan.dtypes, COLUMN: pl.Array(inner, vectors.shape[1])}

        def frames(*_: Any) -> Iterator[pl.DataFrame]:
            records = self._read_records()
            for start in range(0, len(vectors), ROWS_PER_GROUP):
                part = vectors[start : start + ROWS_PER_GROUP]
                yield plan.frame(list(islice(records, len(part)))).with_columns(vector_column(part))

        # Vectors hardly compress: zstd would take more time than its saving is worth.
        with writing_parquet(self._atomic.path):
            register_io_source(frames, schema=schema).sink_parquet(
                self._atomic.temporary,
                compression="uncompressed",
                row_group_size=ROWS_PER_GROUP,
                maintain_order=True,
                metadata=key_values(description, plan, schema),
            )

    def _read_records(self) -> Iterator[Record]:
        with self._records.temporary.open("rb") as stream:
            for _, record in read_json_lines(stream, str(self._atomic.path)):
                yield record

    def abort(self) -> None:
        """Remove the temporary files."""
        for opened in (self._matrix, self._lines):
            with suppress(OSError):  # of a full disk, which has been said
                opened.close()
        for file in (self._atomic, self._vectors, self._records):
            file.discard()
