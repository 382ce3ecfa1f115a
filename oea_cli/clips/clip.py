"""What a clip is: a sound with its captions, as a record describes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO

from oea_cli.clips.pairs import Pair, is_pair, pair_of
from oea_cli.errors import Failure, OeaError, Report
from oea_cli.records.datasets.layouts import interpret
from oea_cli.records.fields import PATH_NAMES, VECTOR_NAMES, RowError, records_from_row
from oea_cli.records.folders import exists, is_folder
from oea_cli.records.inputs import read_records
from oea_cli.records.rows import Record, Rows
from oea_cli.records.tables import read_table


@dataclass(frozen=True)
class Clip:
    """A sound that queries are about: its id, its captions, and what its record says besides."""

    id: str
    captions: tuple[str, ...]
    where: str
    dataset: str
    record: Record = field(default_factory=dict)


def read_clips(
    inputs: Sequence[str],
    *,
    report: Report,
    dataset: str | None = None,
    stdin: BinaryIO | None = None,
) -> tuple[list[Clip], list[Pair]]:
    """Read records with captions, and hard-negative pairs among them, whose targets are clips too.

    Inputs are tables as every verb reads them, published caption files, folders with a metadata
    file, or "-". Rows without captions, and ids that come twice, go to `report`.
    """
    clips: dict[str, Clip] = {}
    pairs: list[Pair] = []
    for name in inputs:
        own = dataset or ("stdin" if name == "-" else PurePath(name).name.partition(".")[0])
        for where, row in _rows(name, report, stdin):
            if is_pair(row):
                pair = pair_of(where, row)
                if pair.captions:
                    clips.setdefault(pair.target, Clip(pair.target, pair.captions, where, own, {}))
                pairs.append(pair)
            elif clip := _clip(where, row, own, dataset, report):
                if clip.id in clips:
                    first = clips[clip.id].where
                    report(Failure(where, f"id '{clip.id}' was used at {first} already", clip.id))
                clips.setdefault(clip.id, clip)
    return list(clips.values()), pairs


def _rows(name: str, report: Report, stdin: BinaryIO | None) -> Rows:
    if name != "-" and not exists(name):
        raise OeaError(f"{name}: no such file or folder")
    if is_folder(name):
        return ((str(record["id"]), record) for record in read_records([name], report=report))
    source = stdin if name == "-" and stdin is not None else name
    rows = read_table(source, report=report, leave_out=VECTOR_NAMES)
    return interpret(rows, None if name == "-" else name)


def _clip(where: str, row: Record, own: str, dataset: str | None, report: Report) -> Clip | None:
    # The sound itself is not needed: an id and captions make a clip.
    has_name = any(row.get(key) for key in (*PATH_NAMES, "text"))
    number = int(digits) if (digits := where[len(where.rstrip("0123456789")) :]) else 0
    try:
        placed = row if has_name else {**row, "path": str(row["id"])} if row.get("id") else row
        record = records_from_row(placed, number, text=False, resolve=lambda path: path)[0]
    except RowError as problem:
        report(Failure(where, str(problem)))
        return None
    captions = tuple(record.get("captions") or ())
    if not captions:
        report(Failure(where, "no 'captions'; queries are made from them", record["id"]))
        return None
    said = record.get("dataset")
    return Clip(record["id"], captions, where, dataset or (str(said) if said else own), record)
