"""Krippendorff's alpha: published examples, the definition by brute force, what cannot be told.

Run: pytest tests/test_review_agreement.py
"""

import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oea_cli.web.review.agreement import Level, krippendorff_alpha

# K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): the four-observer data of
# section C; the two-observer data of sections A and B. A dot is a missing value.
FOUR_OBSERVERS = """
    1 2 3 3 2 1 4 1 2 . . .
    1 2 3 3 2 2 4 1 2 5 . 3
    . 3 3 3 2 3 4 2 2 5 1 .
    1 2 3 3 2 4 4 1 2 5 1 .
"""
BINARY = """
    0 1 0 0 0 0 0 0 1 0
    1 1 1 0 0 1 0 0 0 0
"""
LETTERS = """
    a a b b d c c c e d d a
    b a b b b c c c e d d d
"""


def units(table: str) -> list[list[float]]:
    """Columns of values, those that are there."""
    rows = [line.split() for line in table.strip().splitlines()]
    return [[float(int(v, 16)) for v in column if v != "."] for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("table", "level", "published"),
    [
        (FOUR_OBSERVERS, Level.nominal, 0.743),
        (FOUR_OBSERVERS, Level.ordinal, 0.815),
        (FOUR_OBSERVERS, Level.interval, 0.849),
        (BINARY, Level.nominal, 0.095),
        (LETTERS, Level.nominal, 0.692),
    ],
)
def test_published_examples(table: str, level: Level, published: float) -> None:
    alpha = krippendorff_alpha(units(table), level)
    assert alpha == pytest.approx(published, abs=0.0005)


def by_definition(data: list[list[int]], level: Level) -> float | None:
    """Mean difference within units over mean difference of any two values, pair by pair."""
    pairable = [unit for unit in data if len(unit) > 1]
    values = [value for unit in pairable for value in unit]

    def difference(c: int, k: int) -> float:
        if level is Level.nominal:
            return float(c != k)
        if level is Level.interval:
            return float((c - k) ** 2)
        ends = (values.count(c) + values.count(k)) / 2
        return float((sum(values.count(g) for g in range(min(c, k), max(c, k) + 1)) - ends) ** 2)

    expected = [difference(c, k) for c, k in permutations(values, 2)]
    if not sum(expected):
        return None
    weighted = sum(
        len(unit) * sum(difference(c, k) for c, k in permutations(unit, 2)) / (m * (m - 1))
        for unit in pairable
        if (m := len(unit))
    )
    return 1 - (weighted / len(values)) / (sum(expected) / len(expected))


@given(st.lists(st.lists(st.integers(1, 5), max_size=4), max_size=8), st.sampled_from(list(Level)))
def test_it_is_the_definition(data: list[list[int]], level: Level) -> None:
    expected = by_definition(data, level)
    found = krippendorff_alpha(data, level)
    if expected is None:
        assert found is None
    else:
        assert found is not None and math.isclose(found, expected, abs_tol=1e-9)


@pytest.mark.parametrize("level", Level)
def test_what_cannot_be_told_and_what_is_perfect(level: Level) -> None:
    assert krippendorff_alpha([], level) is None
    assert krippendorff_alpha([[1], [2], []], level) is None
    assert krippendorff_alpha([[1, 1], [1, 1]], level) is None
    assert krippendorff_alpha([[1, 1], [2, 2, 2], [5]], level) == 1.0
    assert (krippendorff_alpha([[1, 2], [2, 1]], level) or 0) < 0
