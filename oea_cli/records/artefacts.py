"""Files that appear whole or not at all: written under a temporary name, renamed when finished."""

import glob
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import TracebackType

from oea_cli.errors import NO_ROOM, OeaError
from oea_cli.records.locks import LockedError, is_named, remove_unlocked, try_lock


def check_parent(path: Path) -> None:
    """Raise OeaError where the folder in which a file is to be made is not there."""
    if not path.absolute().parent.is_dir():
        raise OeaError(f"{path}: there is no folder {path.parent}; create it first")


@contextmanager
def named_when_full(name: object) -> Iterator[None]:
    """Have the error of a full disk name the file that was to be written: the system's does not."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            error.filename = str(name)
        raise


class AtomicFile:
    """A file that is written under a temporary name; `commit` renames it, `discard` removes it.

    The temporary name is hidden, ends in `.tmp` and is in the same folder, because only a rename
    within one file system is atomic. What killed processes left of the same file is removed.
    """

    def __init__(self, path: Path) -> None:
        check_parent(path)
        if path.exists() and not path.is_file():
            # A rename would replace /dev/null by a plain file.
            raise OeaError(f"{path}: is not a file that can be replaced; choose another name")
        self.path = path
        self._aside: _Aside | None = None

    @property
    def temporary(self) -> Path:
        """The name to write to. It must be opened and written, not replaced: it carries a lock."""
        if self._aside is None:
            with named_when_full(self.path):
                self._aside = _Aside(self.path, _new_file)
        return self._aside.path

    def commit(self) -> None:
        """Rename the finished file to its final name, replacing an older one.

        It is on the disk before: after a power failure, the name must not stand for half a file.
        """
        with named_when_full(self.path):
            _flush(self.temporary)
            self.temporary.replace(self.path)
        self.discard()

    def __enter__(self) -> Path:
        """The name to write to; the file gets its final name at the end of the block."""
        return self.temporary

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.commit()
            elif isinstance(error, OSError) and error.errno in NO_ROOM:
                error.filename = str(self.path)
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what has been written, if anything."""
        if self._aside is not None:
            self._aside.path.unlink(missing_ok=True)
            self._aside.close()
            self._aside = None


class _Aside:
    """A temporary file or folder beside `target`, locked for as long as its process lives."""

    def __init__(self, target: Path, create: Callable[[Path], int]) -> None:
        remove_leftovers(target.parent, target.name)
        for number in count():
            self.path = target.parent / f".{target.name}.{os.getpid()}-{number}.tmp"
            with suppress(FileExistsError):  # of a process with this number on another machine
                self._number = create(self.path)
                if self._is_ours():
                    return
                self.close()

    def _is_ours(self) -> bool:
        """Lock it; False where another process swept it before that."""
        with suppress(LockedError):
            try_lock(self._number)
            return is_named(self.path, self._number)
        return False

    def close(self) -> None:
        """Give up the lock."""
        os.close(self._number)


def _flush(path: Path) -> None:
    """Have the disk hold what has been written to a file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _new_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _new_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes left of the file or folder of this name; without, of any."""
    target = ".+" if name is None else re.escape(name)
    ours = re.compile(rf"\.{target}\.\d+(-\d+)?\.(tmp|old)")
    for path in list(folder.iterdir()):
        if ours.fullmatch(path.name):
            remove_unlocked(path, _remove)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path, marker: str) -> Iterator[Path]:
    """A folder written under a temporary name, which is yielded, and renamed at the end.

    An existing folder is replaced only if it is empty or contains the file `marker`: other folders
    may hold a person's work. Raises OeaError for those before anything is written.
    """
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    _bring_back(folder.resolve())
    if folder.exists() or folder.is_symlink():
        if not folder.is_dir():
            raise OeaError(f"{folder}: is a file; give the name of a folder")
        if not (folder / marker).is_file() and any(folder.iterdir()):
            raise OeaError(
                f"{folder}: contains other files, which would be replaced; choose another"
            )
    target = folder.resolve()
    aside = _Aside(target, _new_folder)
    try:
        yield aside.path
        with_ordinary_permissions(aside.path)
        for file in aside.path.rglob("*"):
            if file.is_file() and not file.is_symlink():
                _flush(file)
        if target.exists():
            old = aside.path.with_suffix(".old")
            target.rename(old)
            aside.path.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            aside.path.rename(target)
    finally:
        shutil.rmtree(aside.path, ignore_errors=True)
        aside.close()


def _bring_back(folder: Path) -> None:
    """Give a folder its name again where a process was killed while another took its place."""
    for old in folder.parent.glob(f"{glob.escape(f'.{folder.name}.')}*.old"):
        if not folder.exists():
            old.rename(folder)


def with_ordinary_permissions(path: Path) -> None:
    """Give a file, or every file in a folder, the permissions that this process's new files have.

    Libraries that write aside themselves (safetensors) leave files that only their owner can read.
    """
    mask = os.umask(0o077)  # it cannot be asked without being set
    os.umask(mask)
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file() and not file.is_symlink():
            file.chmod(0o666 & ~mask)


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file (a manifest) so that no reader ever sees half of it."""
    with AtomicFile(path) as temporary:
        temporary.write_bytes(content)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
