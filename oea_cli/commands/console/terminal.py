"""What a person sees: stderr lines, progress, failed inputs. stdout carries data only."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeVar

from oea_cli.commands.console.messages import SPEAKER, Message, in_form
from oea_cli.errors import Failure, OeaError, PartialError

T = TypeVar("T")


_unsaid = False


def say(text: str, details: Sequence[str] = ()) -> None:
    """Tell something that is no failure, `oea VERB: text`."""
    tell(Message(text, details))


def tell(message: Message) -> None:
    """Write a message to stderr, in the form that was asked for.

    A stderr that takes nothing (a full disk, a reader that has left) does not end the work.
    """
    write_stderr(in_form(message))


def write_stderr(text: str) -> None:
    """Write text that is safe already; remembers that it was lost where stderr takes nothing."""
    global _unsaid
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BrokenPipeError:
        pass
    except OSError:
        _unsaid = True


def has_lost_lines() -> bool:
    """Whether something that was to be said could not be written."""
    return _unsaid


def notices(verb: str, quiet: bool = False) -> Callable[[object], None]:
    """What says a line in a verb's name; with `quiet`, nothing."""
    return lambda text: None if quiet else say(f"oea {verb}: {text}")


def say_link(verb: str) -> Callable[[str], None]:
    """What says a line with a page's own link in a verb's name: whole, as its token opens it."""
    return lambda text: tell(Message(f"oea {verb}: {text}", is_whole=True))


def is_interactive() -> bool:
    """True where a person watches stderr and can bear a moving line."""
    if SPEAKER.is_for_programs:
        return False
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class FailureLog:
    """Names each failed input once on stderr and in the errors file, and ends with exit code 3.

    Used as a context manager around the work; `report` is handed to the domain functions.
    With `on_error="fail"` the first failure is raised instead.
    """

    def __init__(self, verb: str, on_error: str = "skip", errors_file: Path | None = None) -> None:
        self.verb = verb
        self.on_error = on_error
        self.count = 0
        self._file: IO[str] | None = None
        if errors_file is not None:
            from oea_cli.records.artefacts import check_parent

            check_parent(errors_file)
            try:
                # A byte of a name that is not UTF-8 becomes JSON's own escape, \udcXX.
                self._file = errors_file.open("w", encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                raise OeaError(f"{errors_file}: {error.strerror}") from error

    def report(self, failure: Failure) -> None:
        """Record one failed input."""
        self.count += 1
        if self._file is not None:
            row = {"id": failure.id, "where": failure.where, "error": failure.error}
            self._write(row)
        if self.on_error == "fail":
            raise OeaError(str(failure))
        text = f"oea {self.verb}: {failure}"
        tell(Message(text, level="failure", code=PartialError.exit_code, item=failure.where))

    def _write(self, row: dict[str, str | None]) -> None:
        from oea_cli.records.secrets import redacted

        assert self._file is not None
        shown = {key: value and redacted(value) for key, value in row.items()}
        try:
            self._file.write(json.dumps(shown, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise OeaError(f"{self._file.name}: {error.strerror}") from error

    def finish(self, num_done: int, noun: str = "input") -> None:
        """Raise PartialError when anything failed, OeaError when nothing succeeded."""
        if self.count and not num_done:
            raise OeaError(
                f"the one {noun} failed" if self.count == 1 else f"all {self.count} {noun}s failed"
            )
        if self.count:
            total = self.count + num_done
            raise PartialError(f"{self.count} of {total} {noun}s failed, {num_done} done")

    def __enter__(self) -> "FailureLog":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk, named already
                self._file.close()


class Progress:
    """A bar with rate and time left on a terminal; silent in a pipe and under -q."""

    def __init__(self, verb: str, unit: str, total: int | None = None, quiet: bool = False) -> None:
        self.verb, self.unit, self.total = verb, unit, total
        self.done = 0
        self._shown = is_interactive() and not quiet
        self._started = self._last = time.monotonic()

    def advance(self, count: int = 1) -> None:
        """Count finished items; redraws at most five times a second."""
        self.done += count
        now = time.monotonic()
        if self._shown and now - self._last >= 0.2:
            self._last = now
            write_stderr("\r\x1b[K" + self._line(now - self._started))

    def close(self) -> None:
        """Clear the moving line."""
        if self._shown:
            write_stderr("\r\x1b[K")

    def _line(self, seconds: float) -> str:
        rate = self.done / seconds if seconds else 0.0
        if not self.total:
            return f"oea {self.verb}: {self.done} {self.unit}  {rate:.1f}/s"
        filled = 24 * self.done // self.total
        bar = "█" * filled + "░" * (24 - filled)
        left = (self.total - self.done) / rate if rate else 0.0
        return (
            f"oea {self.verb}: {bar} {self.done}/{self.total} {self.unit}  "
            f"{rate:.1f}/s  {_clock(left)} left"
        )

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, counting each."""
        try:
            for item in items:
                yield item
                self.advance()
        finally:
            self.close()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
