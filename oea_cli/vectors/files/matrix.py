"""Vectors as X.npy, with the records in X.jsonl and what made them in X.meta.json, written last."""

import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import orjson

from oea_cli.errors import OeaError, missing
from oea_cli.records.artefacts import AtomicFile, write_whole
from oea_cli.records.json_lines import json_line, numbered_records, read_json_records
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import unit_rows
from oea_cli.vectors.batch import Batch, EmbeddingReader, Reading
from oea_cli.vectors.files.writer import FORMAT, STORAGE_TYPES, Origin, check_description
from oea_cli.vectors.npy import LARGEST_DIM, MAGIC, map_array, read_header

MAGIC_BYTES = 6
# The header is written first, with space for any number of rows, and again when they are counted.
HEADER_BYTES = 128
UNFINISHED = "unfinished"
"""The key of an X.meta.json that stands there while the files beside it are replaced."""
PIECE_BYTES = 1 << 24


def sidecars(matrix: Path) -> tuple[Path, Path]:
    """X.jsonl and X.meta.json beside X.npy."""
    return matrix.with_suffix(".jsonl"), matrix.with_suffix(".meta.json")


def read_matrix(path: Path, reading: Reading) -> EmbeddingReader:
    """Open X.npy with its sidecars; or anyone's matrix, perhaps with records of their own in
    X.jsonl, line i for row i, else with the ids "0", "1", ...
    """
    vectors = open_matrix(path)
    lines, meta = sidecars(path)
    if not meta.exists():
        records = (
            _line_records(lines, reading.batch_rows)
            if lines.exists()
            else _bare_records(len(vectors), reading)
        )
        return EmbeddingReader(_paired(vectors, records, str(path)), None, vectors.shape[1])
    description = _read_meta(meta)
    found = (len(vectors), vectors.shape[1])
    if found != (description["count"], description["dim"]):
        raise OeaError(
            f"{path}: holds {found[0]} x {found[1]} values, but {meta.name} names "
            f"{description['count']} x {description['dim']}"
        )
    batches = _paired(vectors, _line_records(lines, reading.batch_rows), str(path))
    return EmbeddingReader(
        batches, description["encoder"], found[1], description.get("metadata", {})
    )


def open_matrix(path: Path) -> npt.NDArray[Any]:
    """Memory-map an .npy file as (n, d) floats; a single vector counts as one row.

    Rows can be changed where memory allows it, without changing the file.
    """
    try:
        vectors = map_array(path, "c")  # copied on write: callers that change rows copy only these
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise OeaError(f"{path}: cannot be read ({error.strerror})") from error
    _check(vectors.dtype, vectors.shape, str(path))
    return vectors[None] if vectors.ndim == 1 else vectors


def _check(dtype: np.dtype[Any], shape: tuple[int, ...], where: str) -> None:
    is_matrix = len(shape) in (1, 2) and shape[-1] <= LARGEST_DIM and (shape[-1] or not shape[0])
    if dtype.kind != "f" or not is_matrix:
        raise OeaError(f"{where}: vectors must be rows of floats; got {dtype} of shape {shape}")


def _read_meta(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise OeaError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise OeaError(f"{path}: not written by oea ({error})") from error
    if isinstance(content, dict) and UNFINISHED in content:
        raise OeaError(f"{path}: `oea embed` did not finish; run it again")
    return check_description(content, path)


def _bare_records(count: int, reading: Reading) -> Iterator[Sequence[Record]]:
    first, last = reading.first_row, reading.first_row + count
    for start in range(first, last, reading.batch_rows):
        yield numbered_records(start, min(start + reading.batch_rows, last))


def _line_records(path: Path, batch_rows: int) -> Iterator[Sequence[Record]]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise OeaError(
            f"{path}: {error.strerror}; it must hold the records of the matrix"
        ) from error
    with stream:
        yield from read_json_records(stream, str(path), batch_rows)


def _paired(
    vectors: npt.NDArray[Any], batches: Iterator[Sequence[Record]], where: str
) -> Iterator[Batch]:
    """Give every batch of records its rows of the matrix."""
    start = 0
    for records in batches:
        part = vectors[start : start + len(records)]
        if len(part) < len(records):
            raise OeaError(f"{where}: more records than the {len(vectors)} vectors")
        yield Batch(records, unit_rows(part, records, where))
        start += len(records)
    if start < len(vectors):
        raise OeaError(f"{where}: {len(vectors)} vectors, but {start} records")


def read_matrix_stream(stream: BinaryIO, name: str, batch_rows: int) -> EmbeddingReader:
    """Read a bare .npy from a pipe, row by row; ids are "0", "1", ..."""
    shape, by_columns, dtype = read_header(stream, name)
    _check(dtype, shape, name)
    if by_columns and len(shape) == 2:
        raise OeaError(f"{name}: the matrix is in Fortran order; a pipe needs C order")
    rows, dim = shape if len(shape) == 2 else (1, shape[0])
    return EmbeddingReader(_streamed(stream, dtype, (rows, dim), batch_rows, name), None, dim)


def _streamed(
    stream: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, int], batch_rows: int, name: str
) -> Iterator[Batch]:
    num_rows, dim = shape
    for start in range(0, num_rows, batch_rows):
        rows = min(batch_rows, num_rows - start)
        content = _read_fully(stream, rows * dim * dtype.itemsize)
        if len(content) != rows * dim * dtype.itemsize:
            raise OeaError(
                f"{name}: ends before its {num_rows} vectors are complete; the writer was cut off"
            )
        records = numbered_records(start, start + rows)
        vectors = np.frombuffer(content, dtype=dtype).reshape(rows, dim)
        yield Batch(records, unit_rows(vectors, records, name))


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    content = io.BytesIO()
    # Piece by piece: the header may promise more than there is, or than fits into memory.
    while part := stream.read(min(size - content.tell(), PIECE_BYTES)):
        content.write(part)
    return content.getvalue()


