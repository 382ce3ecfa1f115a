"""Standard input: when it is read, and that Ctrl-C can interrupt it at any moment."""

import io
import sys

from oea_cli.errors import UsageError

PIPE_BYTES = 1 << 16  # what a pipe holds


class _InterruptibleFile(io.RawIOBase):
    """A file whose every read begins in Python, where pending signals are handled.

    A buffered reader in C goes from one read to the next without looking. A signal that comes in
    between, while it waits for other threads, is handled only after more input, which may never
    come.
    """

    def __init__(self, raw: io.FileIO, owner: object) -> None:
        self._raw = raw
        self._owner = owner  # would close the file if nobody kept it

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def isatty(self) -> bool:
        return self._raw.isatty()

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        return self._raw.readinto(buffer)


def make_stdin_interruptible() -> None:
    """Replace `sys.stdin` where it is a file or a pipe; call it before anything is read."""
    buffer = getattr(sys.stdin, "buffer", None)
    if isinstance(raw := getattr(buffer, "raw", None), io.FileIO):
        reader = io.BufferedReader(_InterruptibleFile(raw, sys.stdin), PIPE_BYTES)
        sys.stdin = io.TextIOWrapper(reader, sys.stdin.encoding, sys.stdin.errors)


def or_stdin(inputs: list[str] | None, advice: str) -> list[str]:
    """The inputs, or stdin without any; raises UsageError, the advice, where that is a terminal."""
    if not inputs and sys.stdin.isatty():
        raise UsageError(advice)
    return inputs or ["-"]
