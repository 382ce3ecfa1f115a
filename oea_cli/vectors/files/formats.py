"""Reading and writing each format."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from oea_cli.errors import UsageError, missing
from oea_cli.records.pipes import stdin_bytes, stdout_bytes
from oea_cli.vectors.batch import VECTOR_COLUMN, EmbeddingReader, Reading
from oea_cli.vectors.files.lines import LineFileSink, LineSink, read_lines
from oea_cli.vectors.files.matrix import MatrixSink, read_matrix, read_matrix_stream
from oea_cli.vectors.files.names import Format, format_of, suffix_format
from oea_cli.vectors.files.parquet import ParquetSink, read_parquet_vectors
from oea_cli.vectors.files.parts import WHOLE, Notice, Part
from oea_cli.vectors.files.shards import Kind, ShardSink, read_shards
from oea_cli.vectors.files.writer import EmbeddingWriter, Encoding, Origin, Sink, Storage
from oea_cli.vectors.npy import MAGIC

READERS: dict[Format, Callable[[Path, Reading], EmbeddingReader]] = {
    "npy": read_matrix,
    "parquet": read_parquet_vectors,
}
SINKS: dict[Format, Callable[[Path, Origin], Sink]] = {
    "npy": MatrixSink,
    "parquet": ParquetSink,
}
"""The files of one reader and one writer each; JSONL is a stream too, and shards are a folder."""
GZIP_MAGIC = b"\x1f\x8b"


def read_embeddings(
    source: str | Path | BinaryIO,
    *,
    batch_rows: int = 4096,
    column: str = VECTOR_COLUMN,
    first_row: int = 0,
) -> EmbeddingReader:
    """Open vectors with their records, in any of the formats, for one pass in bounded memory.

    `column` is where JSONL and Parquet have the vectors; rows without ids are numbered from
    `first_row`. A stream ("-" is stdin) is JSONL, or a bare .npy seen by its first bytes. Raises
    OeaError for incomplete files, vectors of several encoders, and vectors without a direction.
    """
    reading = Reading(batch_rows, column, first_row)
    if not isinstance(source, str | Path):
        return read_stream(source, "stdin", reading)
    if str(source) == "-":
        return read_stream(stdin_bytes(), "stdin", reading)
    path = Path(source)
    if path.is_dir():
        return read_shards(path, batch_rows)
    if not path.exists():
        raise missing(path)
    form = suffix_format(path)
    if form is not None and form in READERS:
        return READERS[form](path, reading)
    stream = path.open("rb")
    try:
        return read_stream(stream, str(path), reading).owning(stream)
    except BaseException:
        stream.close()
        raise


def read_stream(stream: BinaryIO, name: str, reading: Reading) -> EmbeddingReader:
    """Open a stream that need not be seekable: JSONL, perhaps gzipped, or a bare .npy."""
    buffered = stream if hasattr(stream, "peek") else io.BufferedReader(cast(Any, stream))
    start = cast(Any, buffered).peek(len(MAGIC))[: len(MAGIC)]
    if start == MAGIC:
        return read_matrix_stream(buffered, name, reading.batch_rows)
    if start.startswith(GZIP_MAGIC):
        return read_stream(cast(BinaryIO, gzip.open(buffered)), name, reading)
    return read_lines(buffered, name, reading)


def _ignore(text: str) -> None:
    pass


def open_writer(
    output: str,
    *,
    encoder: str | None,
    metadata: dict[str, Any] | None = None,
    file_format: Format | None = None,
    storage: Storage = "f32",
    encoding: Encoding = "json",
    kind: Kind = "audio",
    shard_rows: int = 10_000,
    resume: bool = True,
    part: Part = WHOLE,
    notice: Notice = _ignore,
) -> EmbeddingWriter:
    """Open the output for vectors of `encoder` ("NAME:FINGERPRINT"); its name decides the format.

    "-" is JSONL on stdout; X.jsonl and the like are files; X/ or a folder that exists takes
    shards of `kind`, and with `resume` continues where an earlier run of the same encoder stopped:
    see `is_done(record)` for each clip. Several jobs may each write a `part` of such a folder.
    Raises UsageError for any other name, OeaError where it cannot be written.
    """
    origin = Origin(encoder, storage, metadata or {})
    form = format_of(output, file_format)
    path = Path(output)
    if output == "-":
        if form != "jsonl":
            raise UsageError(f"stdout takes only JSONL; write {form} to a file with -o")
        return EmbeddingWriter(LineSink(stdout_bytes(), origin, encoding), "stdout")
    if form == "shards":
        shards = ShardSink(path, origin, kind, shard_rows, resume, part, notice)
        return EmbeddingWriter(shards, output, shards.is_done)
    if form == "jsonl":
        return EmbeddingWriter(LineFileSink(path, origin, encoding), output)
    return EmbeddingWriter(SINKS[form](path, origin), output)
