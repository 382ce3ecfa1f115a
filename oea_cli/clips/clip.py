"""What a clip is: a sound with its captions, as a record describes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from oea_cli.clips.captions import captions_in, texts_of
from oea_cli.clips.pairs import HardNegativePair, is_pair, number_in, pair_from
from oea_cli.errors import Failure, Report, missing
from oea_cli.records.alike import AlikeFailures
from oea_cli.records.datasets.layouts import interpret
from oea_cli.records.fields import (
    PATH_NAMES,
    VECTOR_NAMES,
    RowError,
    among_keys,
    id_in,
    records_from_row,
)
from oea_cli.records.file_names import exists
from oea_cli.records.folders import is_folder
from oea_cli.records.inputs import read_records
from oea_cli.records.rows import Record, Rows, trailing_number
from oea_cli.records.tables import read_table


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound and what its record says of it. Made by `clip_from` and `read_clips` only.

    `where` is the place of the record ("clips.jsonl:12"); `start` and `end` are those of its part
    of the file and `duration` is the file's, in seconds; `captions` are as `captions_in` has them;
    `record` holds everything, these included.
    """

    id: str
    where: str
    path: str | None
    start: float | None
    end: float | None
    duration: float | None
    captions: tuple[str, ...]
    dataset: str | None
    record: Record

    @property
    def seconds(self) -> float | None:
        """Its length, None where its record does not tell."""
        end = self.duration if self.end is None else self.end
        return None if end is None else max(0.0, end - (self.start or 0.0))

    @property
    def negatives(self) -> tuple[str, ...]:
        """The ids of clips that its captions nearly fit; raises OeaError where they are no list."""
        return texts_of(self.record, "negatives", self.where or self.id)

    @property
    def negative_captions(self) -> tuple[str, ...]:
        """Captions that nearly fit it; raises OeaError where they are no list."""
        return texts_of(self.record, "negative_captions", self.where or self.id)


def clip_from(record: Record, where: str = "", dataset: str | None = None) -> Clip:
    """The clip that a record describes; `dataset`, where given, in place of the record's."""
    path, named = record.get("path"), record.get("dataset")
    return Clip(
        id=str(record["id"]),
        where=where,
        path=path if isinstance(path, str) and path else None,
        start=number_in(record.get("start")),
        end=number_in(record.get("end")),
        duration=number_in(record.get("duration")),
        captions=captions_in(record),
        dataset=dataset or (str(named) if named else None),
        record=record,
    )


def read_clips(
    inputs: Sequence[str],
    *,
    report: Report,
    dataset: str | None = None,
) -> tuple[list[Clip], list[HardNegativePair]]:
    """Read records with captions, and hard-negative pairs among them, whose targets are clips too.

    Inputs are tables as every verb reads them, published caption files, folders with a metadata
    file, or "-". `dataset` is the clips' dataset, by default their record's or their file's name.
    Rows without captions, and ids that come twice, go to `report`.
    """
    clips: dict[str, Clip] = {}
    pairs: list[HardNegativePair] = []
    for name in inputs:
        file_name = "stdin" if name == "-" else PurePath(name).name.partition(".")[0]
        failures = AlikeFailures(report)
        for where, row in _rows(name, report):
            if is_pair(row):
                pairs.append(pair := pair_from(where, row))
                target = {"id": pair.target, "captions": list(pair.captions)}
                if pair.captions:
                    clips.setdefault(pair.target, clip_from(target, where, dataset or file_name))
            elif record := _captioned(where, row, failures.add):
                failures.release()
                own = dataset or record.get("dataset") or file_name
                clip = clip_from(record, where, str(own))
                if clip.id in clips:
                    first = clips[clip.id].where
                    report(Failure(where, f"id '{clip.id}' was used at {first} already", clip.id))
                clips.setdefault(clip.id, clip)
        failures.end()
    return list(clips.values()), pairs


def _rows(name: str, report: Report) -> Rows:
    if name != "-" and not exists(name):
        raise missing(name)
    if is_folder(name):
        return ((str(record["id"]), record) for record in read_records([name], report=report))
    rows = read_table(name, report=report, leave_out=VECTOR_NAMES, unchecked=True)
    return interpret(rows, None if name == "-" else name, report=report)


def _captioned(where: str, row: Record, report: Report) -> Record | None:
    """The record of a row with captions, which with an id make a clip: no sound is needed."""
    has_name = any(row.get(key) for key in (*PATH_NAMES, "text"))
    placed = row if has_name or id_in(row) is None else {**row, "path": str(id_in(row))}
    try:
        (record,) = records_from_row(placed, trailing_number(where), text=False, resolve=str)
    except RowError as problem:
        report(Failure(where, str(problem)))
        return None
    if placed is not row:
        del record["path"]
    if captions_in(record):
        return record
    needed = f"no 'captions'; queries are made from them{among_keys(row)}"
    report(Failure(where, needed, record["id"]))
    return None
