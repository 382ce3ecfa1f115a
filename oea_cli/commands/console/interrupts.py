"""Ctrl-C at any moment: one line and exit code 130, also while libraries are imported or leave.

SIGTERM and SIGHUP are dealt with alike, with exit codes 143 and 129.

Python raises KeyboardInterrupt in the main thread, wherever that happens to be. Inside an import,
libraries swallow it or make an ImportError of it; inside a destructor it is only printed; and where
the system gives the signal to a thread of some library, a main thread that waits (for a FIFO, a
server) never hears of it.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

from oea_cli.commands.console.messages import Message, in_form
from oea_cli.errors import Stopped

SIGNALS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}
"""What asks the program to end, and how Python deals with it otherwise."""
IMPORTS = "<frozen importlib._bootstrap"
PATIENCE = 0.5  # seconds that an import may take after Ctrl-C
PAUSE = 0.05  # seconds until the main thread is told again
LEAVING = 2.0  # seconds that threads and libraries may take to end

_times_heard = 0
_put_off_at: float | None = None
_exit_code = 130


def handle_interrupts() -> None:
    """From now on signals end the program as above; one that ignores any (nohup) still does."""
    ours = [number for number, default in SIGNALS.items() if signal.getsignal(number) == default]
    if not ours:
        return
    for number in ours:
        signal.signal(number, _interrupt)
    sys.unraisablehook = _ask_again


def watch_interrupts() -> None:
    """Have the main thread hear of signals wherever it waits; once no file may become stdin."""
    if not any(signal.getsignal(number) is _interrupt for number in SIGNALS):
        return
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    main = threading.get_ident()
    threading.Thread(target=_tell_the_main_thread, args=(main, heard), daemon=True).start()
    if _put_off_at is not None:  # by an import, when nobody was there to say it again
        signal.raise_signal(_exit_code - 128)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _times_heard, _put_off_at, _exit_code
    _times_heard += 1
    _exit_code = 128 + number
    if not _is_importing(frame):
        _put_off_at = None
        raise KeyboardInterrupt if number == signal.SIGINT else Stopped(number)
    _put_off_at = _put_off_at or time.monotonic()
    if time.monotonic() - _put_off_at > PATIENCE:
        leave_interrupted()


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(IMPORTS):
            return True
        frame = frame.f_back
    return False


def _tell_the_main_thread(main: int, heard: int) -> None:
    """Send each signal on to the main thread until that has dealt with it.

    Whichever thread gets a signal, Python writes its number to the pipe; so does what is sent on.
    """
    known = 0
    while numbers := os.read(heard, 4096):
        for number in SIGNALS.keys() & set(numbers):
            time.sleep(PAUSE)
            unheard = _times_heard == known or _put_off_at is not None
            if unheard and signal.getsignal(number) is _interrupt:
                signal.siginterrupt(number, True)  # polars has system calls start again
                signal.pthread_kill(main, number)
            known = _times_heard


def _ask_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """An interrupt that came inside a destructor is asked for again, once that has ended.

    Not from here: Python would deal with it before this function returns, and only print it.
    """
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    main = threading.main_thread().ident
    again = threading.Timer(PAUSE, signal.pthread_kill, [main, _exit_code - 128])
    again.daemon = True
    again.start()


def heard() -> KeyboardInterrupt | None:
    """The signal that asked the program to end, if one did, whatever became of it on its way: torch
    makes a ValueError of it where a number is to become a tensor."""
    if not _times_heard:
        return None
    number = signal.Signals(_exit_code - 128)
    return KeyboardInterrupt() if number == signal.SIGINT else Stopped(number)


def leave_interrupted() -> None:
    """End the process at once, with the line that says why."""
    with suppress(OSError, ValueError):
        line = in_form(Message("oea: interrupted", level="error", code=_exit_code, is_whole=True))
        os.write(sys.stderr.fileno(), line.encode())
    os._exit(_exit_code)


def end_soon(code: int) -> None:
    """After the work: what is left to end in the process must, and Ctrl-C needs no line any more.

    Python waits for threads at exit, and one that reads a FIFO never ends.
    """
    if _put_off_at is not None:  # the whole of a short run was importing
        leave_interrupted()
    for number in SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, lambda number, _: os._exit(128 + number))
    if code > 128:
        limit = threading.Timer(LEAVING, os._exit, [code])
        limit.daemon = True
        limit.start()
