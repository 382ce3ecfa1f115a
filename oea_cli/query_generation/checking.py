"""How well somebody's file of queries keeps the rules, type by type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oea_cli.clips.query_types import POSITIVE, TYPES
from oea_cli.query_generation.release_rows import ReleasedQuery
from oea_cli.query_generation.rules import (
    LENGTH_MARGIN,
    Query,
    Seen,
    Violation,
    rules_for,
    violations,
)

REPEATED = "repeated"


@dataclass(frozen=True)
class CheckedQuery:
    """A query and the rules that it breaks."""

    released: ReleasedQuery
    violations: list[Violation]


def check(queries: Sequence[ReleasedQuery]) -> list[CheckedQuery]:
    """Check every query by the rules of its type, and the set for repetitions."""
    seen = Seen()
    checked = []
    for released in queries:
        found = violations(released.query)
        repeated = seen.add(released.query.text, released.where)
        checked.append(CheckedQuery(released, [*found, *([repeated] if repeated else [])]))
    return checked


def is_within_margin(query: Query) -> bool:
    """True within two words of the caption that fits best, every word counted."""
    if query.best_caption is None:
        return False
    difference = len(query.words) - query.about.lengths[query.best_caption]
    return abs(difference) <= LENGTH_MARGIN


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
        within = sum(is_within_margin(each.released.query) for each in checked)
        counts["within_2_words"] = within
    return {**counts, "rules": {name: len(checked) - broken.count(name) for name in names}}
