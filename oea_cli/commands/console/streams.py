"""stdin, stdout and stderr as they are found: closed, full, unread, in any encoding."""

import codecs
import fcntl
import io
import os
import select
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from oea_cli.errors import OeaError

DRAWN = "oea.drawn"
"""Python's name for writing what an encoding lacks in ASCII, or as `?`."""
IN_ASCII = {
    **dict.fromkeys("█▉▊▋▌", "#"),
    **dict.fromkeys("▍▎▏░", "."),
    **dict.fromkeys("–—‐‑−━─╸╺", "-"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”", '"'),
    "…": "...",
    "·": ".",
    "×": "x",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
    "\N{NO-BREAK SPACE}": " ",
}


def open_missing_streams() -> None:
    """Give stdin, stdout and stderr that are closed a descriptor, before a file takes their place.

    stdin is empty then, stderr goes nowhere, and stdout refuses what is written: a result must not
    be lost in silence.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)  # the lowest free number
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or _writer(1)
    sys.stderr = sys.stderr or _writer(2)


def _writer(number: int) -> TextIO:
    stream = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    return io.TextIOWrapper(stream, "utf-8", line_buffering=number == 2)


def is_closed(stream: TextIO) -> bool:
    """Whether nothing can be written because a person, or a daemon, closed the stream."""
    with suppress(OSError, ValueError):
        flags = fcntl.fcntl(stream.fileno(), fcntl.F_GETFL)
        return flags & os.O_ACCMODE == os.O_RDONLY
    return False


def draw_what_encodings_lack() -> None:
    """Let text for people fit stdout and stderr; data goes past this, as UTF-8."""
    codecs.register_error(DRAWN, _drawn)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=DRAWN)


def _drawn(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(IN_ASCII.get(letter, "?") for letter in missing), error.end


def is_unread(stream: TextIO) -> bool:
    """Whether the stream is a pipe that its reader has left, as `| head -1` does."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (OSError, ValueError):
        return False


def flush_fails(stream: TextIO) -> OSError | None:
    """Write out what is left; the failure, after which the stream goes nowhere.

    Without that, the interpreter's own flush at exit would fail a second time, and say so.
    """
    try:
        stream.flush()
    except OSError as error:
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        return error
    return None


def write_out() -> None:
    """Write what is left of stdout; raises OeaError where it does not take all of it.

    A pipe that its reader has left is no failure.
    """
    reason = "is closed" if is_closed(sys.stdout) else None
    error = flush_fails(sys.stdout)
    if error is not None and not isinstance(error, BrokenPipeError):
        raise OeaError(f"stdout: {reason or error.strerror}; the result is not complete") from error


def tell_path(path: Path) -> None:
    """The path of a result, a line on stdout; where stdout is closed, the result is enough."""
    if not is_closed(sys.stdout):
        sys.stdout.buffer.write(os.fsencode(path) + b"\n")
        sys.stdout.flush()
