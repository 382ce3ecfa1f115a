"""Whether the files of an index are what was written, before anything believes them.

`index.json` names the size and the CRC-32 of every file. Sizes are compared each time an index is
opened, and so is what small files contain. Larger ones are summed the first time they are opened
where they lie: a hidden file remembers, by size, times and inode, which copies were found whole, so
that the next search of 50 GB does not read them all. The writer of an index knows that it is.
In a folder that cannot be written, nothing can be remembered: there large files are checked by
size, and the links of a graph, without which it cannot be searched safely.
"""

import os
import stat
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from oea_cli.errors import OeaError

SMALL = 4 << 20
"""Bytes. Such a file is summed in some milliseconds, each time."""
PIECE = 1 << 22
HEADER_BYTES = 128
"""Of vectors the rows are summed, as they are written: the header before them comes last."""
REMEMBERED = ".checked"


@dataclass(frozen=True)
class FileSum:
    """The size of a file, and the CRC-32 of its content."""

    bytes: int
    crc32: int


def sum_of(path: Path) -> FileSum:
    """The sum of a file, as it is read from the disk."""
    size = HEADER_BYTES if path.name.startswith("vectors-") else 0
    crc = 0
    with path.open("rb", buffering=0) as file:
        file.seek(size)
        while piece := file.read(PIECE):
            size, crc = size + len(piece), zlib.crc32(piece, crc)
    return FileSum(size, crc)


def sums_of(folder: Path, names: Iterable[str]) -> dict[str, FileSum]:
    """The sums of several files, of some at the same time."""
    names = list(names)
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(sum_of, (folder / name for name in names)), strict=True))


def check_files(folder: Path, sums: Mapping[str, FileSum | None]) -> set[str]:
    """Compare files with their sums; the names of those that were not known to be whole before.

    A file without a sum is only looked for: indexes of older versions have none. Raises OeaError
    for a file that is not what was written, FileNotFoundError for one that is missing.
    """
    known, writable = _remembered(folder), os.access(folder, os.W_OK)
    new = {}
    for name, expected in sums.items():
        copy = _copy_of(folder / name)
        if expected is not None and copy[0] != expected.bytes:
            raise _damaged(
                folder / name, f"{copy[0]:,} bytes; it was written with {expected.bytes:,}"
            )
        if known.get(name) != copy:
            new[name] = copy
    read = [name for name in new if sums[name] and (writable or new[name][0] <= SMALL)]
    for name, found in sums_of(folder, read).items():
        if found != sums[name]:
            raise _damaged(folder / name, "it is not what was written")
    return set(new)


def remember(folder: Path, names: Iterable[str]) -> None:
    """Remember that these files are whole as they lie here, where a folder can be written."""
    found = {}
    for name in names:
        with suppress(FileNotFoundError):
            found[name] = _copy_of(folder / name)
    large = {name: copy for name, copy in found.items() if copy[0] > SMALL}
    if not large or large == _remembered(folder):
        return
    temporary = folder / f"{REMEMBERED}.{os.getpid()}.tmp"
    with suppress(OSError):
        temporary.write_bytes(orjson.dumps(large))
        temporary.replace(folder / REMEMBERED)


def _remembered(folder: Path) -> dict[str, list[int]]:
    try:
        known = orjson.loads((folder / REMEMBERED).read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _copy_of(path: Path) -> list[int]:
    """What tells a copy of a file from another: size, times in nanoseconds, inode."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise _damaged(path, "it is not a file")
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _damaged(path: Path, why: str) -> OeaError:
    return OeaError(f"{path}: damaged ({why}); copy it again, or build the index again")
