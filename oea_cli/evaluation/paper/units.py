"""The paper's evaluation in parts that can be run, stopped and resumed one by one.

A unit is one encoder on one dataset, with a folder of its own. Its results file is written last and
names the settings it was made with: a unit is done when these are the recipe's, and the encoder's
files are what they were.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from oea_cli.clips.query_types import NEGATIVE, PAPER_NAMES, TAGGING, TYPES
from oea_cli.evaluation.paper.encoder_files import files_digest
from oea_cli.evaluation.paper.published import PaperComparison, compare, paper_table
from oea_cli.evaluation.paper.recipe import Dataset, PaperEncoder, PaperRecipe, Task
from oea_cli.metrics.uiq_summary import mean_of_all
from oea_cli.records.recipe_files.validation import plain_content

RESULT_NAME = "results.json"
SETTINGS_KEY = "settings"
UIQ_TABLES = {12: "question", 13: "imperative", 14: "paraphrase", 15: "tagging", 17: "negative"}

Figures = Mapping[str, float]
"""One unit's figures of one task: by metric; for UIQ by type and metric, "question r@5"."""


@dataclass(frozen=True)
class Unit:
    """One encoder on one dataset: what to measure and where the results go."""

    encoder: PaperEncoder
    dataset: Dataset
    tasks: tuple[Task, ...]
    folder: Path
    query_files: tuple[Path, ...]
    seed: int = 0
    weights: str | None = None  # a digest of the encoder's files, where it is a folder

    @property
    def result(self) -> Path:
        """The file of results, written last."""
        return self.folder / RESULT_NAME

    @property
    def settings(self) -> str:
        """A digest of all that the results depend on in the recipe and in the encoder's files."""
        content = plain_content(dataclasses.replace(self, folder=Path()))
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    def is_done(self) -> bool:
        """True when the results are there and were made with these settings."""
        try:
            content = orjson.loads(self.result.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return False
        return isinstance(content, dict) and content.get(SETTINGS_KEY) == self.settings


def units(recipe: PaperRecipe) -> list[Unit]:
    """Every encoder on every dataset that any task needs, encoder by encoder."""
    found = []
    for encoder in recipe.encoders:
        weights = files_digest(encoder.model_name)
        for dataset in recipe.datasets:
            tasks = tuple(t for t in recipe.tasks if not t.datasets or dataset.name in t.datasets)
            if tasks:
                folder = recipe.output / encoder.name / dataset.name
                files = _query_files(recipe.uiq, dataset, tasks)
                found.append(Unit(encoder, dataset, tasks, folder, files, recipe.seed, weights))
    return found


def _query_files(
    folder: Path | None, dataset: Dataset, tasks: tuple[Task, ...]
) -> tuple[Path, ...]:
    """The UIQ files that the tasks need. Negative queries also need the positive ones, which have
    the captions by which their hard negatives are found."""
    needed = {type for task in tasks for type in task.types}
    types = TYPES if NEGATIVE in needed else needed
    if folder is None:
        return ()
    patterns = [f"*_{type}_queries.jsonl" for type in TYPES if type in types]
    return tuple(path for name in patterns for path in sorted((folder / dataset.name).glob(name)))


# --- ours beside the paper's ---


def beside_paper(
    recipe: PaperRecipe, results: Mapping[tuple[str, str], Mapping[str, Figures]]
) -> list[PaperComparison]:
    """Every table that the tasks contribute to, ours beside the paper's.

    results: by (encoder, dataset), then by task, the figures: fractions from 0 to 1, ranks, ms.
    Units without results are left out, and with them the means that need them.
    """
    rows: list[PaperComparison] = []
    for number in sorted({number for task in recipe.tasks for number in task.tables}):
        ours: dict[tuple[str, str, str], float] = {}
        for encoder in recipe.encoders:
            for dataset in recipe.datasets:
                measured = results.get((encoder.name, dataset.name), {})
                figures = _of_table(number, recipe.tasks, measured)
                ours |= {(encoder.row, dataset.name, m): value for m, value in figures.items()}
        rows += compare(ours, number)
    return rows


def _of_table(
    number: int, tasks: Iterable[Task], measured: Mapping[str, Figures]
) -> dict[str, float]:
    """One unit's figures under a table's own metric names."""
    figures: dict[str, float] = {}
    for task in tasks:
        if number in task.tables:
            figures |= {name.casefold(): v for name, v in measured.get(task.name, {}).items()}
    if number == 4:
        return _table_4(figures)
    type = UIQ_TABLES.get(number)
    if type is None:
        return figures
    return {
        metric: figures[f"{type} {metric}"]
        for metric in paper_table(number).metrics
        if f"{type} {metric}" in figures
    }


def _table_4(figures: dict[str, float]) -> dict[str, float]:
    """Recall at 5 of the four positive types, HNSR@10, and the mean of all five R@5."""
    keyphrase = PAPER_NAMES[TAGGING]
    renamed = {name.replace(TAGGING, keyphrase): value for name, value in figures.items()}
    average = mean_of_all(figures.get(f"{type} r@5") for type in TYPES)
    if "negative hnsr@10" in figures:
        renamed["hnsr@10"] = figures["negative hnsr@10"]
    return renamed if average is None else {**renamed, "avg uiq": average}
