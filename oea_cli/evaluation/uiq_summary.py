"""UIQ's tables: recall at 5 per query type and dataset, their means, and "Avg UIQ".

As the paper has them (Tables 4 and 17): a mean over datasets is the unweighted mean of the
datasets' figures, and Avg UIQ the mean of five R@5, that of the negative queries among them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

TYPES = ("question", "imperative", "tagging", "paraphrase", "negative")
"""As the release's files call them, in Table 4's order; the paper's "keyphrase" is `tagging`."""
ALIASES = {"keyphrase": "tagging"}

Cell = tuple[str, str]
"""(dataset, type)."""


@dataclass(frozen=True)
class UiqSummary:
    """Fractions (0 to 1, or whatever went in) per type and dataset; None where cells are missing.

    `average` is the mean over types of the means over datasets; with all cells there, that equals
    the mean of the datasets' averages. Types beyond the five have means but enter no average.
    """

    cells: dict[Cell, float]
    counts: dict[Cell, int]
    type_means: dict[str, float | None]
    dataset_averages: dict[str, float | None]
    average: float | None
    missing: tuple[Cell, ...]

    def rows(self) -> list[dict[str, str | float | None]]:
        """One row per dataset and one for the mean: `dataset`, a column per type, `avg`."""
        table: list[dict[str, str | float | None]] = []
        for dataset, average in self.dataset_averages.items():
            cells = {type: self.cells.get((dataset, type)) for type in self.type_means}
            table.append({"dataset": dataset, **cells, "avg": average})
        return [*table, {"dataset": "mean", **self.type_means, "avg": self.average}]


def uiq_summary(scores: Iterable[tuple[str, str, float]]) -> UiqSummary:
    """Summarise (dataset, type, R@5 of one query: 0 or 1); every query of a cell weighs the same.

    Any other figure per query is averaged alike (HNSR@10 makes Table 4's column "Hard Neg.").
    """
    gathered: dict[Cell, list[float]] = defaultdict(list)
    for dataset, type, score in scores:
        gathered[dataset, ALIASES.get(type, type)].append(score)
    cells = {cell: fmean(values) for cell, values in gathered.items()}
    return summarise_cells(cells, {cell: len(values) for cell, values in gathered.items()})


def summarise_cells(
    cells: Mapping[Cell, float], counts: Mapping[Cell, int] | None = None
) -> UiqSummary:
    """The same from a figure per dataset and type."""
    plain = {(dataset, ALIASES.get(type, type)): value for (dataset, type), value in cells.items()}
    datasets = list(dict.fromkeys(dataset for dataset, _ in plain))
    others = dict.fromkeys(type for _, type in plain if type not in TYPES)
    type_means = {
        type: mean_of_all(plain.get((dataset, type)) for dataset in datasets)
        for type in (*TYPES, *others)
    }
    return UiqSummary(
        cells=plain,
        counts=dict(counts or {}),
        type_means=type_means,
        dataset_averages={
            dataset: mean_of_all(plain.get((dataset, type)) for type in TYPES)
            for dataset in datasets
        },
        average=mean_of_all(type_means[type] for type in TYPES),
        missing=tuple((d, t) for d in datasets for t in type_means if (d, t) not in plain),
    )


def mean_of_all(values: Iterable[float | None]) -> float | None:
    """The unweighted mean; None where any is missing: a mean of fewer is another figure."""
    listed = list(values)
    there = [value for value in listed if value is not None]
    return fmean(there) if there and len(there) == len(listed) else None
