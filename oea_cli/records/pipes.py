"""stdin and stdout as wide binary pipes: a vector is kilobytes, a default pipe holds ten."""

import sys
from contextlib import suppress
from typing import BinaryIO

PIPE_BYTES = 2**20


def stdin_bytes() -> BinaryIO:
    """stdin with a large buffer; whatever stands in for it where it is no file."""
    try:
        number = sys.stdin.fileno()
    except (OSError, ValueError):
        return sys.stdin.buffer
    _widen(number)
    return open(number, "rb", buffering=PIPE_BYTES, closefd=False)


def stdout_bytes() -> BinaryIO:
    """stdout for bytes, its pipe widened where it is one."""
    with suppress(OSError, ValueError):
        _widen(sys.stdout.fileno())
    return sys.stdout.buffer


def _widen(number: int) -> None:
    # Linux only, and only for pipes: fewer switches between the two programs. Never needed.
    with suppress(ImportError, OSError, AttributeError):
        import fcntl

        fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
