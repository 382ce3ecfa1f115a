"""Vectors as X.parquet: the records' columns, an `embedding` column, and what made them.

The file's key-value "oea" is JSON: encoder, dim, count, storage, metadata, and how the records are
stored in the columns (see `records/columns.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
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
from oea_cli.records.parquet_files import PARQUET_KEY
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import unit_rows
from oea_cli.vectors.batch import Batch, EmbeddingReader, empty_reader, numbered
from oea_cli.vectors.files.matrix import MatrixFile, open_matrix
from oea_cli.vectors.files.writer import STORAGE_TYPES, Origin, check_description

COLUMN = "embedding"
ROWS_PER_GROUP = 8192


def read_parquet_vectors(path: str | Path, batch_rows: int) -> EmbeddingReader:
    """Open a Parquet file with an `embedding` column of lists of floats, ours or anyone's.

    Raises OeaError when there is no such column. Records without an `id` get their row number.
    """
    table = open_parquet(path, batch_rows=batch_rows)
    if COLUMN not in table.schema:
        raise OeaError(f"{path}: no column 'embedding'; is this the output of `oea embed`?")
    if table.metadata:
        check_description(table.metadata, path)
    first = next(table.frames, None)
    if first is None or first.is_empty():
        return empty_reader(table.metadata.get("encoder"))
    encoder = table.metadata.get("encoder", _encoder_of(first))
    dim = _matrix_of(first[COLUMN], str(path)).shape[1]
    batches = _batches(first, table, encoder, dim, str(path))
    return EmbeddingReader(batches, encoder, dim, table.metadata.get("metadata", {}))


def _encoder_of(frame: pl.DataFrame) -> str | None:
    # A file that oea did not write may have the pipe's keys as columns.
    encoder: str | None = frame["encoder"][0] if "encoder" in frame.columns else None
    return encoder


def _batches(
    first: pl.DataFrame, table: ParquetTable, encoder: str | None, dim: int, where: str
) -> Iterator[Batch]:
    row = 0
    frame: pl.DataFrame | None = first
    while frame is not None:
        vectors = _matrix_of(frame[COLUMN], where)
        if vectors.shape[1] != dim:
            raise OeaError(
                f"{where}: {vectors.shape[1]} dimensions after row {row}, but {dim} before"
            )
        if "encoder" in frame.columns and (frame["encoder"].ne_missing(encoder)).any():
            raise OeaError(
                f"{where}: vectors of several encoders; embed them all with the same encoder"
            )
        records = _records_of(frame.drop(COLUMN, "encoder", strict=False), table, row, len(vectors))
        yield Batch(records, unit_rows(vectors, records, where))
        row += len(vectors)
        frame = next(table.frames, None)


def _records_of(
    frame: pl.DataFrame, table: ParquetTable, first_row: int, count: int
) -> Sequence[Record]:
    texts = json_records_of(frame, table.description)
    if texts is not None:
        return texts
    records = records_of(frame, table.description) or [{} for _ in range(count)]
    numbered(records, first_row)
    return records


def _matrix_of(column: pl.Series, where: str) -> npt.NDArray[Any]:
    dtype = column.dtype
    if isinstance(dtype, pl.List) and dtype.inner.is_float() and not column.has_nulls():
        lengths = sorted(column.list.len().unique().to_list())
        if lengths[0] != lengths[-1]:
            raise OeaError(f"{where}: vectors of {lengths[0]} and {lengths[-1]} dimensions")
        column = column.list.to_array(lengths[0])
        dtype = column.dtype
    if not (isinstance(dtype, pl.Array) and dtype.inner.is_float()) or column.has_nulls():
        raise OeaError(
            f"{where}: column 'embedding' must be lists of floats, without nulls; got {dtype}"
        )
    return column.to_numpy()


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
            empty.write_parquet(self._atomic.temporary, metadata=metadata)
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
        self._matrix.close()
        self._lines.close()
        for file in (self._atomic, self._vectors, self._records):
            file.discard()
