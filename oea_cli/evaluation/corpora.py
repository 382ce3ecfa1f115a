"""What is ranked: rows of vectors, block by block, and the clips that they stand for."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from oea_cli.embeddings import read_embeddings, unit_rows
from oea_cli.embeddings.batch import Vectors
from oea_cli.embeddings.matrix import open_matrix, read_matrix, sidecars
from oea_cli.embeddings.shards import WINDOW_MARK, clip_of
from oea_cli.errors import OeaError
from oea_cli.evaluation.outcomes import Codes
from oea_cli.tables import Record, open_bytes, read_json_lines
from oea_cli.vector_index import VectorIndex

BLOCK_ROWS = 2048
# Of the squared length, in float32: rows this close to 1 need no second look in double precision.
SURELY_UNIT = 1e-6


class Rows(Protocol):
    """N vectors of length 1, wherever they lie."""

    dim: int
    count: int

    def take(self, rows: Codes) -> Vectors:
        """These rows (R, D)."""

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        """All rows in order: the number of a block's first row, and the block (B, D)."""


class ArrayRows:
    """Rows in memory, in the parts they came in: joining them would need twice the memory."""

    def __init__(self, parts: Sequence[Vectors], dim: int) -> None:
        self.dim = dim
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])
        self.count = int(self._starts[-1])

    def take(self, rows: Codes) -> Vectors:
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

    def take(self, rows: Codes) -> Vectors:
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

    def _checked(self, rows: npt.NDArray[Any], numbers: Codes) -> Vectors:
        if rows.dtype == np.float32 and _are_unit(rows):
            return rows
        records = [{"id": self._ids[number]} for number in numbers.tolist()]
        return unit_rows(rows, records, str(self._path))


def _are_unit(rows: Vectors) -> bool:
    squares = np.einsum("ij,ij->i", rows, rows)
    return bool((np.abs(squares - 1) < SURELY_UNIT).all())  # NaN is not


class IndexRows:
    """The live rows of an index."""

    def __init__(self, index: VectorIndex) -> None:
        self.dim = index.dim
        self._index = index
        self._live = np.flatnonzero(index.live)
        self.count = len(self._live)

    def take(self, rows: Codes) -> Vectors:
        return self._index.vectors(self._live[rows])

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        for start in range(0, len(self._live), BLOCK_ROWS):
            yield start, self._index.vectors(self._live[start : start + BLOCK_ROWS])


class Corpus:
    """Candidates for a ranking, each one row, or each a clip with several rows (its windows).

    `ids` are the candidates', `clips` the clip each one belongs to (a caption's sound), `starts`
    the first row of each candidate where they have several. Raises OeaError for an id that comes
    twice, and for an empty corpus.
    """

    def __init__(
        self,
        rows: Rows,
        ids: list[str],
        where: str,
        encoder: str | None = None,
        clips: list[str] | None = None,
        starts: Codes | None = None,
    ) -> None:
        if not ids:
            raise OeaError(f"{where}: holds nothing to rank")
        self.rows, self.ids, self.where, self.encoder = rows, ids, where, encoder
        self.clips = ids if clips is None else clips
        self.starts = starts
        if len(set(ids)) != len(ids):
            seen: set[str] = set()
            twice = next(id_ for id_ in ids if id_ in seen or seen.add(id_))  # type: ignore[func-returns-value]
            raise OeaError(f"{where}: id {twice!r} comes twice; ids must differ")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        return self.rows.dim

    @cached_property
    def number_of(self) -> dict[str, int]:
        """The number of each candidate."""
        return {id_: number for number, id_ in enumerate(self.ids)}

    @cached_property
    def of_clip(self) -> dict[str, list[int]]:
        """The numbers of each clip's candidates."""
        found: dict[str, list[int]] = {}
        for number, clip in enumerate(self.clips):
            found.setdefault(clip, []).append(number)
        return found

    @property
    def has_windows(self) -> bool:
        """True where long clips lie as several windows."""
        return self.starts is None and any(WINDOW_MARK in id_ for id_ in self.ids)

    def by_clip(self) -> "Corpus":
        """The same rows, ranked clip by clip: a clip scores what its best window does."""
        clips = list(map(clip_of, self.ids))
        starts = [0, *(n for n, (one, next_) in enumerate(pairwise(clips), 1) if one != next_)]
        names = [clips[start] for start in starts]
        if len(set(names)) != len(names):
            raise OeaError(f"{self.where}: the windows of a clip lie apart; index them anew")
        return Corpus(self.rows, names, self.where, self.encoder, starts=np.array(starts))

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        """Blocks of rows; no block ends within a candidate."""
        if self.starts is None:
            yield from self.rows.blocks()
            return
        held = np.zeros((0, self.dim), np.float32)
        for start, block in self.rows.blocks():
            rows = np.concatenate([held, block])
            first = start - len(held)
            cut = self._last_start(first + len(rows)) - first
            if cut:
                yield first, rows[:cut]
            held = rows[cut:]
        if len(held):
            yield start + len(block) - len(held), held

    def _last_start(self, row: int) -> int:
        assert self.starts is not None
        return int(self.starts[np.searchsorted(self.starts, row, "right") - 1])


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
