"""Every end of a verb as one line on stderr and an exit code."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer

from oea_cli.commands.console.interrupts import heard
from oea_cli.commands.console.memory_limit import in_words, is_out_of_memory, is_scarce
from oea_cli.commands.console.messages import SPEAKER, Message
from oea_cli.commands.console.streams import (
    draw_what_encodings_lack,
    flush_fails,
    is_unread,
    write_out,
)
from oea_cli.commands.console.terminal import has_lost_lines, tell, write_stderr
from oea_cli.commands.console.usage import is_usage_error, usage_in_words, variable_used
from oea_cli.errors import NO_ROOM, OeaError, Stopped

NO_MORE = (*NO_ROOM, errno.EBADF)
"""What writing alone fails with."""


@dataclass
class Running:
    """The context of the verb that runs, once its options are read."""

    context: Any = None

    @property
    def is_verbose(self) -> bool:
        """Whether -v or OEA_VERBOSE asks for tracebacks."""
        return self.context is not None and bool(self.context.params.get("verbose"))


def exit_code_of(work: Callable[[Running], None]) -> int:
    """Do the work and return its exit code; what went wrong has been said."""
    draw_what_encodings_lack()
    running = Running()
    try:
        try:
            work(running)
            code = 0
        except typer.Exit as end:
            code = end.exit_code
        write_out()
    except BaseException as error:
        code = _ended_by(error, running)
    flush_fails(sys.stdout)  # what is left after a failure
    if has_lost_lines() and code == 0:
        code = 1  # what could not be said may have mattered
    flush_fails(sys.stderr)
    return code


def _ended_by(error: BaseException, running: Running) -> int:
    """Say in one line why the work ended; returns the exit code."""
    if (interrupt := _interrupt_in(error) or heard()) is not None:
        advice = "".join(f"; {note}" for note in getattr(interrupt, "__notes__", ()))
        code = interrupt.exit_code if isinstance(interrupt, Stopped) else 130
        return _ended(f"interrupted{advice}", code)
    if isinstance(error, BrokenPipeError) and is_unread(sys.stdout):
        return 0  # the reader downstream has seen enough (`| head -1`)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if is_usage_error(error):
        return _wrong_usage(error)
    if running.is_verbose:
        _show_traceback(error)
    if is_out_of_memory(error):
        return _ended(in_words(), 1)
    if isinstance(error, OSError) and error.strerror:
        error = _of_the_system(error)
    if isinstance(error, OeaError):
        origin = _origin(error.text, running.context)
        return _ended(error.text, error.exit_code, error.details, origin)
    if is_scarce():  # such as a lock that polars' end of memory left held
        return _ended(in_words(), 1)
    hint = "" if running.is_verbose else " (-v shows where)"
    return _ended(f"{type(error).__name__}: {error}{hint}", 1)


def _ended(text: str, code: int, details: Sequence[str] = (), origin: str = "") -> int:
    """Say why the verb ends; returns its exit code."""
    tell(Message(f"{SPEAKER.verb}: {text}", details, "error", code, origin=origin))
    return code


def _interrupt_in(error: BaseException | None) -> KeyboardInterrupt | None:
    """Ctrl-C or another signal, also where a library made an error of it."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return error
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def going_on(advice: str) -> Iterator[None]:
    """Say, where the work is interrupted, how to go on."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(advice)
        raise


def _wrong_usage(error: Any) -> int:
    if type(error).__name__ == "NoArgsIsHelpError" and not SPEAKER.is_for_programs:
        write_stderr(f"{error.message}\n")
        return 2
    return _ended(usage_in_words(error), 2)


def _show_traceback(error: BaseException) -> None:
    from oea_cli.records.secrets import redacted
    from oea_cli.records.visible import visible

    # As a whole: a key that a server broke over lines is found only there.
    for line in redacted("".join(traceback.format_exception(error))).splitlines():
        write_stderr(f"{visible(line)}\n")


def _origin(text: str, ctx: Any) -> str:
    """` (from OEA_DEVICE)`, where a message is about a value that comes from there."""
    for param in ctx.command.params if ctx else []:
        if variable := variable_used(param, ctx):
            value = os.environ[variable]
            starts = (f"{value}: ", *(f"{name} " for name in param.opts))
            if text.startswith(starts) or f"'{value}'" in text or f"got {value}" in text:
                return f" (from {variable})"
    return ""


def _of_the_system(error: OSError) -> OeaError:
    """A file's name and the system's own words, such as a full disk; stdout where that is stuck."""
    if error.filename is None:
        try:
            write_out()
        except OeaError as failure:
            return failure
    could_not = "could not write" if error.errno in NO_MORE else "writing or reading failed"
    return OeaError(f"{error.filename or could_not}: {error.strerror}")
