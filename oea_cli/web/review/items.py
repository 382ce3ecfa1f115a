"""The items to judge: hard-negative pairs and queries from files, with their clips' sounds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from oea_cli.clips.captions import cleaned
from oea_cli.clips.pairs import HardNegativePair, is_pair, pair_from
from oea_cli.clips.queries import Query, query_from
from oea_cli.clips.uiq import TEXT_KEYS, UiqRow, uiq_row_from
from oea_cli.clips.verdicts import RATING, VERDICT, Key, key_of
from oea_cli.errors import OeaError
from oea_cli.records.addresses import parent
from oea_cli.records.fields import PATH_NAMES, RowError, check_values
from oea_cli.records.rows import Record, Rows
from oea_cli.records.tables import read_table
from oea_cli.web.review.clip_sounds import ClipSound, ClipSounds

TARGET, HARD_NEGATIVE, CLIP = "Target", "Hard negative", "Clip"
TARGET_PATHS = ("target_path", *PATH_NAMES)
HARD_NEGATIVE_PATHS = ("hard_negative_path",)
NO_CLIP = "no 'target' and no 'audio_id'; a query needs its clip to be rated"


@dataclass(frozen=True)
class Side:
    """One clip of an item, by its role."""

    role: str
    id: str
    captions: tuple[str, ...]
    found: ClipSound


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
        """Whether it gets a verdict or a rating."""
        return VERDICT if self.text is None else RATING

    @cached_property
    def key(self) -> Key:
        """What distinguishes it from other items."""
        return key_of(self.subject)


@dataclass(frozen=True)
class _Row:
    """One checked row, before its sounds are found."""

    subject: Record
    row: Record
    folder: str
    target: str
    hard_negative: str | None
    captions: tuple[str, ...]
    hard_negative_captions: tuple[str, ...]
    text: str | None = None
    query_type: str | None = None


def read_items(sources: Sequence[str], sounds: ClipSounds) -> list[Item]:
    """Read pairs or queries from JSONL, CSV or Parquet; "-" is stdin.

    What is listed twice is judged once. Raises OeaError for a row that is neither a pair nor a
    query, naming its line, and for pairs and queries together.
    """
    found: dict[Key, _Row] = {}
    for source in sources:
        folder = "" if source == "-" else parent(source)
        for row in _checked(read_table(source), folder):
            found.setdefault(key_of(row.subject), row)
    rows = list(found.values())
    if len({row.text is None for row in rows}) > 1:
        raise OeaError(
            f"{', '.join(sources)}: contains both pairs and queries; review them separately"
        )
    sounds.look_up({name for row in rows for name in (row.target, row.hard_negative) if name})
    return [_item(row, sounds) for row in rows]


def _checked(rows: Rows, folder: str) -> Iterator[_Row]:
    for where, row in rows:
        try:
            check_values(row)
            if any(row.get(name) for name in TEXT_KEYS):
                yield _from_uiq_row(uiq_row_from(where, row, is_named=False), row, folder)
            elif row.get("text"):
                yield _from_query(query_from(where, row), row, folder)
            elif is_pair(row):
                yield _from_pair(pair_from(where, row), row, folder)
            else:
                raise RowError(
                    "neither a pair, with 'target' and 'hard_negative', nor a query, with 'text' "
                    "(or 'generated_query', 'negative_query') and its clip"
                )
        except RowError as problem:
            raise OeaError(f"{where}: {problem}") from problem


def _from_pair(pair: HardNegativePair, row: Record, folder: str) -> _Row:
    subject = {"target": pair.target, "hard_negative": pair.hard_negative}
    captions = pair.captions, pair.hard_negative_captions
    return _Row(subject, row, folder, pair.target, pair.hard_negative, *captions)


def _from_uiq_row(uiq: UiqRow, row: Record, folder: str) -> _Row:
    if not uiq.audio_id:
        raise RowError(NO_CLIP)
    named = {"id": row.get("id"), "audio_id": uiq.audio_id, "dataset": uiq.dataset or None}
    captions = uiq.captions, uiq.negative_captions
    return _Row(
        _subject(named, uiq.type, uiq.text),
        row, folder, uiq.audio_id, uiq.hard_negative, *captions, uiq.text, uiq.type,
    )  # fmt: skip


def _from_query(query: Query, row: Record, folder: str) -> _Row:
    audio_id, query_type = row.get("audio_id"), row.get("query_type") or query.type
    target = next(iter(query.targets), audio_id)
    if target is None or query.text is None:
        raise RowError(NO_CLIP)
    named = {
        "id": query.id if query.is_named else None,
        "audio_id": audio_id,
        "dataset": query.dataset,
    }
    # A query without an id of its own is identified by its clip.
    clip = {} if query.is_named or audio_id else {"target": target}
    captions = (
        _captions(row, "captions", "original_captions"),
        _captions(row, "hard_negative_captions", "negative_captions"),
    )
    return _Row(
        _subject({**named, **clip}, query_type, query.text),
        row, folder, target, query.hard_negative, *captions, query.text, query_type,
    )  # fmt: skip


def _captions(row: Record, *names: str) -> tuple[str, ...]:
    """The captions under the first of the names that has any."""
    return next(filter(None, (cleaned(row.get(name)) for name in names)), ())


def _subject(named: Record, query_type: str | None, text: str) -> Record:
    whole = {**named, "query_type": query_type, "text": text}
    return {key: value for key, value in whole.items() if value is not None}


def _item(row: _Row, sounds: ClipSounds) -> Item:
    role = TARGET if row.hard_negative or row.hard_negative_captions else CLIP
    sides = [_side(role, row.target, row, row.captions, TARGET_PATHS, sounds)]
    captions, paths = row.hard_negative_captions, HARD_NEGATIVE_PATHS
    if row.hard_negative:
        sides.append(_side(HARD_NEGATIVE, row.hard_negative, row, captions, paths, sounds))
    elif captions:
        # UIQ's negative rows have the captions of their hard negative, but not its id.
        unknown = ClipSound(problem="the row does not name this clip")
        sides.append(Side(HARD_NEGATIVE, "", captions, unknown))
    return Item(row.subject, tuple(sides), row.text, row.query_type)


def _side(
    role: str,
    id_: str,
    row: _Row,
    captions: tuple[str, ...],
    path_names: Sequence[str],
    sounds: ClipSounds,
) -> Side:
    path = next((row.row[name] for name in path_names if isinstance(row.row.get(name), str)), None)
    found = sounds.find(id_, path, row.folder)
    return Side(role, id_, captions or found.captions, found)
