"""Files that appear whole or not at all: written under another name, renamed when finished."""

import hashlib
import os
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


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file (a manifest) so that no reader ever sees half of it."""
    with Aside(path) as temporary:
        temporary.write_bytes(content)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
