"""Opens vectors from any source: a file, a pipe, a folder of shards, an index, or memory; decides
in one place whether a source holds vectors or only records."""

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import hexdigits
from typing import Any, Protocol

import numpy as np
import orjson

from oea_cli.errors import OeaError, UsageError, missing
from oea_cli.records.addresses import is_remote, open_bytes
from oea_cli.records.fields import id_or_number
from oea_cli.records.folders import is_pattern, is_sound
from oea_cli.records.lines import PeekableStream, first_line, read_json_lines
from oea_cli.records.pipes import stdin_bytes
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.batch import VECTOR_COLUMN, Batch, EmbeddingReader, Reading, column_in
from oea_cli.vectors.files.formats import read_embeddings
from oea_cli.vectors.files.matrix import open_matrix, read_matrix, sidecars
from oea_cli.vectors.files.names import is_vector_file, suffix_format
from oea_cli.vectors.files.shards import is_shard_folder
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.index.manifest import is_index
from oea_cli.vectors.npy import MAGIC
from oea_cli.vectors.rows import ArrayRows, FileRows, IndexRows
from oea_cli.vectors.scan.candidates import Corpus

ROWS_PER_BATCH = 4096


class VectorSource(Protocol):
    """Vectors with their records, opened: one pass over the batches, or all of them as candidates.

    `encoder` is "NAME:FINGERPRINT", None where the vectors name no encoder; `dim` is 0 where there
    are no vectors; `metadata` is what else the artefact stores; `is_complete` is False after the
    rows of a stream of ours whose writer did not come to its end.
    """

    @property
    def encoder(self) -> str | None: ...
    @property
    def dim(self) -> int: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...
    @property
    def is_complete(self) -> bool: ...

    def __iter__(self) -> Iterator[Batch]:
        """Batches in bounded memory, once through."""

    def records(self) -> Iterator[Record]:
        """The records alone, once through."""

    def candidates(self) -> Corpus:
        """All rows, as candidates of a ranking."""


IN_MEMORY = "vectors in memory"


class InColumn(str):
    """The name of a source whose vectors stand in a column, or under a key, of another name than
    `embedding`. Verbs hand names on; only here is asked where in the file the vectors are."""

    __slots__ = ("column",)
    column: str

    def __new__(cls, source: str, column: str) -> "InColumn":
        made = super().__new__(cls, source)
        made.column = column
        return made


def _column_of(source: object) -> str:
    return source.column if isinstance(source, InColumn) else VECTOR_COLUMN


def open_vectors(
    source: str | Path | Batch, *more: str | Path | Batch, stdin: PeekableStream | None = None
) -> VectorSource | None:
    """Open vectors from any source; None where the source holds records without vectors.

    A source is a file in any format, a folder of shards or of Parquet files, a pattern, an index,
    "-", or a Batch; `InColumn` says where in it the vectors are. Further ones are read after it, as
    one. Callers that then read records from a pipe give it as `stdin`, which still has its start
    when the result is None. An empty source has no vectors, and dimension 0.

    Raises OeaError for sources that do not exist or are incomplete and, while they are read, for
    vectors of several encoders and vectors without a direction.
    """
    stdin = stdin or stdin_of([source])
    if not isinstance(source, Batch) and not _holds_vectors(source, stdin):
        return None
    return read_vectors(source, *more, stdin=stdin)


def read_vectors(
    source: str | Path | Batch, *more: str | Path | Batch, stdin: PeekableStream | None = None
) -> VectorSource:
    """The same for a source that must hold vectors; raises OeaError where it holds none."""
    if more:
        return _Several([source, *more], stdin)
    if isinstance(source, Batch):
        reader = EmbeddingReader(iter([source]), source.encoder, source.vectors.shape[1])
        return _Read(reader, IN_MEMORY)
    column = _column_of(source)
    if source == "-":
        return _Read(read_embeddings(stdin or "-", column=column), "stdin")
    if parts := _parts_of(source):
        return _Several(parts, None, continue_numbers=True)
    return _read_file(source)


def _read_file(source: str | Path, first_row: int = 0) -> VectorSource:
    path = Path(source)
    if is_index(path):
        return IndexSource(VectorIndex.open(path))
    if suffix_format(path) == "npy" and path.is_file():
        reading = Reading(ROWS_PER_BATCH, first_row=first_row)
        return _Matrix(read_matrix(path, reading), str(source), path)
    reader = read_embeddings(path, column=_column_of(source), first_row=first_row)
    return _Read(reader, str(source))


