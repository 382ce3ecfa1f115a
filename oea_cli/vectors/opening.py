"""What is ranked: rows of vectors, block by block, and the clips that they stand for."""

import os
import sys
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import orjson

from oea_cli.errors import OeaError
from oea_cli.records.addresses import open_bytes
from oea_cli.records.lines import UTF8_BOM, read_json_lines, rejoin
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import RowNumbers, Vectors, are_surely_unit, unit_rows
from oea_cli.vectors.batch import Batch, EmbeddingReader
from oea_cli.vectors.files.formats import read_embeddings
from oea_cli.vectors.files.matrix import open_matrix, read_matrix, sidecars
from oea_cli.vectors.files.names import is_vector_file
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.scan.candidates import BLOCK_ROWS, Corpus


class ArrayRows:
    """Rows in memory, in the parts they came in: joining them would need twice the memory."""

    def __init__(self, parts: Sequence[Vectors], dim: int) -> None:
        self.dim = dim
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])
        self.count = int(self._starts[-1])

    def take(self, rows: RowNumbers) -> Vectors:
        owners = np.searchsorted(self._starts, rows, "right") - 1
        found = np.empty((len(rows), self.dim), np.float32)
        for owner in np.unique(owners):
            own = owners == owner
            found[own] = self._parts[owner][rows[own] - self._starts[owner]]
        return found

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        for first, part in zip(self._starts.tolist(), self._parts, strict=False):
            for start in range(0, len(part), BLOCK_ROWS):
                yield first + start, part[start : start + BLOCK_ROWS]


