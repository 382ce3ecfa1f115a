"""Krippendorff's alpha: how far annotators agree beyond chance; not everyone needs to judge all."""

from collections.abc import Sequence
from enum import StrEnum

Values = Sequence[float]


class Level(StrEnum):
    """Level of measurement, which defines how much two values differ."""

    nominal = "nominal"
    ordinal = "ordinal"
    interval = "interval"


def krippendorff_alpha(units: Sequence[Values], level: Level) -> float | None:
    """Alpha over units, each with the values that its annotators gave; missing ones are left out.

    1 is perfect agreement, 0 what chance gives. None where no two values differ, or no unit has
    two: there is nothing to agree about.
    """
    pairable = [unit for unit in units if len(unit) > 1]
    domain = sorted({value for unit in pairable for value in unit})
    if len(domain) < 2:
        return None
    from krippendorff import alpha

    counts = [[unit.count(value) for value in domain] for unit in map(list, pairable)]
    return float(alpha(value_counts=counts, value_domain=domain, level_of_measurement=level.value))
