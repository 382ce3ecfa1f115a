"""Locks between processes that a kill does not leave behind.

A lock is `flock` on a hidden file: the system takes it back when its process ends, however it ends.
The file is removed with the lock; one that a killed process left locks nothing.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF}
"""What `flock` says on file systems that have none."""


class LockedError(Exception):
    """Another process holds the lock."""


def try_lock(number: int) -> bool:
    """Lock an open file or folder; False on a file system without locks.

    Raises LockedError where another process holds it, OSError for anything else.
    """
    return _flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _flock(number: int, operation: int) -> bool:
    try:
        fcntl.flock(number, operation)
    except BlockingIOError as error:
        raise LockedError from error
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    return True


class FileLock:
    """A lock under a name, held from its creation until `release`.

    `is_held` is False where the file system has no locks. Raises LockedError where another process
    holds it, unless `wait`.
    """

    def __init__(self, path: Path, *, wait: bool = False) -> None:
        self.path = path
        self._number, self.is_held = _opened(path, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))

    def write(self, content: bytes) -> None:
        """Say to others what it is held for."""
        os.ftruncate(self._number, 0)
        os.pwrite(self._number, content, 0)

    def release(self) -> None:
        """Remove the file, and let others have the lock; a second call does nothing."""
        if self._number >= 0:
            number, self._number = self._number, -1
            self.path.unlink(missing_ok=True)
            os.close(number)


def _opened(path: Path, operation: int) -> tuple[int, bool]:
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            is_held = _flock(number, operation)
        except BaseException:
            os.close(number)
            raise
        if is_named(path, number):
            return number, is_held
        os.close(number)  # its last holder removed it after we had opened it


def is_named(path: Path, number: int) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(number), path.lstat())
    except FileNotFoundError:
        return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock of a short change, and hold it."""
    lock = FileLock(path, wait=True)
    try:
        yield
    finally:
        lock.release()


def remove_unlocked(path: Path, remove: Callable[[Path], object]) -> bool:
    """Remove a file or folder unless a process holds its lock, or locks are unknown here."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if not try_lock(number):
            return False
        remove(path)
    except (LockedError, OSError):
        return False
    finally:
        os.close(number)
    return True
