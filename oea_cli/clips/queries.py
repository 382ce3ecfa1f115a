"""Queries with the clips that are right for them, as files hold them."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO

from oea_cli.errors import OeaError
from oea_cli.records.addresses import parent
from oea_cli.records.fields import ID_NAMES, PATH_NAMES, RowError, id_of, records_from_row
from oea_cli.records.file_names import resolved
from oea_cli.records.ids import is_window
from oea_cli.records.rows import Record, trailing_number
from oea_cli.records.tables import read_table
from oea_cli.records.text import nfc

Grades = Mapping[str, float]
ClipCaptions = Mapping[str, Sequence[str]]
QUERY_ID_NAMES = (*ID_NAMES, "query_id")
ASKING_NAMES = ("text", *PATH_NAMES)
UIQ_KEY = "audio_id"


@dataclass(frozen=True, slots=True)
class Query:
    """A query as a file holds it: what it asks, its relevant clips with their grades, perhaps a
    hard negative.

    `where` is the place of its row ("queries.jsonl:12"); `clip` is the clip that it was made from,
    which is its target where none is given; `itself` the candidate that is the very same sound or
    text, which the query must not find. The row is kept in `record`: a query of vectors, of a
    run or of qrels has an id and no text. Raises OeaError for a hard negative that is a target.
    """

    id: str
    where: str
    targets: Grades = field(default_factory=dict)
    hard_negative: str | None = None
    type: str | None = None
    dataset: str | None = None
    clip: str | None = None
    itself: str | None = None
    record: Record = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.hard_negative is not None and self.hard_negative in self.targets:
            raise OeaError(
                f"{self.where}: {self.hard_negative!r} is a target and the hard negative of query "
                f"{self.id!r} at once"
            )

    @property
    def about(self) -> tuple[object, ...]:
        """What the query is about: queries about the same clips are not independent."""
        return self.dataset, self.clip or tuple(sorted(self.targets)) or self.id

    @property
    def names_window(self) -> bool:
        """True where a target or the hard negative is a window of a clip, not a clip."""
        return any(map(is_window, (*self.targets, self.hard_negative or "")))

    @property
    def has_content(self) -> bool:
        """True where it has a text or names a sound."""
        return any(self.record.get(name) for name in ASKING_NAMES)

    @property
    def is_named(self) -> bool:
        """False where its id is but the number of its row."""
        return any(self.record.get(name) not in (None, "") for name in QUERY_ID_NAMES)

    @property
    def own_id(self) -> str | None:
        """Its id, which may be a clip's; None where that is but the number of a row that asks."""
        return self.id if self.is_named or not self.has_content else None

    @property
    def names_target(self) -> bool:
        """True where its row says what is right for it: a target, or the clip it was made from."""
        return bool(self.targets) or self.record.get("clip") not in (None, "")

    @property
    def text(self) -> str | None:
        """What it asks in words."""
        text = self.record.get("text")
        return text.strip() or None if isinstance(text, str) else None

    @property
    def text_sha256(self) -> str | None:
        """A fingerprint of the text, by which a later evaluation sees that it was reworded."""
        return None if self.text is None else sha256(self.text.strip().encode()).hexdigest()[:16]

    @property
    def path(self) -> str | None:
        """The sound that it asks with, such that it opens from the working directory."""
        path = next((self.record[name] for name in PATH_NAMES if self.record.get(name)), None)
        return self._resolved(path) if isinstance(path, str) else None

    def as_record(self) -> Record:
        """The query as a record that can be encoded, its text before its sound; raises OeaError
        where it says nothing."""
        try:
            row = {**self.record, "id": self.id}
            (record,) = records_from_row(row, 0, text=False, resolve=self._resolved)
        except RowError as problem:
            raise OeaError(f"{self.where}: {problem}") from problem
        return as_asked(record)

    def _resolved(self, path: str) -> str:
        source = self.where.rpartition(":")[0]
        return resolved(path, "" if source in ("", "stdin") else parent(source))


QuerySource = str | BinaryIO | Sequence[Record]


def read_queries(
    sources: Sequence[QuerySource], captions: Callable[[], ClipCaptions] = dict
) -> list[Query]:
    """Read queries with their targets from JSONL, CSV or Parquet, or as records; "-" is stdin.

    `target` is an id, a list of ids, or an object of ids and grades. Rows of the UIQ release
    become queries too: their hard negatives are found by `captions`, each clip's by its id, and by
    the rows given along. Raises OeaError naming the line of what cannot be used, and for an id
    that comes twice.
    """
    rows = [row for source in sources for row in _rows(source)]
    if any(UIQ_KEY in row for _, row in rows):
        return _uiq_queries(rows, captions())
    return distinct(query_from(where, row) for where, row in rows)


def _rows(source: QuerySource) -> Iterable[tuple[str, Record]]:
    if isinstance(source, Sequence) and not isinstance(source, str):
        return ((f"query {number}", row) for number, row in enumerate(source, 1))
    return read_table(source)


def _uiq_queries(rows: list[tuple[str, Record]], captions: ClipCaptions) -> list[Query]:
    """Rows of the release as queries, and any others among them as they are."""
    # Only here: a run need not wait for it.
    from oea_cli.clips.uiq import is_uiq_row, resolve_uiq

    released = [(where, row) for where, row in rows if is_uiq_row(row)]
    places = [where for where, _ in released]
    others = [query_from(where, row) for where, row in rows if not is_uiq_row(row)]
    return distinct([*map(query_from, places, resolve_uiq(released, captions)), *others])


def query_from(where: str, row: Record) -> Query:
    """Read one row; raises OeaError where its target or hard negative is no id."""
    name = next((row[key] for key in QUERY_ID_NAMES if row.get(key) not in (None, "")), None)
    return Query(
        id=_id_of(name, where, "id") if name is not None else str(trailing_number(where)),
        where=where,
        targets=_targets(row.get("target"), where),
        hard_negative=_optional_id(row, "hard_negative", where),
        type=_optional_id(row, "type", where),
        dataset=_optional_id(row, "dataset", where),
        clip=_optional_id(row, "clip", where),
        record=row,
    )


def as_asked(record: Record) -> Record:
    """A query's record as it is encoded: one with a text and a sound asks by its text."""
    if "text" not in record:
        return record
    return {key: value for key, value in record.items() if key != "path"}


def distinct(queries: Iterable[Query]) -> list[Query]:
    """The queries; raises OeaError where two have one id, naming both lines."""
    seen: dict[str, str] = {}
    found = list(queries)
    for query in found:
        if query.id in seen:
            raise OeaError(
                f"{query.where}: query id {query.id!r} was used at {seen[query.id]} already; "
                "ids of queries must differ"
            )
        seen[query.id] = query.where
    return found


def _id_of(value: Any, where: str, key: str) -> str:
    try:
        return nfc(id_of(value, key))
    except RowError as problem:
        raise OeaError(f"{where}: {problem}") from problem


def _optional_id(row: Record, key: str, where: str) -> str | None:
    value = row.get(key)
    return None if value is None or value == "" else _id_of(value, where, key)


def _targets(value: Any, where: str) -> Grades:
    if value is None or value == "":
        return {}
    if isinstance(value, dict):
        grades = {nfc(key): _grade(grade, where) for key, grade in value.items()}
        return {key: grade for key, grade in grades.items() if grade}
    ids = value if isinstance(value, list) else [value]
    return {_id_of(id_, where, "target"): 1.0 for id_ in ids}


def _grade(value: Any, where: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise OeaError(f"{where}: 'target' grades a clip {value!r:.60}; a grade is a finite number")
    return max(float(value), 0.0)
