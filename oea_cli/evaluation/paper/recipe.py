"""The recipe of the paper's evaluation: which encoders, datasets and tasks; `paper-eval.yaml`.

Checked in full before anything loads, as training recipes are. A value comes from the first of
these that has one: `--set key=value`; OEA_AUDIOCAPS, OEA_CLOTHO, OEA_MECAT (each dataset's
records) and OEA_UIQ (the release's folder); the recipe file; the defaults below. Paths are relative
to the recipe file.
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from oea_cli.errors import UsageError
from oea_cli.evaluation.paper.published import DATASETS, encoder_key, paper_table
from oea_cli.metrics.metrics import parse_metric
from oea_cli.metrics.uiq_summary import TYPES
from oea_cli.recipe_tree import apply_override, build, raise_mistakes, read_mapping
from oea_cli.records.addresses import is_remote

KINDS = ("text-to-audio", "text-to-text", "uiq", "speed")
CAPTIONS = ("all", "one")
SPEED_METRICS = ("audio ms", "text ms", "peak gb", "trainable m")
# Composed of several tasks' figures, so that no single task has all of its columns.
COMPOSED_TABLES = {4, 11}
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class Dataset:
    """One of the paper's datasets, as it lies on the user's disk."""

    name: str
    records: str | None = None  # its captions as published, or any records with captions
    clips: int | None = None  # how many the paper has; another number is pointed out
    captions_per_clip: int | None = None  # the first so many; all by default


@dataclass(frozen=True)
class PaperEncoder:
    """An encoder to be measured."""

    name: str  # of its folder in the results
    model: str | None = None  # what --model takes; the name by default
    revision: str | None = None
    paper: str | None = None  # whose row it stands beside; by default the name, if that has one

    @property
    def model_name(self) -> str:
        """What it is loaded by."""
        return self.model or self.name

    @property
    def row(self) -> str:
        """The encoder of the paper that it is compared with, or its own name."""
        return encoder_key(self.paper or self.name)


@dataclass(frozen=True)
class Task:
    """One measurement of every encoder on the datasets named, or on all."""

    name: str
    kind: str
    metrics: tuple[str, ...]
    tables: tuple[int, ...]  # of the paper, to which it contributes
    types: tuple[str, ...] = ()  # of UIQ's queries
    captions: str = "all"  # as queries, or "one" per clip
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True)
class PaperRecipe:
    """Everything an evaluation after the paper needs to know."""

    name: str
    output: Path
    datasets: tuple[Dataset, ...]
    encoders: tuple[PaperEncoder, ...]
    tasks: tuple[Task, ...]
    uiq: Path | None = None  # the release's folder, with one folder per dataset
    seed: int = 0


def load_paper_recipe(path: Path, overrides: Sequence[str] = ()) -> PaperRecipe:
    """Read a recipe; raises UsageError that names every mistake in it at once.

    overrides are `key=value`, with dots for what lies inside: `datasets.clotho.records=x.csv`,
    `uiq=~/UIQ`, `encoders=[{name: mini}]`. Whether the data are there is `missing_inputs`'s to say.
    """
    tree = read_mapping(path)
    errors: list[str] = []
    _make_absolute(tree, path.parent)
    _apply_environment(tree)
    for override in overrides:
        apply_override(tree, override, errors)
    for part, key in [(tree, "uiq"), *_records_places(tree)]:
        part[key] = _expanded(part.get(key))
    recipe = build(PaperRecipe, tree, "", errors)
    if not errors:
        errors = list(_mistakes(recipe))
    raise_mistakes(path, errors)
    return cast(PaperRecipe, recipe)


def missing_inputs(recipe: PaperRecipe) -> list[str]:
    """What the recipe needs and is not there, a line each with what to do; empty when all is."""
    missing = []
    for dataset in recipe.datasets:
        option = f"--set datasets.{dataset.name}.records=FILE or OEA_{dataset.name.upper()}"
        if dataset.records is None:
            missing.append(f"{dataset.name}: no records; {option} says where its captions are")
        elif not is_remote(dataset.records) and not Path(dataset.records).exists():
            missing.append(f"{dataset.name}: {dataset.records} does not exist; {option} changes it")
    if types := _types(recipe):
        missing += _missing_queries(recipe, types)
    return missing


def _missing_queries(recipe: PaperRecipe, types: list[str]) -> list[str]:
    if recipe.uiq is None:
        return ["uiq: not set; --set uiq=DIR or OEA_UIQ names the folder of the UIQ release"]
    return [
        f"{recipe.uiq / dataset.name}: no *_{type}_queries.jsonl in it; "
        "--set uiq=DIR or OEA_UIQ names the folder of the UIQ release"
        for dataset in recipe.datasets
        for type in types
        if not list((recipe.uiq / dataset.name).glob(f"*_{type}_queries.jsonl"))
    ]


def _types(recipe: PaperRecipe) -> list[str]:
    return list(dict.fromkeys(type for task in recipe.tasks for type in task.types))


# --- where values come from ---


def _make_absolute(tree: dict[str, Any], folder: Path) -> None:
    """Make the file's own paths relative to it; those given otherwise are so to where one is."""
    for part, key in [(tree, "output"), (tree, "uiq"), *_records_places(tree)]:
        value = part.get(key)
        if isinstance(value, str) and not is_remote(value):
            part[key] = str((folder / Path(value).expanduser()).resolve())


