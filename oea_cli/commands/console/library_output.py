"""What libraries print by themselves: hidden from a person, unless -v asks for it."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

OWN_LOGGER = "oea_cli"


@contextmanager
def hidden_library_output() -> Iterator[None]:
    """Keep libraries' log lines, warnings, bars and C-level lines off stderr; ours still appear.

    It names no library and imports none, so it holds for those that are imported inside, too.
    """
    with ExitStack() as hidden:
        if "TQDM_DISABLE" not in os.environ:
            # Read when tqdm is imported. The hub's download bars, which decide themselves, stay.
            os.environ["TQDM_DISABLE"] = "1"
            hidden.callback(os.environ.pop, "TQDM_DISABLE", None)
        hidden.enter_context(_hidden_log_records())
        hidden.enter_context(_hidden_warnings())
        hidden.enter_context(_hidden_descriptor())
        yield


@contextmanager
def own_log_told() -> Iterator[None]:
    """Tell what rooms below log, such as a licence before a download, in the form asked for."""
    import logging

    from oea_cli.commands.console.terminal import say

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(record.getMessage())

    logger, handler = logging.getLogger(OWN_LOGGER), Told()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@contextmanager
def _hidden_log_records() -> Iterator[None]:
    """Give records of others a level below that of every handler, whoever has set it up."""
    import logging

    original = logging.getLogRecordFactory()

    def make_record(name: str, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = original(name, *args, **kwargs)
        if name.partition(".")[0] != OWN_LOGGER:
            record.levelno = logging.NOTSET - 1
        return record

    logging.setLogRecordFactory(make_record)
    try:
        yield
    finally:
        logging.setLogRecordFactory(original)


@contextmanager
def _hidden_warnings() -> Iterator[None]:
    """Print no warning; filters, and with them errors made of warnings, stay in force."""
    import warnings

    original = warnings.showwarning
    warnings.showwarning = lambda *args, **kwargs: None
    try:
        yield
    finally:
        warnings.showwarning = original


@contextmanager
def _hidden_descriptor() -> Iterator[None]:
    """Point descriptor 2, where C libraries write (libmpg123 about a broken mp3), at nothing.

    `sys.stderr` moves to another descriptor for the time being.
    """
    stderr = sys.stderr
    stderr.flush()
    real = os.dup(2)
    os.set_inheritable(real, False)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    if _has_descriptor(stderr, 2):
        sys.stderr = open(  # noqa: SIM115
            real, "w", 1, stderr.encoding, errors="backslashreplace", closefd=False
        )
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = stderr
        os.dup2(real, 2)
        os.close(real)


def _has_descriptor(stream: object, descriptor: int) -> bool:
    try:
        return bool(stream.fileno() == descriptor)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False  # a test's own stream
