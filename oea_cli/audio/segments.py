"""A stretch of a file as a file of its own, perhaps with another header in front."""

import io
import os
from typing import BinaryIO


class Segment(io.RawIOBase):
    """`header`, then the bytes of `file` from `begin` to `end`; for reading only.

    Takes no memory and no room on the disk, whatever its length; the file must stay open.
    """

    def __init__(
        self, file: "BinaryIO | Segment", begin: int, end: int, header: bytes = b""
    ) -> None:
        self._descriptor = file.fileno()
        self._begin = begin + (file.begin if isinstance(file, Segment) else 0)
        self._header = header
        self._length = len(header) + end - begin
        self._place = 0

    def fileno(self) -> int:
        """Of the whole file."""
        return self._descriptor

    @property
    def begin(self) -> int:
        """Where in the whole file it begins, without its header."""
        return self._begin

    @property
    def size(self) -> int:
        """Bytes."""
        return self._length

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._length}[whence]
        self._place = max(0, start + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._length - self._place)
        size = left if size < 0 else min(size, left)
        content = self.pread(self._place, size)
        self._place += len(content)
        return content

    def pread(self, place: int, size: int) -> bytes:
        """Up to `size` bytes from `place` on."""
        size = min(size, self._length - place)
        if size <= 0:
            return b""
        head = self._header[place : place + size]
        if len(head) == size:
            return head
        behind = self._begin + place + len(head) - len(self._header)
        return head + os.pread(self._descriptor, size - len(head), behind)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


SoundFile = BinaryIO | Segment
"""An open file with a descriptor, or a stretch of one."""


def size_of(file: SoundFile) -> int:
    """Bytes."""
    return file.size if isinstance(file, Segment) else os.fstat(file.fileno()).st_size


def read_at(file: SoundFile, place: int, size: int) -> bytes:
    """Up to `size` bytes from `place` on, none before the start; where the file is stays."""
    if place < 0 or size <= 0:
        return b""
    if isinstance(file, Segment):
        return file.pread(place, size)
    return os.pread(file.fileno(), size, place)


def identity_of(file: SoundFile) -> tuple[int, ...]:
    """What tells this content from any other: the file, its time, where in it."""
    inside = (file.begin, file.size) if isinstance(file, Segment) else ()
    status = os.fstat(file.fileno())
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, *inside)
