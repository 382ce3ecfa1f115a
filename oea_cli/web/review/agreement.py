"""Krippendorff's alpha: how far annotators agree beyond chance, whoever judged what.

    alpha = 1 - D_o / D_e

D_o is the mean difference of two values within a unit, each unit of m values weighing m, and D_e
that of two values drawn from all that stand in units of two or more. After K. Krippendorff,
"Computing Krippendorff's Alpha-Reliability" (2011).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum

Values = Sequence[float]
Difference = Callable[[float, float], float]


class Level(StrEnum):
    """Level of measurement, which says how much two values differ."""

    nominal = "nominal"
    ordinal = "ordinal"
    interval = "interval"


def krippendorff_alpha(units: Sequence[Values], level: Level) -> float | None:
    """Alpha over units, each with the values that its annotators gave; missing ones are left out.

    1 is perfect agreement, 0 what chance gives. None where no two values differ, or no unit has
    two: there is nothing to agree about.
    """
    pairable = [Counter(values) for values in units if len(values) > 1]
    totals = sum(pairable, Counter[float]())
    count = totals.total()
    difference = _difference(level, totals)
    expected = _sum(totals, difference)
    if not expected:
        return None
    observed = sum(_sum(unit, difference) / (unit.total() - 1) for unit in pairable)
    return 1 - (count - 1) * observed / expected


def _sum(values: Counter[float], difference: Difference) -> float:
    """The differences of all ordered pairs of values, summed."""
    kinds = values.items()
    return sum(m * n * difference(c, k) for c, m in kinds for k, n in kinds)


def _difference(level: Level, totals: Counter[float]) -> Difference:
    """The squared difference of two values."""
    if level is Level.nominal:
        return lambda c, k: float(c != k)
    if level is Level.interval:
        return lambda c, k: (c - k) ** 2

    def ordinal(c: float, k: float) -> float:
        low, high = min(c, k), max(c, k)
        between = sum(n for value, n in totals.items() if low <= value <= high)
        return (between - (totals[c] + totals[k]) / 2) ** 2

    return ordinal