def _parts_of(source: str | Path) -> list[str | Path]:
    """The files that a pattern matches, or the Parquet files of a folder that is nothing else."""
    name, path = str(source), Path(source)
    if is_pattern(name) and not is_remote(name):
        found = [file for file in sorted(glob.glob(name, recursive=True)) if suffix_format(file)]  # noqa: PTH207
    elif path.is_dir() and not is_index(path) and not is_shard_folder(path):
        found = [str(file) for file in sorted(path.glob("*.parquet"))]
    else:
        return []
    return [InColumn(file, _column_of(source)) for file in found]


def stdin_of(sources: Sequence[object]) -> PeekableStream | None:
    """Standard input, to be looked at and then read, where it is one of the sources ("-")."""
    return PeekableStream(stdin_bytes()) if "-" in sources else None


def same_encoder(one: str | None, other: str | None) -> bool:
    """True where two ids "NAME:FINGERPRINT" have the same fingerprint, or one of them is None.

    Where one has only a name, as others write it, the names must be the same.
    """
    if one is None or other is None:
        return True
    (name, fingerprint), (other_name, other_fingerprint) = split_id(one), split_id(other)
    if fingerprint and other_fingerprint:
        return fingerprint == other_fingerprint
    return name == other_name


def split_id(encoder_id: str) -> tuple[str, str]:
    """Name and fingerprint, which is hex digits; "" where there is none."""
    name, _, fingerprint = encoder_id.rpartition(":")
    has_one = name and set(fingerprint) <= set(hexdigits)
    return (name, fingerprint) if has_one else (encoder_id, "")


def _holds_vectors(source: str | Path, stdin: PeekableStream | None) -> bool:
    """Whether a source holds vectors, and not records or sounds; of several files, the first."""
    name, column = str(source), _column_of(source)
    if name == "-" and stdin is not None:
        return _begins_vectors(first_line(name, stdin), column)
    if parts := _parts_of(source):
        return _holds_vectors(parts[0], None)
    path = Path(source)
    if path.is_dir():
        return is_index(path) or is_shard_folder(path)
    if is_pattern(name) or is_remote(name) or is_sound(name):
        return False
    if not path.exists():
        raise missing(source)
    if is_vector_file(path):
        return True
    if suffix_format(path) == "parquet":
        return _has_vector_column(name, column)
    return _begins_vectors(first_line(name), column)


def _has_vector_column(source: str, column: str) -> bool:
    import polars as pl

    try:
        schema = pl.read_parquet_schema(source)
        return column_in(schema, column) in schema
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return False  # its reader reports the error


def _begins_vectors(line: bytes, column: str) -> bool:
    """Whether a file with this first line holds vectors; without any line, it holds none."""
    if not line or line.startswith(MAGIC):
        return True
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False  # its reader reports the error
    return isinstance(row, dict) and column_in(row, column) in row


@dataclass(slots=True)
class _Read:
    """Vectors of a file or a pipe, one batch after the other."""

    reader: EmbeddingReader
    where: str

    @property
    def encoder(self) -> str | None:
        return self.reader.encoder

    @property
    def dim(self) -> int:
        return self.reader.dim

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.reader.metadata

    @property
    def is_complete(self) -> bool:
        return self.reader.is_complete

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.reader:
            yield replace(batch, encoder=self.encoder)

    def records(self) -> Iterator[Record]:
        """The records of all batches."""
        for batch in self.reader:
            yield from batch.records

    def candidates(self) -> Corpus:
        """All rows, in memory."""
        return _in_memory(self, self.where)


@dataclass(slots=True)
class _Matrix(_Read):
    """An .npy file, whose rows stay on disk when they are ranked."""

    path: Path

    def candidates(self) -> Corpus:
        """All rows, read block by block."""
        ids, clips = _matrix_ids(self.path)
        return Corpus(FileRows(self.path, ids), ids, self.where, self.encoder, clips)