class MatrixFile:
    """An .npy file that grows by rows; its header is completed at the end."""

    def __init__(self, path: Path, dtype: type[np.floating[Any]]) -> None:
        self.rows = 0
        self.dim = 0
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self._stream = path.open("wb")
        self._stream.write(bytes(HEADER_BYTES))

    def append(self, vectors: npt.NDArray[Any]) -> None:
        """Add (n, d) rows."""
        self.rows += len(vectors)
        self.dim = vectors.shape[1]
        self._stream.write(np.ascontiguousarray(vectors, dtype=self._dtype).data)

    def close(self) -> None:
        """Write the header and close the file."""
        if self._stream.closed:
            return
        with self._stream:
            self._stream.seek(0)
            self._stream.write(_header(self._dtype, (self.rows, self.dim)))


def _header(dtype: np.dtype[Any], shape: tuple[int, int]) -> bytes:
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    room = HEADER_BYTES - MAGIC_BYTES - 4
    return MAGIC + b"\x01\x00" + room.to_bytes(2, "little") + text.ljust(room - 1).encode() + b"\n"


class MatrixSink:
    """Writes X.npy, X.jsonl and, when both are in place, X.meta.json."""

    def __init__(self, path: Path, origin: Origin) -> None:
        lines, meta = sidecars(path)
        _refuse_others(path, lines, meta)
        self._origin = origin
        self._files = [AtomicFile(file) for file in (lines, path, meta)]
        lines_file, matrix_file, self._meta = self._files
        self._matrix = MatrixFile(matrix_file.temporary, STORAGE_TYPES[origin.storage])
        self._lines = lines_file.temporary.open("wb")

    def write(self, batch: Batch) -> None:
        """Append the rows to both files."""
        self._matrix.append(batch.vectors)
        self._lines.writelines(map(json_line, batch.records))

    def close(self) -> None:
        """Rename the files into place, in an order in which no reader takes them for complete."""
        self._matrix.close()
        self._lines.close()
        description = self._origin.description(self._matrix.rows, self._matrix.dim)
        # A full disk shows here, while what was there before is still whole.
        self._meta.temporary.write_bytes(_json(description))
        # After a kill among the renames, this tells a reader and the next run what they have.
        write_whole(self._meta.path, _json({"format": description["format"], UNFINISHED: True}))
        for file in self._files:
            file.commit()

    def abort(self) -> None:
        """Remove what is unfinished."""
        for opened in (self._lines, self._matrix):
            with suppress(OSError):  # of a full disk, which has been said
                opened.close()
        for file in self._files:
            file.discard()


def _json(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n"


def _refuse_others(path: Path, lines: Path, meta: Path) -> None:
    """Raise OeaError where files beside a matrix that is to be written are somebody's own."""
    if meta.exists():
        strange = [] if _is_description(meta) else [meta]
    else:
        strange = [lines] if lines.exists() and not _is_written_pair(path, lines) else []
    for other in strange:
        raise OeaError(
            f"{path}: {other}, which would be written beside it, is there and does not belong to "
            "a matrix; choose another name"
        )


def _is_description(meta: Path) -> bool:
    """Whether this is a matrix's X.meta.json; one without a mark is known by its keys."""
    with suppress(OSError, ValueError, AttributeError):
        content = orjson.loads(meta.read_bytes())
        mark = str(content.get("format", ""))
        return mark.startswith(f"{FORMAT}/") or {"count", "dim"} <= content.keys()
    return False


def _is_written_pair(path: Path, lines: Path) -> bool:
    """Whether a matrix and its records are as `oea embed` writes them, without X.meta.json."""
    if not path.is_file():
        return False
    with lines.open("rb") as stream, suppress(OeaError, ValueError, AttributeError):
        first = stream.readline()
        record = orjson.loads(first)
        is_ours = isinstance(record.get("id"), str) and json_line(record) == first
        return is_ours and 1 + sum(1 for _ in stream) == len(open_matrix(path))
    return False
