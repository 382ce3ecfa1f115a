"""Rows in the format of the UIQ release: written from finished queries, read from files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from oea_cli.clips.query_types import type_named
from oea_cli.clips.uiq import UiqRow, uiq_row_from
from oea_cli.errors import Failure, Report, UsageError
from oea_cli.query_generation.grammar.candidates import About, Candidate
from oea_cli.query_generation.tasks import Task
from oea_cli.records.fields import RowError
from oea_cli.records.rows import Record, Rows


def release_row(task: Task, text: str, model: str) -> Record:
    """The row of a finished query; `model` is its writer."""
    clip, pair = task.clip, task.pair
    row = UiqRow(clip.where, clip.dataset or "", task.type, clip.id, text, clip.captions)
    if pair is None:
        return row.as_row({"num_captions": len(clip.captions)}, model)
    captions = pair.hard_negative_captions
    row = replace(row, hard_negative=pair.hard_negative, negative_captions=captions)
    return row.as_row(pair.scores, model)


@dataclass(frozen=True)
class ReleasedQuery:
    """A query from a file, with its place and its row."""

    where: str
    row: Record
    query: Candidate


def read_release(rows: Rows, report: Report) -> list[ReleasedQuery]:
    """Read queries to be checked; rows that are not queries go to `report`.

    A negative row without `negative_captions` gets those of its hard negative's positive rows.
    """
    read: list[tuple[Record, UiqRow]] = []
    for where, row in rows:
        try:
            read.append((row, _checkable(where, row)))
        except (RowError, UsageError) as problem:
            name = row.get("audio_id")
            report(Failure(where, str(problem), name if isinstance(name, str) else None))
    captions = {uiq.audio_id: uiq.captions for _, uiq in read if uiq.audio_id}
    return [ReleasedQuery(uiq.where, row, _query(uiq, captions)) for row, uiq in read]


def _checkable(where: str, row: Record) -> UiqRow:
    found = uiq_row_from(where, row, is_named=False)
    if not found.captions:
        raise RowError("no 'original_captions'; a query is checked against them")
    return replace(found, type=type_named(found.type))


def _query(row: UiqRow, captions: Mapping[str, tuple[str, ...]]) -> Candidate:
    negative = row.negative_captions or captions.get(row.hard_negative or "", ())
    names = tuple(name for name in (row.audio_id, row.hard_negative) if name)
    return Candidate(row.text, row.type, About(row.captions, negative, names))