@dataclass(frozen=True, slots=True)
class IndexSource:
    """The records of an index that are not deleted."""

    index: VectorIndex

    @property
    def encoder(self) -> str | None:
        return self.index.encoder

    @property
    def dim(self) -> int:
        return self.index.dim

    @property
    def metadata(self) -> Mapping[str, Any]:
        return {}

    @property
    def is_complete(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Batch]:
        live = np.flatnonzero(self.index.live)
        for start in range(0, len(live), ROWS_PER_BATCH):
            rows = live[start : start + ROWS_PER_BATCH]
            yield Batch(self.index.records(rows), self.index.vectors(rows), self.encoder)

    def records(self) -> Iterator[Record]:
        """The records; no vector is read."""
        live = np.flatnonzero(self.index.live)
        for start in range(0, len(live), ROWS_PER_BATCH):
            yield from self.index.records(live[start : start + ROWS_PER_BATCH])

    def candidates(self) -> Corpus:
        """Its rows as they are stored; a long clip has a row per window."""
        ids = self.index.record_files.ids()
        live = np.flatnonzero(self.index.live).tolist()
        own = [ids[row] for row in live]
        return Corpus(IndexRows(self.index), own, str(self.index.folder), self.index.encoder)


class _Several:
    """Sources of one encoder, read one after the other.

    Encoder and dimension are those of the first source that holds a vector. With
    `continue_numbers`, rows without ids are numbered from the first file to the last.
    """

    def __init__(
        self,
        sources: Sequence[str | Path | Batch],
        stdin: PeekableStream | None,
        continue_numbers: bool = False,
    ) -> None:
        self._names = [IN_MEMORY if isinstance(one, Batch) else str(one) for one in sources]
        self._count = 0
        opened = (
            _not_an_index(source, stdin, self._count if continue_numbers else 0)
            for source in sources
        )
        self._opened = zip(self._names, opened, strict=True)
        self._first = next(((name, one) for name, one in self._opened if one.dim), None)
        self.encoder = self._first[1].encoder if self._first else None
        self.dim = self._first[1].dim if self._first else 0
        self.metadata: Mapping[str, Any] = {}
        self.is_complete = True

    def __iter__(self) -> Iterator[Batch]:
        if self._first is None:
            return
        yield from self._counted(self._first[1])
        for name, source in self._opened:
            self._check(name, source)
            yield from self._counted(source)

    def _counted(self, source: VectorSource) -> Iterator[Batch]:
        for batch in source:
            self._count += len(batch)
            yield batch
        self.is_complete = self.is_complete and source.is_complete

    def _check(self, name: str, source: VectorSource) -> None:
        assert self._first is not None
        if source.dim and source.encoder != self.encoder:
            raise OeaError(
                f"{name}: made by {source.encoder or 'no named encoder'}, {self._first[0]} by "
                f"{self.encoder or 'no named encoder'}; embed both with the same encoder"
            )
        if source.dim not in (0, self.dim):
            raise OeaError(
                f"{name}: vectors of {source.dim} dimensions, {self._first[0]} has {self.dim}; "
                "embed both with the same encoder"
            )

    def records(self) -> Iterator[Record]:
        """The records of all batches."""
        for batch in self:
            yield from batch.records

    def candidates(self) -> Corpus:
        """All rows, in memory."""
        return _in_memory(self, ", ".join(self._names))


def _not_an_index(
    source: str | Path | Batch, stdin: PeekableStream | None, first_row: int
) -> VectorSource:
    if not isinstance(source, Batch) and is_index(Path(source)):
        raise UsageError(f"{source}: an index must be the only input; give one input")
    if first_row and not isinstance(source, Batch):
        return _read_file(source, first_row)
    return read_vectors(source, stdin=stdin)


def _in_memory(source: VectorSource, where: str) -> Corpus:
    ids: list[str] = []
    clips: list[str] = []
    parts: list[Vectors] = []
    for batch in source:
        parts.append(batch.vectors)
        ids += [record["id"] for record in batch.records]
        clips += [_clip_of_record(record, record["id"]) for record in batch.records]
    return Corpus(ArrayRows(parts, source.dim), ids, where, source.encoder, clips)


def _matrix_ids(path: Path) -> tuple[list[str], list[str]]:
    """The id of every row of an .npy file, and the clip that it belongs to."""
    count = len(open_matrix(path))
    lines, _ = sidecars(path)
    if not lines.exists():
        ids = list(map(str, range(count)))
        return ids, ids
    with open_bytes(lines) as stream:
        rows = read_json_lines(stream, str(lines))
        found = [
            (id_or_number(record, row, where), record) for row, (where, record) in enumerate(rows)
        ]
    if len(found) != count:
        raise OeaError(f"{path}: {count} vectors, but {len(found)} records")
    return [id_ for id_, _ in found], [_clip_of_record(record, id_) for id_, record in found]


def _clip_of_record(record: Record, id_: str) -> str:
    return str(record.get("clip") or id_)
