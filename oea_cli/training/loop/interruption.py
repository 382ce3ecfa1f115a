"""Ctrl-C and SIGTERM: the step in progress is finished, and everything is saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from oea_cli.errors import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest(threading.Event):
    """Set when the run should stop, by a signal."""

    number: int = signal.SIGINT

    def ask(self, number: int) -> None:
        """Stop because of this signal."""
        self.number = number
        self.set()

    @property
    def interrupt(self) -> KeyboardInterrupt:
        """What the run ends with, once all is saved."""
        return KeyboardInterrupt() if self.number == signal.SIGINT else Stopped(self.number)


def ignore_signals(worker: int) -> None:
    """For background processes: the loop decides when they end.

    A signal often reaches the whole process group; the workers end by themselves with the loop.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Set by Ctrl-C, SIGTERM or SIGHUP, so that a step is never cut in the middle."""
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, lambda n, _: stop.ask(n)) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
