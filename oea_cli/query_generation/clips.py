"""What queries are made from: clips with captions, and their hard negatives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath
from typing import Any, BinaryIO

from oea_cli.datasets import interpret
from oea_cli.errors import Failure, OeaError, Report
from oea_cli.folders import exists, is_folder
from oea_cli.query_generation.grammar.candidates import About
from oea_cli.query_generation.query_types import NEGATIVE, POSITIVE
from oea_cli.record_fields import PATH_NAMES, VECTOR_NAMES, RowError, records_from_row
from oea_cli.records import read_records
from oea_cli.tables import Record, Rows, read_table

GOOD_VERDICTS = ("valid", "valid hard negative", "yes", "")


@dataclass(frozen=True)
class Clip:
    """A sound that queries are about: its id, its captions, and what its record says besides."""

    id: str
    captions: tuple[str, ...]
    where: str
    dataset: str
    record: Record = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """A target and its hard negative, by their ids; captions may be missing in the pairs' file."""

    target: str
    hard_negative: str
    where: str
    captions: tuple[str, ...] = ()
    hard_negative_captions: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One query to be written: of a clip and a type; a negative one has a hard negative."""

    clip: Clip
    type: str
    pair: Pair | None = None

    @property
    def id(self) -> str:
        """Names the query among all others: "question/ID", "negative/ID/ID"."""
        return "/".join(
            [self.type, self.clip.id, *([self.pair.hard_negative] if self.pair else [])]
        )

    @cached_property
    def about(self) -> About:
        """What the query is checked against."""
        names = [self.clip.id, str(self.clip.record.get("path", ""))]
        if self.pair is None:
            return About(self.clip.captions, (), tuple(names))
        names.append(self.pair.hard_negative)
        return About(self.clip.captions, self.pair.hard_negative_captions, tuple(names))


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
            if _is_pair(row):
                pair = _pair(where, row)
                if pair.captions:
                    clips.setdefault(pair.target, Clip(pair.target, pair.captions, where, own, {}))
                pairs.append(pair)
            elif clip := _clip(where, row, own, dataset, report):
                if clip.id in clips:
                    first = clips[clip.id].where
                    report(Failure(where, f"id '{clip.id}' was used at {first} already", clip.id))
                clips.setdefault(clip.id, clip)
    return list(clips.values()), pairs


def read_pairs(source: str, stdin: BinaryIO | None = None) -> list[Pair]:
    """Read hard-negative pairs; raises OeaError naming the row that is none.

    Pairs that people heard and did not find valid are left out.
    """
    stream = stdin if source == "-" and stdin is not None else source
    return [_pair(where, row) for where, row in read_table(stream) if _is_wanted(row)]


def tasks_of(clips: Sequence[Clip], pairs: Sequence[Pair], types: Sequence[str]) -> list[Task]:
    """Every query to be written, clip by clip: one of each positive type, one negative per pair."""
    by_id = {clip.id: clip for clip in clips}
    of_target: dict[str, dict[str, Pair]] = {}
    for pair in pairs:
        of_target.setdefault(pair.target, {}).setdefault(pair.hard_negative, pair)
    tasks = []
    for clip in clips:
        tasks += [Task(clip, name) for name in types if name in POSITIVE]
        if NEGATIVE in types:
            mine = of_target.get(clip.id, {}).values()
            tasks += [Task(clip, NEGATIVE, _with_captions(pair, by_id)) for pair in mine]
    return tasks


def _with_captions(pair: Pair, clips: Mapping[str, Clip]) -> Pair:
    other = clips.get(pair.hard_negative)
    if pair.hard_negative_captions or other is None:
        return pair
    return Pair(
        pair.target, pair.hard_negative, pair.where, pair.captions, other.captions, pair.scores
    )


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


def _is_pair(row: Record) -> bool:
    return "target" in row and "hard_negative" in row


def _is_wanted(row: Record) -> bool:
    verdict = row.get("verdict")
    return not isinstance(verdict, str) or verdict.strip().lower() in GOOD_VERDICTS


def _pair(where: str, row: Record) -> Pair:
    names = {key: row.get(key) for key in ("target", "hard_negative")}
    for key, value in names.items():
        if not isinstance(value, str) or not value:
            raise OeaError(f"{where}: {key!r} is {value!r:.60}; a pair has the ids of two clips")
    if names["target"] == names["hard_negative"]:
        raise OeaError(f"{where}: '{names['target']}' is its own hard negative")
    scores = {
        key: row[key] for key in ("acoustic_score", "text_score") if isinstance(row.get(key), float)
    }
    return Pair(
        target=str(names["target"]),
        hard_negative=str(names["hard_negative"]),
        where=where,
        captions=_texts(row.get("captions"), where),
        hard_negative_captions=_texts(row.get("hard_negative_captions"), where),
        scores=scores,
    )


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise OeaError(f"{where}: captions are {value!r:.60}; they must be a list of texts")
    return tuple(text.strip() for text in value if text.strip())
