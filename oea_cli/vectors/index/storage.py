"""How vectors are stored on disk: float32, float16, int8 or one bit per dimension.

Every storage is a pair of functions between unit vectors and stored rows, so that search has one
path only: decode a block, multiply. Queries are compared with the decoded rows, of length 1 again.
"""

import os
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from oea_cli.errors import OeaError, UsageError
from oea_cli.vectors.arrays import Floats, Stored
from oea_cli.vectors.index.checking import HEADER_BYTES, FileSum

FLUSH_BYTES = 1 << 25
# How many blocks may wait for the disk before `write` waits, too.
WAITING_BLOCKS = 4
STORAGES = ("f32", "f16", "i8", "b1")
DTYPES = {"f32": "<f4", "f16": "<f2", "i8": "|i1", "b1": "|u1"}


def check_storage(storage: str) -> str:
    """Return the storage's name; raises UsageError for an unknown one."""
    if storage not in STORAGES:
        raise UsageError(f"--storage must be one of {', '.join(STORAGES)}; got '{storage}'")
    return storage


def stored_width(dim: int, storage: str) -> int:
    """Return the number of stored values in a row of `dim` dimensions."""
    return -(-dim // 8) if storage == "b1" else dim


def encode_rows(vectors: Floats, storage: str) -> Stored:
    """Turn unit vectors (N, D) into rows as they are stored.

    i8: each row is scaled until its largest value is 127; its length is divided out on reading.
    b1: the signs, eight to a byte.
    """
    if storage == "i8":
        largest = np.abs(vectors).max(axis=1, keepdims=True)
        scaled: Stored = np.rint(vectors * (127 / np.maximum(largest, 1e-30))).astype(np.int8)
        return scaled
    if storage == "b1":
        return np.packbits(vectors > 0, axis=1)
    return np.ascontiguousarray(vectors, dtype=DTYPES[storage])


def decode_rows(stored: Stored, storage: str, dim: int) -> Floats:
    """Turn stored rows (N, W) back into unit vectors (N, D) float32; f32 is not copied."""
    if storage == "i8":
        vectors: Floats = stored.astype(np.float32)
        lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
        vectors /= np.maximum(lengths, 1e-30)[:, None]
        return vectors
    if storage == "b1":
        bits = np.unpackbits(stored, axis=1, count=dim)
        size = np.float32(dim**-0.5)
        return np.where(bits, size, -size)
    return np.asarray(stored, np.float32)


class RowFile:
    """An .npy file that grows row by row; its header is completed by `close`.

    The disk works in the background while the next rows are being made: one worker can flush what
    has been written while the other writes on, so that little is left to wait for at the end.
    """

    def __init__(self, path: Path, dim: int, storage: str) -> None:
        self.path = path
        self.num_rows = 0
        self._width = stored_width(dim, storage)
        self._dtype = np.dtype(DTYPES[storage])
        self._file = path.open("x+b", buffering=0)
        self._write_header()
        self._start = self._file.tell()
        assert self._start == HEADER_BYTES
        self._unflushed = 0
        self._workers = ThreadPoolExecutor(2)
        self._summing = ThreadPoolExecutor(1)  # one, because the order matters
        self._crc = 0
        self._waiting: deque[Future[None]] = deque()

    def write(self, stored: Stored) -> None:
        """Append encoded rows (N, W), which must not be changed afterwards."""
        self._wait(2 * WAITING_BLOCKS - 2)
        rows = np.ascontiguousarray(stored, self._dtype)
        place = self._start + self.num_rows * self._width * self._dtype.itemsize
        self._unflushed += rows.nbytes
        flush = self._unflushed >= FLUSH_BYTES
        if flush:
            self._unflushed = 0
        self._waiting.append(self._workers.submit(self._write_bytes, rows, place, flush))
        self._waiting.append(self._summing.submit(self._add_to_sum, rows))
        self.num_rows += len(rows)

    def read(self, row: int) -> Stored:
        """Return one row (1, W) as it was written."""
        self._wait()
        size = self._width * self._dtype.itemsize
        content = os.pread(self._file.fileno(), size, self._start + row * size)
        return np.frombuffer(content, self._dtype)[None]

    def close(self) -> None:
        """Write the final number of rows into the header and wait for the disk."""
        self._wait()
        self._workers.shutdown()
        self._summing.shutdown()
        self._file.seek(0)
        self._write_header()
        if self._file.tell() != self._start:
            raise OeaError(f"{self.path}: the header grew while rows were written")
        os.fsync(self._file.fileno())
        self._file.close()

    def abort(self) -> None:
        """Remove the unfinished file."""
        self._workers.shutdown(cancel_futures=True)
        self._summing.shutdown(cancel_futures=True)
        self._file.close()
        self.path.unlink(missing_ok=True)

    @property
    def sum(self) -> FileSum:
        """The size of the closed file and the CRC-32 of its rows."""
        return FileSum(self._start + self.num_rows * self._width * self._dtype.itemsize, self._crc)

    def _add_to_sum(self, rows: Stored) -> None:
        self._crc = zlib.crc32(rows.data.cast("B"), self._crc)

    def _wait(self, most: int = 0) -> None:
        """Wait until at most `most` blocks are left to write; raises the errors of the others."""
        while len(self._waiting) > most:
            self._waiting.popleft().result()

    def _write_bytes(self, rows: Stored, place: int, flush: bool) -> None:
        view = rows.data.cast("B")
        while view:
            size = os.pwrite(self._file.fileno(), view, place)
            view, place = view[size:], place + size
        if flush:
            os.fsync(self._file.fileno())

    def _write_header(self) -> None:
        # NumPy pads the header so that the number of rows can grow in place.
        shape = (self.num_rows, self._width)
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
