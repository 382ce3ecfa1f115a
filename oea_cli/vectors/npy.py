"""NumPy's .npy files, opened so that damage is an error: the header is read, never executed."""

import errno
import math
import stat
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError

MAGIC = b"\x93NUMPY"
LARGEST_DIM = 1 << 24
LARGEST_SIZE = 1 << 40
"""Of an axis: numpy makes no array of more, not even an empty one."""
READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,
}


class Header(NamedTuple):
    """What an .npy file says about its array."""

    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype[Any]

    @property
    def num_bytes(self) -> int:
        """The size of the array."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: BinaryIO, where: str) -> Header:
    """Read the header at the start of a stream, which is then at the array's first byte.

    Raises OeaError for anything else, and for arrays of objects: those are pickles.
    """
    try:
        version = np.lib.format.read_magic(stream)
        header = Header(*READERS[version](stream))
    except KeyError as error:
        raise _damaged(where, f"an .npy of version {'.'.join(map(str, error.args[0]))}") from error
    except Exception as error:  # numpy parses Python's syntax, which fails in many ways
        raise _damaged(where, str(error).splitlines()[0][:120] if str(error) else "") from error
    if header.dtype.hasobject:
        raise OeaError(f"{where}: holds pickled Python objects, which are never read")
    if any(not 0 <= size <= LARGEST_SIZE for size in header.shape):
        raise _damaged(where, f"a shape of {header.shape}")
    return header


def map_array(path: Path, mode: Literal["r", "c"] = "r") -> npt.NDArray[Any]:
    """Memory-map the array in an .npy file; raises FileNotFoundError, and OeaError for damage."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OeaError(f"{path}: not a file; a matrix can be mapped from files only")
    with path.open("rb") as stream:
        header = read_header(stream, str(path))
        place, size = stream.tell(), status.st_size
    if header.num_bytes != size - place:
        raise _damaged(
            path, f"{size - place:,} bytes of values; its header says {header.num_bytes:,}"
        )
    if not header.num_bytes:
        return np.empty(header.shape, header.dtype)
    return _mapped(path, header, mode, place)


def _mapped(path: Path, header: Header, mode: Literal["r", "c"], place: int) -> npt.NDArray[Any]:
    order: Literal["F", "C"] = "F" if header.by_columns else "C"
    try:
        return np.memmap(path, header.dtype, mode, place, header.shape, order)
    except OSError as error:
        if error.errno != errno.ENOMEM or mode == "r":
            raise
        # A mapping that can be changed counts as memory: the system refuses it for a file larger
        # than the memory.
        return _mapped(path, header, "r", place)


def _damaged(where: str | Path, why: str) -> OeaError:
    return OeaError(f"{where}: not a complete .npy matrix ({why})")
