"""The paper's figures, stored as data with their source, and ours beside them.

`paper_tables.yaml` holds Tables 2 to 4 and 11 to 17 of the Omni-Embed-Audio paper.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from oea_cli.errors import UsageError
from oea_cli.metrics.uiq_summary import mean_of_all

DATASETS = ("audiocaps", "clotho", "mecat")
MEAN = "mean"
"""In place of a dataset: the unweighted mean over the three."""
DATA = Path(__file__).with_name("paper_tables.yaml")

Key = tuple[str, str, str]
"""(encoder, dataset, metric)."""


@dataclass(frozen=True)
class Table:
    """One table of the paper; `cells` has its figures as printed, by encoder, dataset, metric."""

    number: int
    title: str
    datasets: tuple[str, ...]
    metrics: tuple[str, ...]
    cells: dict[Key, float]
    note: str = ""  # what to know before comparing

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders with a row, in the table's order."""
        return tuple(dict.fromkeys(encoder for encoder, _, _ in self.cells))

    @property
    def columns(self) -> tuple[str, ...]:
        """The datasets, and the mean over them where there are several."""
        return self.datasets if len(self.datasets) == 1 else (*self.datasets, MEAN)

    def value(self, encoder: str, dataset: str, metric: str) -> float | None:
        """A figure as printed; the mean over datasets is computed where it is not printed."""
        if dataset == MEAN and dataset not in self.datasets:
            return mean_of_all(self.cells.get((encoder, name, metric)) for name in self.datasets)
        return self.cells.get((encoder, dataset, metric))


@dataclass(frozen=True)
class PaperComparison:
    """Ours beside the paper's, in `unit`: mostly percent; None where either has no figure."""

    table: int
    encoder: str
    dataset: str
    metric: str
    ours: float
    paper: float | None
    difference: float | None
    unit: str


def paper_table(number: int) -> Table:
    """A table by its number in the paper; raises UsageError for one that is not stored."""
    tables = _tables()
    if number not in tables:
        known = ", ".join(str(known) for known in tables)
        raise UsageError(f"Table {number} of the paper is not included; the tables are {known}")
    return tables[number]


def compare(ours: Mapping[Key, float], table: int) -> list[PaperComparison]:
    """Our figures (fractions 0 to 1; ranks, ms and the like as they are) beside a table's.

    Rows in the table's order, first its encoders, then ours that it lacks, each dataset and then
    the mean. A mean of ours is taken as given, or over the three datasets where all are there.
    Figures that the table does not have a column for are left out.
    """
    found = paper_table(table)
    known = {
        (encoder_key(encoder), dataset_key(dataset), _plain(metric)): value
        for (encoder, dataset, metric), value in ours.items()
    }
    encoders = dict.fromkeys((*found.encoders, *(encoder for encoder, _, _ in known)))
    return [
        _comparison(found, (encoder, dataset, metric), value)
        for encoder in encoders
        for dataset in found.columns
        for metric in found.metrics
        if (value := _ours(known, (encoder, dataset, metric))) is not None
    ]


def _ours(known: Mapping[Key, float], key: Key) -> float | None:
    encoder, dataset, metric = key
    if key in known or dataset != MEAN:
        return known.get(key)
    return mean_of_all(known.get((encoder, name, metric)) for name in DATASETS)


def _comparison(table: Table, key: Key, value: float) -> PaperComparison:
    encoder, dataset, metric = key
    unit = unit_of(metric)
    ours = value * 100 if unit == "%" else value
    paper = table.value(*key)
    difference = None if paper is None else ours - paper
    return PaperComparison(
        table.number, encoder_name(encoder), dataset, metric, ours, paper, difference, unit
    )


def unit_of(metric: str) -> str:
    """The unit in which the paper prints a metric."""
    return str(_document()["units"].get(_plain(metric), "%"))


def source() -> str:
    """What the figures are taken from, for the foot of a table."""
    return str(_document()["source"])


def encoder_key(name: str) -> str:
    """The short name of an encoder of the paper, from any name it goes by; others as they are.

    `OEA-Qwen3B(+Cl)`, `JudeJiwoo/OEA-Qwen3B-Cl` -> `oea-qwen3b-cl`; `omni:Qwen/Qwen2.5-Omni-3B` ->
    `qwen2.5-omni-3b`; the Hub's names of the checkpoints without Clotho end with -AC.
    """
    for key, printed in _document()["encoders"].items():
        if name == printed:
            return str(key)
    key = name.rpartition("/")[2].rpartition(":")[2].casefold().replace("(+cl)", "-cl")
    key = re.sub(r"^(oea-.*)-ac$", r"\1", key)
    return key if key in _document()["encoders"] else name


def encoder_name(key: str) -> str:
    """The name that the paper prints for an encoder, or the name itself."""
    return str(_document()["encoders"].get(key, key))


def dataset_key(name: str) -> str:
    """`clotho` for `Clotho` and for `clotho_evaluation`; other names as they are."""
    start = _plain(name).partition("_")[0]
    return start if start in DATASETS else _plain(name)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


@cache
def _document() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return content


@cache
def _tables() -> dict[int, Table]:
    return {number: _table(number, part) for number, part in _document()["tables"].items()}


def _table(number: int, part: dict[str, Any]) -> Table:
    datasets, metrics = tuple(part["datasets"]), tuple(part["metrics"])
    cells: dict[Key, float] = {}
    for encoder, row in part["rows"].items():
        for dataset, figures in zip(datasets, row if len(datasets) > 1 else [row], strict=True):
            for metric, figure in zip(metrics, figures, strict=True):
                cells[encoder, dataset, metric] = float(figure)
    return Table(number, part["title"], datasets, metrics, cells, part.get("note", ""))
