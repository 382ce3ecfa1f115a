"""Checks a Parquet file's own account of itself, before a reader believes it.

The reader (polars) allocates what a page's header asks for: a negative number of values ends the
process, past every error boundary; others panic, or the rows are left out in silence. So the
footer and the headers of all pages that will be read are checked first: some 20 microseconds
for a page of about a megabyte. What is inside a page, the reader checks itself.
"""

import mmap
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from oea_cli.errors import OeaError
from oea_cli.records.thrift import EndOfThriftError, Fields, ThriftReader

MAGIC = b"PAR1"
TAIL_BYTES = 8
HEADER_BYTES = 256
"""Enough for most page headers; those with long statistics are read again."""
LARGEST_HEADER = 1 << 24
LARGEST_PAGE = (1 << 31) - 1
DICTIONARY_PAGE, INDEX_PAGE = 2, 1
# Numbers of fields, by parquet.thrift.
FILE_ROWS, FILE_GROUPS = 3, 4
GROUP_COLUMNS, GROUP_ROWS = 1, 3
CHUNK_COLUMN = 3
COLUMN_PATH, COLUMN_VALUES, COLUMN_BYTES, COLUMN_DATA, COLUMN_DICTIONARY = 3, 5, 7, 9, 11
PAGE_KIND, PAGE_UNPACKED, PAGE_PACKED, PAGE_DATA, PAGE_DICTIONARY, PAGE_DATA_2 = 1, 2, 3, 5, 7, 8
VALUES, NULLS, ROWS_2, DEFINITIONS, REPETITIONS = 1, 2, 3, 5, 6


class Source(Protocol):
    """Bytes at any place."""

    size: int

    def read(self, place: int, size: int) -> bytes:
        """Up to `size` bytes from `place` on."""


class BytesSource:
    """Bytes in memory, or a mapped file."""

    def __init__(self, content: bytes | mmap.mmap) -> None:
        self.size = len(content)
        self._content = content

    def read(self, place: int, size: int) -> bytes:
        return self._content[place : place + size]


class FileSource:
    """An open file."""

    def __init__(self, descriptor: int) -> None:
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor

    def read(self, place: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, place)


@contextmanager
def opened(path: str | Path) -> Iterator[FileSource]:
    """A file as a source; raises OSError, and OeaError for a pipe, which has no end to begin at."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OeaError(f"{path}: not a file; Parquet can be read from files only")
        yield FileSource(descriptor)
    finally:
        os.close(descriptor)


def check_structure(source: Source, where: str, leave_out: Collection[str] = ()) -> int:
    """The file's number of rows; raises OeaError where footer or page headers cannot be true.

    Pages of the columns named in `leave_out` are not looked at.
    """
    try:
        end, footer = _footer(source)
        groups: list[Fields] = footer[FILE_GROUPS]
        rows = [_count(group[GROUP_ROWS]) for group in groups]
        if sum(rows) != footer[FILE_ROWS]:
            raise ValueError(f"{footer[FILE_ROWS]} rows, but its row groups have {sum(rows)}")
        for group in groups:
            _check_group(source, group, end, leave_out)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise OeaError(
            f"{where}: not a Parquet file, or a damaged one ({_in_words(error)}); "
            "write or download it again"
        ) from error
    return sum(rows)


def _footer(source: Source) -> tuple[int, Fields]:
    """Where the footer begins, and its fields."""
    tail = source.read(max(0, source.size - TAIL_BYTES), TAIL_BYTES)
    if len(tail) < TAIL_BYTES or tail[4:] != MAGIC:
        raise ValueError("it does not end as one; it was cut off, or is something else")
    size = int.from_bytes(tail[:4], "little")
    start = source.size - TAIL_BYTES - size
    if start < len(MAGIC):
        raise ValueError("its footer is larger than the file")
    return start, ThriftReader(source.read(start, size)).struct()


def _check_group(source: Source, group: Fields, end: int, leave_out: Collection[str]) -> None:
    for chunk in group[GROUP_COLUMNS]:
        column: Fields = chunk[CHUNK_COLUMN]
        if column[COLUMN_PATH][0].decode() not in leave_out:
            _check_pages(source, column, end)


def _check_pages(source: Source, column: Fields, end: int) -> None:
    """Walk over the pages of a column in a row group until all its values are accounted for."""
    expected = _count(column[COLUMN_VALUES])
    place = column[COLUMN_DATA]
    if 0 < column.get(COLUMN_DICTIONARY, 0) < place:
        place = column[COLUMN_DICTIONARY]
    _count(column[COLUMN_BYTES], source.size)
    found = 0
    while found < expected:
        if not len(MAGIC) <= place < end:
            raise ValueError(f"a page at byte {place:,}, outside the data")
        header, size = _page_header(source, place)
        found += _values_of(header)
        place += size + _count(header[PAGE_PACKED], LARGEST_PAGE)
    if found > expected or place > end:
        raise ValueError("a page with more values than its column")


def _page_header(source: Source, place: int) -> tuple[Fields, int]:
    """The header of a page, and its size in bytes."""
    size = HEADER_BYTES
    while True:
        reader = ThriftReader(source.read(place, size))
        try:
            return reader.struct(), reader.place
        except EndOfThriftError:
            if size >= min(LARGEST_HEADER, source.size):
                raise
            size *= 16


def _values_of(header: Fields) -> int:
    """The number of values in a page, 0 for dictionaries; raises ValueError for impossible ones."""
    packed = _count(header[PAGE_PACKED], LARGEST_PAGE)
    _count(header[PAGE_UNPACKED], LARGEST_PAGE)
    if header[PAGE_KIND] == DICTIONARY_PAGE:
        _count(header[PAGE_DICTIONARY][VALUES], LARGEST_PAGE)
        return 0
    if header[PAGE_KIND] == INDEX_PAGE:
        return 0
    if PAGE_DATA_2 not in header:
        return _count(header[PAGE_DATA][VALUES])
    second: Fields = header[PAGE_DATA_2]
    values = _count(second[VALUES])
    _count(second[NULLS], values)
    _count(second[ROWS_2], values)
    if _count(second[DEFINITIONS]) + _count(second[REPETITIONS]) > packed:
        raise ValueError("a page whose levels are larger than itself")
    return values


def _count(value: int, most: int = 1 << 62) -> int:
    if not 0 <= value <= most:
        raise ValueError(f"a count of {value}")
    return value


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else "a part of its description is missing"
