"""Checks how well files of queries keep the rules, type by type."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from oea_cli.clips.query_types import POSITIVE, TYPES, types_named
from oea_cli.errors import PartialError, Report
from oea_cli.query_generation.grammar.rules import (
    REPEATED,
    SeenQueries,
    Violation,
    rules_for,
    violations,
)
from oea_cli.query_generation.output import write_rows
from oea_cli.query_generation.release_rows import ReleasedQuery, read_release
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table


@dataclass(frozen=True, slots=True)
class CheckedQuery:
    """A query and the rules that it breaks."""

    released: ReleasedQuery
    violations: list[Violation]

    def reject(self) -> Record:
        """Its row, with its place and every rule it breaks."""
        reasons = [str(violation) for violation in self.violations]
        return {**self.released.row, "where": self.released.where, "reasons": reasons}


def check_files(
    inputs: Sequence[str], *, types: Sequence[str] = (), limit: int | None = None, report: Report
) -> list[CheckedQuery]:
    """Check the queries in files, of these types (all where none is named), up to `limit` rows.

    Rows that are not queries go to `report`. Raises UsageError for a type that is unknown, OeaError
    for a file that cannot be read.
    """
    rows = chain.from_iterable(read_table(name, report=report) for name in inputs)
    chosen = types_named(types)
    queries = read_release(islice(rows, limit), report)
    return check(each for each in queries if each.query.type in chosen)


def check(queries: Iterable[ReleasedQuery]) -> list[CheckedQuery]:
    """Check every query by the rules of its type, and the set for repetitions."""
    seen = SeenQueries()
    checked = []
    for released in queries:
        found = violations(released.query)
        repeated = seen.add(released.query.text, released.where)
        checked.append(CheckedQuery(released, [*found, *([repeated] if repeated else [])]))
    return checked


def save_broken(checked: Sequence[CheckedQuery], rejects: Path | None) -> None:
    """Write the queries that break a rule to a file; raises PartialError where there are any."""
    broken = [each for each in checked if each.violations]
    if rejects is not None:
        write_rows([each.reject() for each in broken], rejects)
    if broken:
        hint = "" if rejects is not None else "; --rejects FILE lists them"
        raise PartialError(f"{len(broken)} of {len(checked)} queries break a rule{hint}")


def summary(checked: Sequence[CheckedQuery]) -> dict[str, Any]:
    """Counts per type: `rows`, `pass` (all rules), `within_2_words` (positive types), and under
    `rules` how many rows keep each one.
    """
    return {
        name: _counts(name, of_type)
        for name in TYPES
        if (of_type := [each for each in checked if each.released.query.type == name])
    }


def _counts(query_type: str, checked: Sequence[CheckedQuery]) -> dict[str, Any]:
    broken = [violation.rule for each in checked for violation in each.violations]
    names = [*rules_for(query_type), REPEATED]
    counts: dict[str, Any] = {
        "rows": len(checked),
        "pass": sum(not each.violations for each in checked),
    }
    if query_type in POSITIVE:
        counts["within_2_words"] = sum(each.released.query.is_within_margin for each in checked)
    return {**counts, "rules": {name: len(checked) - broken.count(name) for name in names}}


def summary_table(counts: dict[str, Any]) -> str:
    """A summary for people: a line per type and, below it, one per rule."""
    lines = [f"{'type and rule':<16} {'rows':>6} {'keep it':>8} {'%':>6}"]

    def add(name: str, kept: int, rows: int) -> None:
        lines.append(f"{name:<16} {rows:>6} {kept:>8} {100 * kept / rows:>6.1f}")

    for name, of_type in counts.items():
        add(name, of_type["pass"], of_type["rows"])
        if "within_2_words" in of_type:
            add("  within 2 words", of_type["within_2_words"], of_type["rows"])
        for rule, kept in of_type["rules"].items():
            add(f"  {rule}", kept, of_type["rows"])
    return "\n".join(lines) + "\n"
