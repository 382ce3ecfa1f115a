"""The recipe of the paper's evaluation, `paper-eval.yaml`: its encoders, datasets and tasks.

It is checked in full before anything loads, as training recipes are. A value comes from the first
of these that has one: `--set key=value`; OEA_AUDIOCAPS, OEA_CLOTHO, OEA_MECAT (each dataset's
records) and OEA_UIQ (the release's folder); the recipe file; the defaults below. Paths are relative
to the recipe file.
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from oea_cli.clips.query_types import TYPES
from oea_cli.errors import UsageError
from oea_cli.evaluation.paper.published import DATASETS, encoder_key, paper_table
from oea_cli.metrics.metrics import parse_metric
from oea_cli.records.addresses import is_remote
from oea_cli.records.recipe_files.fields import (
    Count,
    FilePath,
    Folder,
    Items,
    PathMark,
    RecipeFile,
    Section,
    full_path,
    with_paths,
)
from oea_cli.records.recipe_files.reading import Tree, apply_overrides, read_mapping
from oea_cli.records.recipe_files.validation import validated

KINDS = ("text-to-audio", "text-to-text", "uiq", "speed")
CAPTIONS = ("all", "one")
SPEED_METRICS = ("audio ms", "text ms", "peak gb", "trainable m")
# Their columns are figures of several tasks, so no single task has all of them.
COMPOSED_TABLES = {4, 11}
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


class Dataset(Section):
    """One of the paper's datasets, as it lies on the user's disk."""

    name: str
    """audiocaps, clotho or mecat."""
    records: FilePath | None = None
    """Its captions as published, or any records with captions."""
    clips: Count | None = None
    """How many clips the paper has; another number is pointed out."""
    captions_per_clip: Count | None = None
    """The first so many captions of a clip; all by default."""


class PaperEncoder(Section):
    """An encoder to be measured."""

    name: str
    """Also of its folder in the results."""
    model: str | None = None
    """What --model takes; the name by default."""
    revision: str | None = None
    """The commit or tag of a model that is a repository."""
    paper: str | None = None
    """Whose row of the paper's tables it stands beside; by default the name, if that has one."""

    @property
    def model_name(self) -> str:
        """What it is loaded by."""
        return self.model or self.name

    @property
    def row(self) -> str:
        """The encoder of the paper that it is compared with, or its own name."""
        return encoder_key(self.paper or self.name)


class Task(Section):
    """One measurement of every encoder on the datasets named, or on all."""

    name: str
    """What the task is called in the results."""
    kind: str
    """text-to-audio, text-to-text, uiq or speed."""
    metrics: Items[str]
    """What is measured, as `oea eval --metric` takes it."""
    tables: Items[int]
    """The paper's tables to which it contributes."""
    types: Items[str] = ()
    """Types of UIQ's queries."""
    captions: str = "all"
    """Captions of a clip that are queries: all, or one."""
    datasets: Items[str] = ()
    """The datasets that it is about; all by default."""


class PaperRecipe(RecipeFile):
    """An evaluation after the paper: its tables, for any encoders, on your copies of its data."""

    output: Folder
    """The folder of the results."""
    datasets: Items[Dataset]
    """What is measured on."""
    encoders: Items[PaperEncoder]
    """What is measured."""
    tasks: Items[Task]
    """How it is measured."""
    uiq: Folder | None = None
    """The folder of the UIQ release, with one folder per dataset."""
    seed: int = 0
    """All that is drawn at random follows from it."""

    def contradictions(self) -> Iterator[str]:
        """A line for each value that is unknown or does not fit the others."""
        yield from _mistakes(self)


def load_paper_recipe(path: Path, overrides: Sequence[str] = ()) -> PaperRecipe:
    """Read a recipe; raises UsageError that names every mistake in it at once.

    overrides are `key=value`, with dots for what lies inside: `datasets.clotho.records=x.csv`,
    `uiq=~/UIQ`, `encoders=[{name: mini}]`. `missing_inputs` checks whether the data is there.
    """
    tree = _with_full_paths(read_mapping(path), path.parent)
    _apply_environment(tree)
    mistakes = apply_overrides(tree, overrides)
    return validated(PaperRecipe, _with_full_paths(tree, Path.cwd()), path, mistakes, overrides)


def missing_inputs(recipe: PaperRecipe) -> list[str]:
    """The missing inputs of the recipe, a line each with what to do."""
    missing = []
    for dataset in recipe.datasets:
        option = f"--set datasets.{dataset.name}.records=FILE or OEA_{dataset.name.upper()}"
        if dataset.records is None:
            missing.append(f"{dataset.name}: no records; {option} gives its captions")
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


def _with_full_paths(tree: Tree, folder: Path) -> Tree:
    """The tree with paths resolved from a folder, so that a finished unit is recognised from any
    working directory."""

    def absolute(name: str, mark: PathMark) -> str:
        return name if is_remote(name) else str(full_path(name, folder))

    resolved: Tree = with_paths(PaperRecipe, tree, absolute)
    return resolved


def _apply_environment(tree: Tree) -> None:
    if folder := os.environ.get("OEA_UIQ"):
        tree["uiq"] = folder
    datasets = tree.get("datasets")
    for dataset in datasets if isinstance(datasets, list) else []:
        name = dataset.get("name") if isinstance(dataset, dict) else None
        if isinstance(name, str) and (records := os.environ.get(f"OEA_{name}".upper())):
            dataset["records"] = records


# --- whether the values make sense ---


def _mistakes(recipe: PaperRecipe) -> Iterator[str]:
    for what in ("datasets", "encoders", "tasks"):
        yield from _name_mistakes(what, [part.name for part in getattr(recipe, what)])
    for dataset in recipe.datasets:
        place = f"datasets.{dataset.name}"
        yield from _unknown(f"{place}.name", [dataset.name], DATASETS)
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
