"""What can go wrong, as one line a person can act on, and the exit code that goes with it."""

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass

EXIT_CODES = {
    0: "done",
    1: "failure",
    2: "wrong usage",
    3: "finished, but some inputs failed; each is named",
    4: "a metric gate is not met",
    130: "interrupted",
}
"""What every verb's exit code means."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What writing fails with on a full disk."""


class OeaError(Exception):
    """A failure a person can act on; the text reads `where: what is wrong; what to do`.

    `details` are further lines, such as every mistake in a recipe.
    """

    exit_code = 1

    def __init__(self, text: str, details: Sequence[str] = ()) -> None:
        super().__init__("\n".join([text, *(f"  {detail}" for detail in details)]))
        self.text, self.details = text, tuple(details)


class UsageError(OeaError):
    """The command line, a recipe or an option asks for something that makes no sense, whatever
    lies on the disk. What it names and is not there is a failure: see `missing`."""

    exit_code = 2


class PartialError(OeaError):
    """The work is done, but some inputs failed; each one has been named."""

    exit_code = 3


def missing(name: object, advice: str = "") -> OeaError:
    """The error of a file or folder that was named and is not there: the same command is right
    when it is, so it is a failure and not wrong usage."""
    return OeaError(f"{name}: no such file or folder{advice and '; '}{advice}")


class Stopped(KeyboardInterrupt):
    """SIGTERM or SIGHUP asked the program to end; as with Ctrl-C, what is done is saved."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@dataclass(frozen=True)
class Failure:
    """One input that could not be used: where it stands and why.

    `where` is what a person looks up: a path, or `clips.jsonl:12`.
    """

    where: str
    error: str
    id: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.error}"


Report = Callable[[Failure], None]
"""Receives each failed input; raises OeaError to stop at the first one (`--on-error fail`)."""


def raise_failure(failure: Failure) -> None:
    """The strictest Report: the first failed input ends the work."""
    raise OeaError(str(failure))


def counted(number: int, thing: str) -> str:
    """`1 query`, `2 queries`, for a message."""
    many = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{number} {thing if number == 1 else many}"
