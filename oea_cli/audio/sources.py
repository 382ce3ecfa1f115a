"""Opens sounds: a path, a remote address, bytes or a stream; each becomes a real file.

The decoders get a file with a descriptor, because libsndfile reads it without the interpreter:
decoders in several threads do not wait for each other, and a network error is raised here instead
of being lost in a callback.
"""

import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from oea_cli.errors import OeaError
from oea_cli.records.addresses import in_container, is_remote, open_remote
from oea_cli.records.file_kinds import not_a_file, why_unreadable

Source = str | Path | bytes | BinaryIO
Notice = Callable[[str], object]
"""Receives messages about sounds that are used despite a problem."""

OWN_STREAM = re.compile(r"/dev/(stdin|fd/\d+)|/proc/self/fd/\d+")
"""A stream that this process was started with, as in `oea embed <(sox ...)`: its writer is there;
a FIFO in a folder may have none."""


class AudioError(OeaError):
    """A sound that cannot be used; callers put its name in front of the message."""


@contextmanager
def open_source(source: Source) -> Iterator[BinaryIO]:
    """A file with a descriptor, open for reading at its start.

    Raises AudioError when it is missing, not a file, not permitted or empty.
    """
    file = _open(source)
    try:
        if os.fstat(file.fileno()).st_size == 0:
            raise AudioError("the file is empty")
        yield file
    finally:
        file.close()


def _open(source: Source) -> BinaryIO:
    if isinstance(source, str | Path):
        name = str(source)
        return _fetched(name) if is_remote(name) else _open_local(source)
    return _copy_of(io.BytesIO(source) if isinstance(source, bytes) else source)


def _open_local(path: str | Path) -> BinaryIO:
    try:
        problem = not_a_file(Path(path).stat().st_mode)
        if problem and not OWN_STREAM.fullmatch(str(path)):
            raise AudioError(problem)
        file = cast(BinaryIO, open(path, "rb", opener=None if problem else _at_once))  # noqa: SIM115
    except FileNotFoundError as error:
        raise AudioError("no such file") from error
    except IsADirectoryError as error:
        raise AudioError("is a folder, not a sound file") from error
    except PermissionError as error:
        raise AudioError("no permission to read it") from error
    except (OSError, ValueError) as error:
        raise AudioError(why_unreadable(error)) from error
    if not problem:
        return file
    with file:
        return _copy_of(file)


def _at_once(path: str, flags: int) -> int:
    """Should a FIFO have taken the file's place by now, opening it does not wait."""
    return os.open(path, flags | os.O_NONBLOCK)


def _fetched(address: str) -> BinaryIO:
    try:
        with open_remote(address) as file:
            # libsndfile recognises some mp3 files by their suffix only.
            return _copy_of(file, suffix=Path(in_container(address)).suffix)
    except FileNotFoundError as error:
        raise AudioError("no such file") from error
    except Exception as error:  # every storage has its own exceptions
        raise AudioError(f"cannot be fetched ({_one_line(error)})") from error


def _copy_of(stream: BinaryIO, suffix: str = "") -> BinaryIO:
    """The stream's content in a file, at its start; the file is deleted when it is closed."""
    copy = tempfile.NamedTemporaryFile(prefix="oea-", suffix=suffix)  # noqa: SIM115 - returned
    try:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return cast(BinaryIO, copy)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
