"""Records kept as the JSON text that was read, and parsed only when needed.

An index stores a record's text and needs only its id: making dictionaries that are never used would
take more time than the vectors do.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import BinaryIO, overload

import orjson

from oea_cli.errors import OeaError, raise_failure
from oea_cli.records.fields import id_or_number
from oea_cli.records.lines import json_objects, numbered_lines
from oea_cli.records.rows import Record

Line = tuple[int, bytes]


class JsonRecords(Sequence[Record]):
    """Records as `texts`, one whole JSON object each, and `ids`, the "id" of each.

    Reads like a list of dictionaries, which are made when the first of them is used. The texts
    do not change: a change to such a dictionary is not written anywhere.
    """

    def __init__(self, ids: list[str], texts: list[str]) -> None:
        self.ids, self.texts = ids, texts

    @cached_property
    def _parsed(self) -> list[Record]:
        return [orjson.loads(text) for text in self.texts]

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> list[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | list[Record]:
        return self._parsed[place]


def ids_of(records: Sequence[Record]) -> list[str]:
    """Return the id of every record."""
    if isinstance(records, JsonRecords):
        return records.ids
    return [record["id"] for record in records]


def texts_of(records: Sequence[Record]) -> list[str]:
    """Return every record as JSON text; raises OeaError as `json_line` does."""
    if isinstance(records, JsonRecords):
        return records.texts
    return [json_line(record)[:-1].decode() for record in records]


def json_line(record: Record) -> bytes:
    """The record as a line of JSONL; raises OeaError naming it for a value JSON cannot hold."""
    try:
        return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)
    except TypeError as error:
        raise OeaError(f"record {record.get('id')!r} cannot be written as JSON: {error}") from error


def read_json_records(stream: BinaryIO, name: str, batch_rows: int) -> Iterator[JsonRecords]:
    """Yield the records of JSONL, at most `batch_rows` at a time, their text unchanged.

    A record without an id gets its number, counted from 0; an id that is not text becomes text.
    Raises OeaError naming the line that is not a JSON object.
    """
    lines = numbered_lines(stream, name)
    number = 0
    while block := list(islice(lines, batch_rows)):
        records = _as_they_are(block) or _one_by_one(block, name, number)
        number += len(records)
        if records:
            yield records


def _as_they_are(block: list[Line]) -> JsonRecords | None:
    """The records of lines that all are objects with an id that is text; None for any others."""
    try:
        # Each dictionary is freed before the next is made, so its memory is used again.
        ids = [orjson.loads(line).get("id") for _, line in block]
    except (orjson.JSONDecodeError, AttributeError):
        return None
    if set(map(type, ids)) != {str}:
        return None
    return JsonRecords(ids, [line.strip().decode() for _, line in block])


def _one_by_one(block: list[Line], name: str, first: int) -> JsonRecords:
    """The same for any lines but blank ones; raises OeaError for one that is not an object."""
    records = JsonRecords([], [])
    for number, line, record in json_objects(iter(block), name, raise_failure):
        named = record.get("id")
        if isinstance(named, str) and not _was_a_number(named, line):
            id_, text = named, line.strip().decode()
        else:
            place = f"{name}:{number}"
            id_ = record["id"] = id_or_number(record, first + len(records), place)
            text = json_line(record)[:-1].decode()
        records.ids.append(id_)
        records.texts.append(text)
    return records


def _was_a_number(id_: str, line: bytes) -> bool:
    """True for the digits of a number that no 64 bits hold: a plain parser would round it."""
    return id_.lstrip("-").isdecimal() and f'"{id_}"'.encode() not in line


def numbered_records(start: int, stop: int) -> JsonRecords:
    """Records that consist of a row number only, from `start` to before `stop`."""
    ids = [str(row) for row in range(start, stop)]
    return JsonRecords(ids, [f'{{"id":"{id_}"}}' for id_ in ids])
