"""Ctrl-C at any moment: one line and exit code 130, also while libraries are imported or leave.

Python raises KeyboardInterrupt wherever it happens to be. Inside an import, libraries swallow it or
make an ImportError of it, and half a module stays behind; inside a destructor it is only printed.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

IMPORTS = "<frozen importlib._bootstrap"
PATIENCE = 0.5  # seconds that an import may take after Ctrl-C
PAUSE = 0.02  # seconds until it is looked at again
LEAVING = 2.0  # seconds that threads and libraries may take to end

_asked_at: float | None = None


def handle_interrupts() -> None:
    """From now on Ctrl-C ends the program as above; one that ignores it (nohup) still does."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
        sys.unraisablehook = _ask_again


def _interrupt(_: int, frame: FrameType | None) -> None:
    global _asked_at
    now = time.monotonic()
    if not _is_importing(frame):
        _asked_at = None
        raise KeyboardInterrupt
    _asked_at = _asked_at or now
    if now - _asked_at > PATIENCE:
        leave_interrupted()
    # To the main thread itself, which may wait in a system call by then.
    later = threading.Timer(PAUSE, signal.pthread_kill, [threading.get_ident(), signal.SIGINT])
    later.daemon = True
    later.start()


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(IMPORTS):
            return True
        frame = frame.f_back
    return False


def _ask_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """An interrupt that came inside a destructor is asked for again outside."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    else:
        sys.__unraisablehook__(unraisable)


def leave_interrupted() -> None:
    """End the process at once, with the line that says why."""
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), b"oea: interrupted\n")
    os._exit(130)


def end_soon(code: int) -> None:
    """After the work: what is left to end in the process must, and Ctrl-C needs no line any more.

    Python waits for threads at exit, and one that reads a FIFO never ends.
    """
    if _asked_at is not None:  # the whole of a short run was importing
        leave_interrupted()
    if signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    if code == 130:
        limit = threading.Timer(LEAVING, os._exit, [code])
        limit.daemon = True
        limit.start()
