"""Runs the paper's evaluation unit by unit; a unit's results are written when it is finished.

A unit embeds its dataset once, into an index in its folder, which a later run uses again as long as
encoder, records and captions are the same. A finished unit is never run again; a unit that fails is
reported, and the others are run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import orjson

from oea_cli.clips.captions import captions_in
from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import Failure, OeaError, Report, UsageError
from oea_cli.evaluation.inputs.vector_input import evaluate_index
from oea_cli.evaluation.output.results import measure, versions
from oea_cli.evaluation.paper.costs import costs
from oea_cli.evaluation.paper.recipe import PaperEncoder, PaperRecipe, Task, missing_inputs
from oea_cli.evaluation.paper.units import SETTINGS_KEY, Figures, Unit, units
from oea_cli.evaluation.protocol import Protocol
from oea_cli.evaluation.protocol import Task as Ranking
from oea_cli.metrics.metrics import parse_metrics
from oea_cli.metrics.outcomes import Outcomes
from oea_cli.records.artefacts import write_whole
from oea_cli.records.ids import clip_of
from oea_cli.records.inputs import read_records
from oea_cli.records.rows import Record
from oea_cli.vectors.index.building import build_index
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.index.manifest import is_index

INDEX_NAME = "clips.oea"
RANKINGS: dict[str, Ranking] = {
    "text-to-audio": "text-to-audio",
    "text-to-text": "text-to-text",
    "uiq": "text-to-audio",
}
Notice = Callable[[str], object]
Measured = dict[tuple[str, str], Mapping[str, Figures]]
"""The figures of every finished unit, by (encoder, dataset)."""


@dataclass(frozen=True)
class Callbacks:
    """Called with units that fail, with sounds and rows that fail, and with notes."""

    unit_failed: Report
    input_failed: Report
    notice: Notice


def check_inputs(recipe: PaperRecipe) -> None:
    """Raise UsageError that names every missing input, a line each."""
    missing = missing_inputs(recipe)
    if missing:
        count = f"{len(missing)} input{'' if len(missing) == 1 else 's'} missing"
        raise UsageError(f"{recipe.name}: {count}", missing)


def run_paper(recipe: PaperRecipe, device: str, callbacks: Callbacks) -> Measured:
    """Run what is not done yet; returns the figures of all finished units.

    Encoders that cannot be loaded are reported as one failed unit each; their finished units count.
    """
    every = units(recipe)
    for encoder in recipe.encoders:
        left = [unit for unit in every if unit.encoder == encoder and not unit.is_done()]
        if left:
            _run_encoder(encoder, left, device, callbacks)
    return {
        (unit.encoder.name, unit.dataset.name): figures_of(unit) for unit in every if unit.is_done()
    }


def figures_of(unit: Unit) -> Mapping[str, Figures]:
    """The figures of a finished unit, by task."""
    figures: Mapping[str, Figures] = orjson.loads(unit.result.read_bytes())["figures"]
    return figures


def _run_encoder(named: PaperEncoder, left: list[Unit], device: str, callbacks: Callbacks) -> None:
    try:
        encoder = load_encoder(named.model_name, device=device, revision=named.revision)
    except OeaError as error:
        callbacks.unit_failed(Failure(named.name, f"skipped: {error}"))
        return
    for unit in left:
        try:
            run_unit(unit, encoder, callbacks)
        # Any error, a full GPU among them: the other units must still be run.
        except Exception as error:
            known = isinstance(error, OeaError)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            callbacks.unit_failed(Failure(_name(unit), reason))


def _name(unit: Unit) -> str:
    return f"{unit.encoder.name}/{unit.dataset.name}"


def run_unit(unit: Unit, encoder: Encoder, callbacks: Callbacks) -> None:
    """Embed, measure, and write the unit's results last."""
    unit.folder.mkdir(parents=True, exist_ok=True)
    records = list(_records(unit, callbacks.input_failed))
    index = _index(unit, encoder, records, callbacks)
    num_clips = len({clip_of(id_) for id_ in index.record_files.ids()})
    if unit.dataset.clips not in (None, num_clips):
        callbacks.notice(f"{_name(unit)}: {num_clips} clips, the paper has {unit.dataset.clips}")
    callbacks.notice(f"{_name(unit)}: measuring")
    meter = _Meter(unit, index, encoder, callbacks.input_failed)
    figures = {task.name: meter.figures(task) for task in unit.tasks}
    content = {
        SETTINGS_KEY: unit.settings,
        "encoder": encoder.encoder_id,
        "device": encoder.device,
        "versions": versions(),
        "dataset": unit.dataset.name,
        "clips": num_clips,
        "clips_failed": len(records) - num_clips,
        "figures": figures,
    }
    write_whole(unit.result, orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
    callbacks.notice(f"{_name(unit)}: done -> {unit.result}")


def _records(unit: Unit, report: Report) -> Iterator[Record]:
    limit = unit.dataset.captions_per_clip
    for record in read_records([str(unit.dataset.records)], report=report):
        yield {**record, "captions": list(captions_in(record)[:limit])}


def _index(
    unit: Unit, encoder: Encoder, records: list[Record], callbacks: Callbacks
) -> VectorIndex:
    """The dataset's sounds as an index: the one that is there, or a new one."""
    from oea_cli.encoder.streaming.stream import stream

    folder = unit.folder / INDEX_NAME
    if is_index(folder):
        index = VectorIndex.open(folder)
        if index.encoder == encoder.encoder_id and _described(_all(index)) == _described(records):
            return index
    callbacks.notice(f"{_name(unit)}: embedding {len(records)} clips")
    batches = stream(encoder, records, report=callbacks.input_failed)
    build_index(folder, batches, dim=encoder.dim, encoder=encoder.encoder_id, kind="exact")
    return VectorIndex.open(folder)


def _all(index: VectorIndex) -> list[Record]:
    return index.records(np.flatnonzero(index.live))


def _described(records: Iterable[Record]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What an index depends on, by clip."""
    return {clip_of(r["id"]): (str(r.get("path")), captions_in(r)) for r in records}


class _Meter:
    """Measures one unit's tasks; all tasks with UIQ's queries share one ranking."""

    def __init__(self, unit: Unit, index: VectorIndex, encoder: Encoder, report: Report) -> None:
        self._unit, self._index, self._encoder, self._report = unit, index, encoder, report
        self._queries: Outcomes | None = None

    def figures(self, task: Task) -> Figures:
        """A task's figures: by metric, for UIQ by type and metric."""
        if task.kind == "speed":
            model = self._unit.encoder.model_name
            return costs(self._encoder, model, _all(self._index), task.metrics)
        if task.kind != "uiq":
            return self._values(self._outcomes(task.kind, task.captions), task)
        self._queries = self._queries or self._outcomes("uiq", "all")
        return {
            f"{type} {metric}": value
            for type in task.types
            for metric, value in self._values(_of_type(self._queries, type), task).items()
        }

    def _outcomes(self, kind: str, captions: str) -> Outcomes:
        files = [str(path) for path in self._unit.query_files] if kind == "uiq" else []
        protocol = Protocol(
            RANKINGS[kind],
            "one" if captions == "one" else "all",
            self._unit.seed,
            allow_missing=True,  # a clip that could not be embedded counts as not found
        )
        outcomes, _ = evaluate_index(
            files, self._index.folder, None, protocol, lambda _: self._encoder, self._report
        )
        return outcomes

    def _values(self, outcomes: Outcomes, task: Task) -> Figures:
        values = measure(outcomes, parse_metrics(task.metrics)).values
        return {str(metric): value for metric, value in values.items()}


def _of_type(outcomes: Outcomes, type: str) -> Outcomes:
    return outcomes.chosen(np.flatnonzero([one == type for one in outcomes.types]))
