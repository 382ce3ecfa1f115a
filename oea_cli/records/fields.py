"""Turns a row, whatever its keys are called, into the record that every verb understands."""

import math
from collections.abc import Callable
from typing import Any

import orjson

from oea_cli.errors import OeaError
from oea_cli.records.file_names import exists, plain_name
from oea_cli.records.ids import caption_id, section_id
from oea_cli.records.rows import Record
from oea_cli.records.stream_end import take_end
from oea_cli.records.text import bytes_of, is_utf8, not_utf8

PATH_NAMES = ("path", "audio", "file_name", "audio_path")
ID_NAMES = ("id", "_id")  # the second is BEIR's
TIME_NAMES = ("start", "end", "duration")
# These belong to vectors made earlier; they must not be mixed with new ones.
VECTOR_NAMES = ("embedding", "encoder")
EXACT_IN_FLOAT64 = 2**53
SAFE_INT = 2**62
MOST_NAMED = 12
LEVELS_ABOVE = 8
"""By so many levels a record may lie deeper in what is written of it: hits, pages, answers."""


class RowError(ValueError):
    """Why a row is not a record, as the second half of an error line."""


def records_from_row(
    row: Record, number: int, *, text: bool, resolve: Callable[[str], str]
) -> list[Record]:
    """The record of a row; with `text`, one per caption where it has no text.

    `number` is the default id of a text; `resolve` turns a path as written into one that opens.
    Raises RowError.
    """
    if "embedding" in row:
        take_end(row)
    rest = {key: value for key, value in row.items() if key not in VECTOR_NAMES}
    check_values(rest)
    written = _take_path(rest)
    captions = _take_captions(rest)
    times = _take_times(rest)
    words = _take_text(rest)
    path = None if written is None else resolve(written)
    name = _take_id(rest) or _default_id(written, path, times, number)
    if text:
        if words is None and not captions:
            needed = "no 'text' and no captions; with --text every record needs one"
            raise RowError(f"{needed}{among_keys(row)}")
        return _text_records(name, words, captions, {**times, **rest})
    if path is None and words is None:
        raise RowError(f"no 'path' and no 'text'; every record needs one{among_keys(row)}")
    record: Record = {"id": name}
    if path is not None:
        record["path"] = path
    if words is not None:
        record["text"] = words
    if captions:
        record["captions"] = captions
    return [{**record, **times, **rest}]


def among_keys(row: Record) -> str:
    """Which keys a row has values for, for a message."""
    filled = (key for key, value in row.items() if value not in (None, ""))
    keys = [f"{key!r:.60}" for key in filled if key not in VECTOR_NAMES]
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return f" (it has {', '.join(keys[:MOST_NAMED])}{more})" if keys else ""


def check_values(row: Record) -> None:
    """Raise RowError where a value is not UTF-8, which the reader of CSV does not check, or cannot
    be written as JSON."""
    for key, value in row.items():
        kind = type(value)  # values come by the million
        if kind is str:
            if not value.isascii() and not is_utf8(value):
                raise RowError(f"{key!r:.60} is {not_utf8(bytes_of(value))}")
        elif kind is list:
            if not _are_plain(value):
                _check_writable(key, value)
        elif kind is int:
            if not -SAFE_INT < value < SAFE_INT:
                _check_writable(key, value)
        elif value is not None and kind is not float and kind is not bool:
            _check_writable(key, value)


def _are_plain(values: list[Any]) -> bool:
    """True for texts and fractions, which nearly every list holds: nothing to check."""
    kinds = set(map(type, values))
    return kinds <= {float} or (kinds == {str} and "".join(values).isascii())


