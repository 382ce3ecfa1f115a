"""What is judged: hard-negative pairs and queries, out of files, as people see and hear them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from oea_cli.clips.verdicts import RATING, VERDICT, Key, key_of
from oea_cli.errors import OeaError
from oea_cli.records.addresses import parent
from oea_cli.records.fields import PATH_NAMES, check_letters
from oea_cli.records.rows import Record, Rows
from oea_cli.records.tables import read_table
from oea_cli.web.review.clip_sounds import ClipSounds, Found

TARGET, HARD_NEGATIVE, CLIP = "Target", "Hard negative", "Clip"
TEXT_NAMES = ("text", "generated_query", "negative_query")
TYPE_NAMES = ("query_type", "type")
CAPTION_NAMES = ("captions", "original_captions")
NEGATIVE_CAPTION_NAMES = ("hard_negative_captions", "negative_captions")
TARGET_PATHS = ("target_path", *PATH_NAMES)
HARD_NEGATIVE_PATHS = ("hard_negative_path",)


@dataclass(frozen=True)
class Side:
    """One clip of an item, by its role."""

    role: str
    id: str
    captions: tuple[str, ...]
    found: Found


@dataclass(frozen=True)
class Item:
    """A pair, which gets a verdict, or a query (with a `text`), which gets a rating.

    `subject` holds the keys that name it in the log.
    """

    subject: Record
    sides: tuple[Side, ...]
    text: str | None = None
    query_type: str | None = None

    @property
    def kind(self) -> str:
        """What is given to it: a verdict or a rating."""
        return VERDICT if self.text is None else RATING

    @cached_property
    def key(self) -> Key:
        """What it is told from other items by."""
        return key_of(self.subject)


@dataclass(frozen=True)
class _Row:
    """One row, checked, its sounds not yet found."""

    subject: Record
    row: Record
    folder: str
    target: str
    hard_negative: str | None
    text: str | None
    query_type: str | None


def read_items(sources: Sequence[str], sounds: ClipSounds) -> list[Item]:
    """Read pairs or queries from JSONL, CSV or Parquet; "-" is stdin.

    What stands there twice is judged once. Raises OeaError naming the line of what is neither pair
    nor query, and where both stand together.
    """
    found: dict[Key, _Row] = {}
    for source in sources:
        folder = "" if source == "-" else parent(source)
        for row in _checked(read_table(source), folder):
            found.setdefault(key_of(row.subject), row)
    rows = list(found.values())
    if len({row.text is None for row in rows}) > 1:
        raise OeaError(f"{', '.join(sources)}: both pairs and queries; review one after the other")
    sounds.look_up({name for row in rows for name in (row.target, row.hard_negative) if name})
    return [_item(row, sounds) for row in rows]


def _checked(rows: Rows, folder: str) -> Iterable[_Row]:
    for where, row in rows:
        try:
            check_letters(row)
            yield _query(row, folder) if _is_query(row) else _pair(row, folder)
        except ValueError as problem:
            raise OeaError(f"{where}: {problem}") from problem


def _is_query(row: Record) -> bool:
    return any(row.get(name) for name in TEXT_NAMES)


def _pair(row: Record, folder: str) -> _Row:
    target, hard_negative = _id(row.get("target")), _id(row.get("hard_negative"))
    if target is None or hard_negative is None:
        raise ValueError(
            "neither a pair, with 'target' and 'hard_negative', nor a query, with 'text' (or "
            "'generated_query', 'negative_query') and its clip"
        )
    subject = {"target": target, "hard_negative": hard_negative}
    return _Row(subject, row, folder, target, hard_negative, None, None)


def _query(row: Record, folder: str) -> _Row:
    text = next(str(row[name]) for name in TEXT_NAMES if row.get(name))
    is_negative = "negative_query" in row
    names = {name: _id(row.get(name)) for name in ("id", "audio_id", "dataset")}
    query_type = next((_id(row[name]) for name in TYPE_NAMES if row.get(name)), None)
    query_type = query_type or ("negative" if is_negative else None)
    target = _id(row.get("target")) or names["audio_id"]
    if target is None:
        raise ValueError("no 'target' and no 'audio_id'; a query is rated by its clip")
    # A query without an id of its own is told by its clip.
    clip = {} if names["id"] or names["audio_id"] else {"target": target}
    subject = {**names, **clip, "query_type": query_type, "text": text}
    return _Row(
        {key: value for key, value in subject.items() if value is not None},
        row, folder, target, _id(row.get("hard_negative")), text, query_type,
    )  # fmt: skip


def _id(value: Any) -> str | None:
    """An id; the first of a list or of an object of ids and grades."""
    if isinstance(value, list | dict):
        value = next(iter(value), None)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r:.60} is no id; it must be text or a number")
    return str(value)


def _item(row: _Row, sounds: ClipSounds) -> Item:
    excluded = any(row.row.get(name) for name in NEGATIVE_CAPTION_NAMES)
    role = TARGET if row.hard_negative or excluded else CLIP
    sides = [_side(role, row.target, row, CAPTION_NAMES, TARGET_PATHS, sounds)]
    names, paths = NEGATIVE_CAPTION_NAMES, HARD_NEGATIVE_PATHS
    if row.hard_negative:
        sides.append(_side(HARD_NEGATIVE, row.hard_negative, row, names, paths, sounds))
    elif excluded:
        # UIQ's negative rows hold their hard negative's captions, and not which clip it is.
        unknown = Found(problem="the row does not say which clip it is")
        sides.append(Side(HARD_NEGATIVE, "", _captions(row.row, names, unknown), unknown))
    return Item(row.subject, tuple(sides), row.text, row.query_type)


def _side(
    role: str,
    id_: str,
    row: _Row,
    caption_names: Sequence[str],
    path_names: Sequence[str],
    sounds: ClipSounds,
) -> Side:
    path = next((row.row[name] for name in path_names if isinstance(row.row.get(name), str)), None)
    found = sounds.find(id_, path, row.folder)
    return Side(role, id_, _captions(row.row, caption_names, found), found)


def _captions(row: Record, names: Sequence[str], found: Found) -> tuple[str, ...]:
    """The captions that the row holds, or else those of the clip's record."""
    written = next((row[name] for name in names if row.get(name)), found.captions)
    listed = [written] if isinstance(written, str) else written
    return tuple(str(one) for one in listed) if isinstance(listed, list | tuple) else ()
