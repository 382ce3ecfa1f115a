"""Rows of vectors for a scan: in memory, in an .npy file, in an index."""

import os
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError
from oea_cli.vectors.arrays import RowNumbers, Vectors, are_surely_unit, unit_rows
from oea_cli.vectors.files.matrix import open_matrix
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.scan.candidates import BLOCK_ROWS


class ArrayRows:
    """Rows in memory, in the parts they were read in: joining them would need twice the memory."""

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
    """Rows of an .npy file, read block by block: unlike with a mapped file, memory use stays small
    for a file of any size."""

    def __init__(self, path: Path, ids: Sequence[str]) -> None:
        self._path, self._ids = path, ids
        matrix = open_matrix(path)
        self.count, self.dim = matrix.shape
        self._dtype = matrix.dtype
        if not matrix.flags.c_contiguous:
            raise OeaError(f"{path}: the matrix is in Fortran order; save it in C order")
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
                raise OeaError(f"{self._path}: ends before its vectors are complete")
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
