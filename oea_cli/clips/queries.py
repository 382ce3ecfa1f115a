"""Queries with the clips that are right for them, as files hold them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from oea_cli.errors import OeaError
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table

Grades = Mapping[str, float]


ID_NAMES = ("id", "_id", "query_id")


ClipCaptions = Mapping[str, Sequence[str]]


UIQ_KEY = "audio_id"


@dataclass(frozen=True)
class Query:
    """One judged query: its relevant clips with their grades, and perhaps a hard negative.

    `clip` is the clip that the query was made from, which is its target where none is given.
    """

    id: str
    where: str
    targets: Grades = field(default_factory=dict)
    hard_negative: str | None = None
    type: str | None = None
    dataset: str | None = None
    clip: str | None = None
    record: Record = field(default_factory=dict)

    @property
    def about(self) -> tuple[object, ...]:
        """What the query is about: queries about the same clips are not independent."""
        return self.dataset, self.clip or tuple(sorted(self.targets)) or self.id


QuerySource = str | BinaryIO | Sequence[Record]


def read_judged(
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
    return distinct(query_of(where, row) for where, row in rows)


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
    others = [query_of(where, row) for where, row in rows if not is_uiq_row(row)]
    return distinct([*map(query_of, places, resolve_uiq(released, captions)), *others])


def query_of(where: str, row: Record) -> Query:
    """Read one row; raises OeaError where its target or hard negative is no id."""
    name = next((row[key] for key in ID_NAMES if row.get(key) not in (None, "")), None)
    return Query(
        id=_id_of(name, where, "id") if name is not None else str(_line(where)),
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


def _line(where: str) -> int:
    digits = where[len(where.rstrip("0123456789")) :]
    return int(digits) if digits else 0


def _id_of(value: Any, where: str, key: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise OeaError(f"{where}: {key!r} is {value!r:.60}; it must be text or a number")
    return str(value)


def _optional_id(row: Record, key: str, where: str) -> str | None:
    value = row.get(key)
    return None if value is None or value == "" else _id_of(value, where, key)


def _targets(value: Any, where: str) -> Grades:
    if value is None or value == "":
        return {}
    if isinstance(value, dict):
        return {key: _grade(grade, where) for key, grade in value.items() if _grade(grade, where)}
    ids = value if isinstance(value, list) else [value]
    return {_id_of(id_, where, "target"): 1.0 for id_ in ids}


def _grade(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OeaError(f"{where}: 'target' grades a clip {value!r:.60}; a grade is a number")
    return max(float(value), 0.0)
