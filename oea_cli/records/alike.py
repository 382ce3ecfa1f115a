"""Tells one wrong table in one line, not in a line for each of its rows."""

from oea_cli.errors import Failure, Report

MOST_HELD = 10_000


class AlikeFailures:
    """Failures of a table's rows: where all of them fail in the same way, they are one.

    They are held back until a row is good or fails in another way.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._held: list[Failure] = []
        self._holds = True

    def add(self, failure: Failure) -> None:
        """A row that could not be used."""
        self._held.append(failure)
        if failure.error != self._held[0].error or len(self._held) > MOST_HELD:
            self._holds = False
        if not self._holds:
            self.release()

    def release(self) -> None:
        """Report those held back, row by row: a row was good."""
        if not self._holds and not self._held:
            return
        self._holds = False
        held, self._held = self._held, []
        for failure in held:
            self._report(failure)

    def end(self) -> None:
        """There are no more rows."""
        if len(self._held) > 1:
            first = self._held[0]
            table = first.where.removesuffix(": row").rpartition(":")[0] or first.where
            count = len(self._held)
            self._held = [Failure(table, f"none of its {count} rows can be used: {first.error}")]
        self.release()
