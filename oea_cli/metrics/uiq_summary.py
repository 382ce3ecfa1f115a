"""Avg UIQ, as in the paper's Table 4: the mean of R@5 over the five types of queries, the negative
ones among them, each type's R@5 the unweighted mean over datasets."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import fsum


def average_uiq(
    scores: Iterable[tuple[str, str, float]], type_of: Mapping[str, str]
) -> float | None:
    """Avg UIQ from (dataset, type, R@5) of each query; every query of a cell weighs the same.

    `type_of` is the type by each of its names. None where a dataset lacks one of the types; other
    types do not count.
    """
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for dataset, type, score in scores:
        cells[dataset, type_of.get(type, type)].append(score)
    datasets = dict.fromkeys(dataset for dataset, _ in cells)
    return mean_of_all(
        mean_of_all(_mean(cells[cell]) if (cell := (d, type)) in cells else None for d in datasets)
        for type in dict.fromkeys(type_of.values())
    )


def mean_of_all(values: Iterable[float | None]) -> float | None:
    """The unweighted mean; None where any value is missing: a mean of fewer is another figure."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    return _mean(known) if known and len(known) == len(listed) else None


def _mean(values: Sequence[float]) -> float:
    # statistics.fmean is the same, but importing statistics takes as long as scoring a small run.
    return fsum(values) / len(values)