class FileRows:
    """Rows of an .npy file, read block by block: memory stays small, whatever the file's
    size, which a mapped file's does not."""

    def __init__(self, path: Path, ids: Sequence[str]) -> None:
        self._path, self._ids = path, ids
        matrix = open_matrix(path)
        self.count, self.dim = matrix.shape
        self._dtype = matrix.dtype
        if not matrix.flags.c_contiguous:
            raise OeaError(f"{path}: the matrix lies column by column; save it in C order")
        self._offset = path.stat().st_size - matrix.nbytes

    def take(self, rows: RowNumbers) -> Vectors:
        size = self.dim * self._dtype.itemsize
        with self._path.open("rb", buffering=0) as file:
            number = file.fileno()
            places = (self._offset + rows * size).tolist()
            content = b"".join(os.pread(number, size, place) for place in places)
        return self._checked(np.frombuffer(content, self._dtype).reshape(-1, self.dim), rows)

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        with self._path.open("rb", buffering=0) as file:
            file.seek(self._offset)
            for start in range(0, self.count, BLOCK_ROWS):
                rows = min(BLOCK_ROWS, self.count - start)
                part = np.empty((rows, self.dim), self._dtype)
                self._fill(file, part)
                yield start, self._checked(part, np.arange(start, start + len(part)))

    def _fill(self, file: FileIO, part: npt.NDArray[Any]) -> None:
        view = memoryview(part.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
        while view:
            count = file.readinto(view)
            if not count:
                raise OeaError(f"{self._path}: ends before its vectors do")
            view = view[count:]

    def _checked(self, rows: npt.NDArray[Any], numbers: RowNumbers) -> Vectors:
        if rows.dtype == np.float32 and are_surely_unit(rows):
            return rows
        records = [{"id": self._ids[number]} for number in numbers.tolist()]
        return unit_rows(rows, records, str(self._path))


class IndexRows:
    """The live rows of an index."""

    def __init__(self, index: VectorIndex) -> None:
        self.dim = index.dim
        self._index = index
        self._live = np.flatnonzero(index.live)
        self.count = len(self._live)

    def take(self, rows: RowNumbers) -> Vectors:
        return self._index.vectors(self._live[rows])

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        for start in range(0, len(self._live), BLOCK_ROWS):
            yield start, self._index.vectors(self._live[start : start + BLOCK_ROWS])


def read_corpus(source: str) -> Corpus:
    """Open vectors in any format for ranking; an .npy file stays on disk.

    Raises OeaError for vectors that hold NaN or are all zeros, naming the first one, where they
    are read.
    """
    path = Path(source)
    if path.suffix.lower() == ".npy" and path.is_file():
        ids, clips, encoder = _matrix_records(path)
        return Corpus(FileRows(path, ids), ids, source, encoder, clips)
    reader = read_embeddings(source)
    ids, clips, parts = [], [], []
    for batch in reader:
        parts.append(batch.vectors)
        ids += [record["id"] for record in batch.records]
        clips += map(_clip_of_record, batch.records)
    return Corpus(ArrayRows(parts, reader.dim), ids, source, reader.encoder, clips)


def _matrix_records(path: Path) -> tuple[list[str], list[str], str | None]:
    reader = read_matrix(path, BLOCK_ROWS)  # checks X.meta.json, reads no vector yet
    count = len(open_matrix(path))
    lines, meta = sidecars(path)
    if not meta.exists():
        ids = list(map(str, range(count)))
        return ids, ids, reader.encoder
    with open_bytes(lines) as stream:
        records = [
            (str(record.get("id", row)), record)
            for row, (_, record) in enumerate(read_json_lines(stream, str(lines)))
        ]
    if len(records) != count:
        raise OeaError(f"{path}: {count} vectors, {len(records)} records")
    ids = [id_ for id_, _ in records]
    return ids, [str(record.get("clip") or id_) for id_, record in records], reader.encoder


def _clip_of_record(record: Record) -> str:
    return str(record.get("clip") or record["id"])


def index_corpus(index: VectorIndex) -> Corpus:
    """The clips of an index; those that lie as several windows count as one each."""
    ids = index.record_files.ids()
    live = np.flatnonzero(index.live).tolist()
    return Corpus(IndexRows(index), [ids[row] for row in live], str(index.folder), index.encoder)


NPY_MAGIC = b"\x93NUMPY"


def same_encoder(one: str | None, other: str | None) -> bool:
    """True where two ids "NAME:FINGERPRINT" have one fingerprint, or one of them names none."""
    return None in (one, other) or str(one).rpartition(":")[2] == str(other).rpartition(":")[2]


def sniff(source: str) -> tuple[bytes, BinaryIO | None]:
    """Read a source's first line; for stdin ("-") also return the stream, whole again."""
    if source == "-":
        return rejoin(sys.stdin.buffer)
    if Path(source).is_dir() or is_vector_file(source):
        return NPY_MAGIC, None
    return _first_line(source), None


def _first_line(source: str) -> bytes:
    """Read the first line of a text file that is not blank."""
    with open_bytes(source) as stream:
        line = next((line for line in stream if not line.isspace()), b"")
    return line.removeprefix(UTF8_BOM)


def holds_vectors(source: str, first_line: bytes) -> bool:
    """Return whether a query file holds vectors and not records, by its name and first line."""
    if source.lower().endswith(".parquet"):
        import polars as pl

        return "embedding" in pl.read_parquet_schema(source)
    if first_line.startswith(NPY_MAGIC):
        return True
    try:
        row = orjson.loads(first_line)
    except orjson.JSONDecodeError:
        return False  # and whoever reads it says what is wrong with it
    return isinstance(row, dict) and "embedding" in row


def read_sources(sources: Sequence[str]) -> EmbeddingReader:
    """Open sources of vectors one after the other as a single reader.

    Encoder and dimension are those of the first source that holds a vector; raises OeaError, naming
    both, where a later one differs.
    """
    readers = ((source, read_embeddings(source)) for source in sources)
    for source, reader in readers:
        if reader.dim:
            batches = _chain(source, reader, readers)
            return EmbeddingReader(batches, reader.encoder, reader.dim, reader.metadata)
    return EmbeddingReader(iter(()), encoder=None, dim=0)


def _chain(
    source: str, first: EmbeddingReader, others: Iterator[tuple[str, EmbeddingReader]]
) -> Iterator[Batch]:
    yield from first
    for name, other in others:
        if other.dim and other.encoder != first.encoder:
            raise OeaError(
                f"{name}: vectors of {other.encoder or 'no named encoder'}, "
                f"those of {source} are of {first.encoder or 'no named encoder'}"
            )
        if other.dim not in (0, first.dim):
            raise OeaError(f"{name}: {other.dim} dimensions, {source} has {first.dim}")
        yield from other
