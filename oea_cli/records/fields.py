"""Turns a row, whatever its keys are called, into the record that every verb understands."""

import math
from collections.abc import Callable
from typing import Any

from oea_cli.records.file_names import exists, plain_name
from oea_cli.records.ids import caption_id, section_id
from oea_cli.records.rows import Record
from oea_cli.records.stream_end import take_end

PATH_NAMES = ("path", "audio", "file_name", "audio_path")
TIME_NAMES = ("start", "end", "duration")
# These belong to vectors made earlier; they must not be mixed with new ones.
VECTOR_NAMES = ("embedding", "encoder")


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
    check_letters(rest)
    written = _take_path(rest)
    captions = _take_captions(rest)
    times = _take_times(rest)
    words = _take_text(rest)
    path = None if written is None else resolve(written)
    name = _take_id(rest) or _default_id(written, path, times, number)
    if text:
        return _text_records(name, words, captions, {**times, **rest})
    if path is None and words is None:
        raise RowError("no 'path' and no 'text'; every record needs one")
    record: Record = {"id": name}
    if path is not None:
        record["path"] = path
    if words is not None:
        record["text"] = words
    if captions:
        record["captions"] = captions
    return [{**record, **times, **rest}]


def check_letters(row: Record) -> None:
    """Raise RowError where a value is not UTF-8, which the reader of CSV does not check."""
    for key, value in row.items():
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise RowError(f"'{key}' is not UTF-8; convert the file with iconv") from error


def _take_path(row: Record) -> str | None:
    for name in PATH_NAMES:
        value = row.get(name)
        if isinstance(value, dict):  # Hugging Face's audio: {"path": ..., "bytes": ...}
            value = value.get("path")
        if isinstance(value, str) and value.strip():
            del row[name]
            return value
        if value is None or value == "":
            row.pop(name, None)
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
    return value


def _take_id(row: Record) -> str | None:
    value = row.pop("id", None)
    return None if value is None or value == "" else id_of(value, "id")


def id_of(value: object, key: str) -> str:
    """The id that a row has under `key`; raises RowError for what is neither text nor a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowError(f"{key!r} must be text or a number; got {value!r:.60}")
    return str(value)


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
    if not captions:
        raise RowError("no 'text' and no captions; with --text every record needs one")
    return [
        {"id": caption_id(name, number), "text": caption, "clip": name, **rest}
        for number, caption in enumerate(captions, 1)
    ]
