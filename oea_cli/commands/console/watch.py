"""A bar, failures and a summary for the inputs of a long-running verb."""

import time
from collections.abc import Callable

from oea_cli.commands.console.terminal import FailureLog, Progress, is_interactive, say
from oea_cli.errors import Failure, counted


class Watch:
    """What a person sees of inputs on their way through a verb.

    `noun` is what they are, `count` their number where it can be known beforehand.
    """

    def __init__(
        self, noun: str, count: Callable[[], int | None], log: FailureLog, quiet: bool
    ) -> None:
        self.noun, self.log, self.quiet = noun, log, quiet
        total = count() if is_interactive() and not quiet else None
        self.progress = Progress(log.verb, noun, total, quiet)
        self._started = time.monotonic()

    @property
    def num_done(self) -> int:
        """Inputs that have come out whole."""
        return self.progress.done - self.log.count

    def report(self, failure: Failure) -> None:
        """Name a failed input, below the bar."""
        self.progress.close()
        self.log.report(failure)

    def report_beforehand(self, failure: Failure) -> None:
        """Name an input that failed before the work, which counts the others, began."""
        self.report(failure)
        self.progress.advance()

    def notice(self, text: object) -> None:
        """Say something that is no failure."""
        if not self.quiet:
            self.progress.close()
            say(f"oea {self.log.verb}: {text}")

    def say_summary(self, output: str) -> None:
        """One line: always about a file or folder, about a stream only where a person watches."""
        if self.quiet or (output == "-" and not is_interactive()):
            return
        seconds = time.monotonic() - self._started
        where = "" if output == "-" else f" -> {output}"
        rate = f"{self.num_done / max(seconds, 1e-9):.1f}/s"
        done = f"{counted(self.num_done, self.noun.removesuffix('s'))} in {seconds:.1f} s ({rate})"
        say(f"oea {self.log.verb}: {done}{where}")