def _check_writable(key: str, value: object) -> None:
    nested = value
    for _ in range(LEVELS_ABOVE):
        nested = [nested]
    try:
        orjson.dumps(nested, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        too_deep = "recursion" in str(error).lower()
        reason = "it is nested more than 200 levels deep" if too_deep else str(error)
        raise RowError(f"{key!r:.60} cannot be written as JSON: {reason}") from error


def _take_path(row: Record) -> str | None:
    for name in PATH_NAMES:
        if name not in row:
            continue
        value = row[name]
        if isinstance(value, dict):  # Hugging Face's audio: {"path": ..., "bytes": ...}
            value = value.get("path")
        if isinstance(value, str) and value.strip():
            del row[name]
            return value
        if value is None or value == "":
            del row[name]
        elif name == "path":
            raise RowError(f"'path' must be the name of a file; got {value!r:.60}")
    return None


def _take_captions(row: Record) -> list[str]:
    if "captions" in row:
        return _caption_list(row.pop("captions"))
    if "caption" in row:
        return _caption_list(row.pop("caption"))
    numbers = sorted(
        int(key[8:]) for key in row if key.startswith("caption_") and key[8:].isdecimal()
    )
    found = [row.pop(f"caption_{number}", None) for number in numbers]
    return _caption_list([caption for caption in found if caption is not None])


def _caption_list(value: Any) -> list[str]:
    captions = [value] if isinstance(value, str) else value
    if captions is None:
        return []
    if not isinstance(captions, list) or not all(isinstance(c, str) for c in captions):
        raise RowError("captions must be text or a list of texts")
    return [caption.strip() for caption in captions if caption.strip()]


def _take_times(row: Record) -> Record:
    times = {}
    for name in TIME_NAMES:
        value = row.pop(name, None)
        if value is not None and value != "":
            times[name] = _seconds(name, value)
    if times.get("end", math.inf) <= times.get("start", 0):
        raise RowError(
            f"'end' must be after the start at {times.get('start', 0)}; got {times['end']}"
        )
    return times


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = value if isinstance(value, int | float) else float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if isinstance(value, bool) or not math.isfinite(seconds) or seconds < 0:
        raise RowError(f"'{name}' must be a number of seconds, 0 or more; got {value!r:.60}")
    return seconds


def _take_text(row: Record) -> str | None:
    value = row.pop("text", None)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RowError(f"'text' must be text; got {value!r:.60}")
    return value.strip() or None


def _take_id(row: Record) -> str | None:
    if type(named := row.get("id")) is str and named and "_id" not in row:
        del row["id"]
        return named
    value = id_in(row)
    for name in ID_NAMES:
        if row.get(name) in (None, "", value):
            row.pop(name, None)
    return None if value is None else id_of(value, "id")


def id_of(value: object, key: str) -> str:
    """The id that a row has under `key`; raises RowError for what is neither text nor a number.

    A fraction that is whole is the whole number: JSON's 1.0 and 1e3 are 1 and 1000, which is how
    whole numbers come out of a column that has gaps.
    """
    if type(value) is str:
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError(f"{key!r} must be text or a number; got {value!r:.60}")
    if isinstance(value, float) and not abs(value) < EXACT_IN_FLOAT64:
        raise RowError(f"{key!r} must be text or a whole number; got {value!r}, which is rounded")
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def id_in(row: Record) -> object:
    """What a row says its id is, under BEIR's name for it, too; None where it says nothing."""
    return next((row[name] for name in ID_NAMES if row.get(name) not in (None, "")), None)


def id_or_number(row: Record, number: int, where: str) -> str:
    """The id of a row that needs none, its number then; raises OeaError for what is no id."""
    value = id_in(row)
    try:
        return str(number) if value is None else id_of(value, "id")
    except RowError as problem:
        raise OeaError(f"{where}: {problem}") from problem


def _default_id(written: str | None, path: str | None, times: Record, number: int) -> str:
    if written is None or path is None:
        return str(number)
    # On Linux, a file's name may hold backslashes.
    name = written if "\\" in path and exists(path) else plain_name(written)
    if "start" not in times and "end" not in times:
        return name
    # A part of a file is a different clip from the file.
    return section_id(name, times.get("start", 0), times.get("end"))


def _text_records(name: str, words: str | None, captions: list[str], rest: Record) -> list[Record]:
    if words is not None:
        return [{"id": name, "text": words, **({"captions": captions} if captions else {}), **rest}]
    return [
        {"id": caption_id(name, number), "text": caption, "clip": name, **rest}
        for number, caption in enumerate(captions, 1)
    ]
