"""stdin and stdout as large binary pipes: a default pipe holds only ten vectors or so."""

import sys
from contextlib import suppress
from typing import BinaryIO

PIPE_BYTES = 2**20


def stdin_bytes() -> BinaryIO:
    """stdin with a large buffer; `sys.stdin.buffer` itself where it is not a file."""
    try:
        number = sys.stdin.fileno()
    except (OSError, ValueError):
        return sys.stdin.buffer
    _widen(number)
    return open(number, "rb", buffering=PIPE_BYTES, closefd=False)


def stdout_bytes() -> BinaryIO:
    """stdout for bytes, with a larger pipe where it is a pipe."""
    with suppress(OSError, ValueError):
        _widen(sys.stdout.fileno())
    return sys.stdout.buffer


def _widen(number: int) -> None:
    # Linux only, and only for pipes: fewer switches between the two programs. Optional.
    with suppress(ImportError, OSError, AttributeError):
        import fcntl

        fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
