"""Files that appear whole or not at all: written under another name, renamed when finished."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from oea_cli.errors import OeaError


class Aside:
    """A file in the making beside its final place; `commit` puts it there, `discard` removes it.

    The temporary name is hidden, ends in `.tmp` and lies in the same folder, because only a rename
    within one file system is atomic.
    """

    def __init__(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise OeaError(f"{path}: there is no folder {path.parent}; make it first")
        if path.exists() and not path.is_file():
            # A rename would put a plain file in the place of /dev/null.
            raise OeaError(f"{path}: is not a file that can be replaced; choose another name")
        self.path = path
        self.temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"

    def commit(self) -> None:
        """Put the finished file in its place, over an older one of that name."""
        self.temporary.replace(self.path)

    def __enter__(self) -> Path:
        """Hand out the name to write to; the file is put in its place at the end of the block."""
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
        """Remove what has been written; harmless when there is nothing."""
        self.temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path, marker: str) -> Iterator[Path]:
    """A folder in the making: hands out the one to write to, and puts it in its place at the end.

    What is there already is replaced only if it holds the file `marker`, or nothing: a folder of
    somebody's work is not ours to remove. Raises OeaError for anything else, before any work.
    """
    if not folder.absolute().parent.is_dir():
        raise OeaError(f"{folder}: there is no folder {folder.parent}; make it first")
    if folder.exists() or folder.is_symlink():
        if not folder.is_dir():
            raise OeaError(f"{folder}: is a file; it needs the name of a folder")
        if not (folder / marker).is_file() and any(folder.iterdir()):
            raise OeaError(f"{folder}: holds other files, and would be replaced; choose another")
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
    with Aside(path) as temporary:
        temporary.write_bytes(content)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
