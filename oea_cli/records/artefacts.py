"""Files that appear whole or not at all: written under a temporary name, renamed when finished."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from oea_cli.errors import OeaError


class AtomicFile:
    """A file that is written under a temporary name; `commit` renames it, `discard` removes it.

    The temporary name is hidden, ends in `.tmp` and is in the same folder, because only a rename
    within one file system is atomic.
    """

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise OeaError(f"{path}: there is no folder {path.parent}; create it first")
        if path.exists() and not path.is_file():
            # A rename would replace /dev/null by a plain file.
            raise OeaError(f"{path}: is not a file that can be replaced; choose another name")
        self.path = path
        self.temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"

    def commit(self) -> None:
        """Rename the finished file to its final name, replacing an older one."""
        self.temporary.replace(self.path)

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
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what has been written, if anything."""
        self.temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path, marker: str) -> Iterator[Path]:
    """A folder written under a temporary name, which is yielded, and renamed at the end.

    An existing folder is replaced only if it is empty or contains the file `marker`: other folders
    may hold a person's work. Raises OeaError for those before anything is written.
    """
    if not folder.absolute().parent.is_dir():
        raise OeaError(f"{folder}: there is no folder {folder.parent}; create it first")
    if folder.exists() or folder.is_symlink():
        if not folder.is_dir():
            raise OeaError(f"{folder}: is a file; give the name of a folder")
        if not (folder / marker).is_file() and any(folder.iterdir()):
            raise OeaError(
                f"{folder}: contains other files, which would be replaced; choose another"
            )
    target = folder.resolve()
    aside = target.parent / f".{target.name}.{os.getpid()}.tmp"
    try:
        aside.mkdir()
        yield aside
        if target.exists():
            old = target.parent / f".{target.name}.{os.getpid()}.old"
            target.rename(old)
            aside.rename(target)
            shutil.rmtree(old)
        else:
            aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file (a manifest) so that no reader ever sees half of it."""
    with AtomicFile(path) as temporary:
        temporary.write_bytes(content)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