def _apply_environment(tree: dict[str, Any]) -> None:
    if folder := os.environ.get("OEA_UIQ"):
        tree["uiq"] = folder
    for part, key in _records_places(tree):
        if records := os.environ.get(f"OEA_{part.get('name')}".upper()):
            part[key] = records


def _expanded(value: Any) -> Any:
    """A path in full, so that a unit that is done is known from anywhere; ~, which the shell
    leaves alone inside key=~/x, is the home folder."""
    is_path = isinstance(value, str) and not is_remote(value)
    return str(Path(value).expanduser().resolve()) if is_path else value


def _records_places(tree: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    datasets = tree.get("datasets")
    parts = datasets if isinstance(datasets, list) else []
    return [(part, "records") for part in parts if isinstance(part, dict)]


# --- whether the values make sense ---


def _mistakes(recipe: PaperRecipe) -> Iterator[str]:
    for what in ("datasets", "encoders", "tasks"):
        yield from _name_mistakes(what, [part.name for part in getattr(recipe, what)])
    for dataset in recipe.datasets:
        place = f"datasets.{dataset.name}"
        yield from _unknown(f"{place}.name", [dataset.name], DATASETS)
        for key in ("clips", "captions_per_clip"):
            number = getattr(dataset, key)
            if number is not None and number < 1:
                yield f"{place}.{key}: must be greater than 0, not {number}"
    for encoder in recipe.encoders:
        if encoder.paper is not None:
            yield from _unknown(
                f"encoders.{encoder.name}.paper", [encoder.row], paper_table(2).encoders
            )
    for task in recipe.tasks:
        yield from _task_mistakes(task, [dataset.name for dataset in recipe.datasets])


def _name_mistakes(what: str, names: list[str]) -> Iterator[str]:
    if not names:
        yield f"{what}: needs at least one"
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{what}: two are called '{name}'"
        if not FOLDER_NAME.fullmatch(name):
            yield f"{what}: '{name}' names a folder of results: letters, digits and . _ + - only"


def _task_mistakes(task: Task, datasets: list[str]) -> Iterator[str]:
    place = f"tasks.{task.name}"
    yield from _unknown(f"{place}.kind", [task.kind], KINDS)
    yield from _unknown(f"{place}.captions", [task.captions], CAPTIONS)
    yield from _unknown(f"{place}.types", task.types, TYPES)
    yield from _unknown(f"{place}.datasets", task.datasets, datasets)
    if (task.kind == "uiq") != bool(task.types):
        yield f"{place}.types: a task of kind uiq needs query types, and no other has any"
    if not task.metrics:
        yield f"{place}.metrics: needs at least one"
    yield from _metric_mistakes(f"{place}.metrics", task)
    for number in task.tables:
        yield from _table_mistakes(f"{place}.tables", number, task)


def _metric_mistakes(place: str, task: Task) -> Iterator[str]:
    if task.kind == "speed":
        yield from _unknown(place, task.metrics, SPEED_METRICS)
        return
    for metric in task.metrics:
        try:
            parse_metric(metric)
        except UsageError as error:
            yield f"{place}: {error}"


def _table_mistakes(place: str, number: int, task: Task) -> Iterator[str]:
    try:
        table = paper_table(number)
    except UsageError as error:
        yield f"{place}: {error}"
        return
    names = {_metric_name(metric) for metric in task.metrics}
    lacking = [metric for metric in table.metrics if metric not in names]
    if lacking and number not in COMPOSED_TABLES:
        yield f"{place}: Table {number} needs {', '.join(lacking)} among the metrics"


def _metric_name(text: str) -> str:
    """A metric as the tables spell it: `r@10` for `Recall@10`; others, named as mistakes, as is."""
    try:
        return str(parse_metric(text))
    except UsageError:
        return text.casefold()


def _unknown(place: str, values: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    for value in values:
        if value not in known:
            near = difflib.get_close_matches(value, known, n=1, cutoff=0.0)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            yield f"{place}: '{value}' is unknown{hint}"
