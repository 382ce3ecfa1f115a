"""Rows as the UIQ release has them: written with its keys, read from anyone's files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from oea_cli.clips.query_types import NEGATIVE, type_named
from oea_cli.errors import Failure, Report, UsageError
from oea_cli.query_generation.grammar.candidates import About, Candidate
from oea_cli.query_generation.tasks import Task
from oea_cli.records.rows import Record, Rows

TEXT_KEYS = ("generated_query", "negative_query")


def release_row(task: Task, text: str, model: str) -> Record:
    """The row of a finished query: the release's keys, and the hard negative's id, which it lacks.

    `model` is who wrote it; the release has two keys for that.
    """
    clip, pair = task.clip, task.pair
    key = "negative_query" if task.type == NEGATIVE else "generated_query"
    row: Record = {
        "audio_id": clip.id,
        "dataset": clip.dataset,
        "dataset_slug": clip.dataset,
        "query_type": task.type,
        key: text,
        "original_captions": list(clip.captions),
    }
    if pair is not None:
        row["negative_captions"] = list(pair.hard_negative_captions)
        row["hard_negative"] = pair.hard_negative
    metadata = {"num_captions": len(clip.captions)} if pair is None else dict(pair.scores)
    return {**row, "metadata": metadata, "source_model": model, "regen_model": model}


@dataclass(frozen=True)
class ReleasedQuery:
    """A query of somebody's file, with where it stands and what it says of itself."""

    where: str
    row: Record
    query: Candidate


def read_release(rows: Rows, report: Report) -> list[ReleasedQuery]:
    """Read queries to be checked; rows that are none go to `report`.

    Where a negative row names its hard negative and has no `negative_captions`, they are those of
    the positive rows of that clip.
    """
    kept = list(rows)
    captions = {
        str(row["audio_id"]): row["original_captions"]
        for _, row in kept
        if row.get("audio_id") and isinstance(row.get("original_captions"), list)
    }
    found = []
    for where, row in kept:
        problem = _problem(row)
        if problem:
            name = row.get("audio_id")
            report(Failure(where, problem, name if isinstance(name, str) else None))
        else:
            found.append(ReleasedQuery(where, row, _query(row, captions)))
    return found


def _problem(row: Record) -> str | None:
    text = next((row[key] for key in TEXT_KEYS if key in row), None)
    if not isinstance(text, str) or not text.strip():
        return "no 'generated_query' and no 'negative_query'; a row of UIQ has one"
    for key in ("original_captions", "negative_captions"):
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return f"'{key}' is {value!r:.60}; it must be a list of texts"
    if not row.get("original_captions"):
        return "no 'original_captions'; a query is checked against them"
    try:
        type_named(_type_of(row))
    except UsageError as error:
        return str(error)
    return None


def _type_of(row: Record) -> str:
    return NEGATIVE if "negative_query" in row else str(row.get("query_type"))


def _query(row: Record, captions: Mapping[str, list[str]]) -> Candidate:
    query_type = type_named(_type_of(row))
    text = next(row[key] for key in TEXT_KEYS if key in row)
    negative = row.get("negative_captions") or captions.get(str(row.get("hard_negative")), [])
    names: Iterable[object] = (row.get("audio_id"), row.get("hard_negative"))
    about = About(
        tuple(row["original_captions"]),
        tuple(negative),
        tuple(str(name) for name in names if name),
    )
    return Candidate(text, query_type, about)
