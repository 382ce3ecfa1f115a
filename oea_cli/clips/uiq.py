"""UIQ, the paper's benchmark of questions, commands, key phrases, paraphrases and exclusions.

The release's fifteen files (section 3.2 and appendices C to E of the paper; CC BY 4.0) become the
plain queries that every evaluation takes. A positive row holds `generated_query`, one per clip; a
negative one `negative_query` and, instead of its hard negative's id, that clip's captions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oea_cli.clips.captions import CaptionPool, clips_with
from oea_cli.clips.names import LISTED, AmbiguousNameError, ClipNames, listed
from oea_cli.clips.query_types import NEGATIVE
from oea_cli.errors import OeaError
from oea_cli.records.fields import RowError
from oea_cli.records.rows import Record

TEXT_KEYS = ("negative_query", "generated_query")
SUBSET_DATASETS = {"mecat"}
"""Whose negative rows list only some of a clip's captions."""


@dataclass(frozen=True, slots=True)
class UiqRow:
    """One row of the release; `audio_id` and `dataset` are empty where it was read without them.

    The release's negative rows have captions of their hard negative and not its id; ours have both.
    """

    where: str
    dataset: str
    type: str
    audio_id: str
    text: str
    captions: tuple[str, ...]
    negative_captions: tuple[str, ...] = ()
    hard_negative: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Which query of which clip it is."""
        return self.dataset, self.type, self.audio_id

    def as_row(self, metadata: Record, model: str) -> Record:
        """The row with the release's keys, and the hard negative's id, which the release lacks.

        `model` is who wrote the text; the release has two keys for that.
        """
        row: Record = {
            "audio_id": self.audio_id,
            "dataset": self.dataset,
            "dataset_slug": self.dataset,
            "query_type": self.type,
            TEXT_KEYS[self.type != NEGATIVE]: self.text,
            "original_captions": list(self.captions),
        }
        if self.hard_negative is not None:
            row["negative_captions"] = list(self.negative_captions)
            row["hard_negative"] = self.hard_negative
        return {**row, "metadata": metadata, "source_model": model, "regen_model": model}


def is_uiq_row(row: Record) -> bool:
    """True for a row as UIQ's files have them, positive or negative."""
    return "audio_id" in row and any(key in row for key in TEXT_KEYS)


def resolve_uiq(
    rows: Iterable[tuple[str, Record]], captions: Mapping[str, Sequence[str]] | None = None
) -> list[Record]:
    """Turn UIQ rows, each with where it stands ("file:line"), into queries, in their order.

    A query is {"id", "text", "target", "hard_negative" (of a negative row), "type", "dataset"};
    its id is DATASET/TYPE/AUDIO_ID, with #2, #3 ... for further rows of one clip. Hard negatives,
    and targets under another name, are found by their captions: among the positive rows given
    along, and among `captions`, each clip's captions by its id (`captions_by_clip` makes them of
    records). Ids of `captions` win over those of the rows: they are the collection's.

    Raises OeaError that names the rows that cannot be resolved, and what they would need.
    """
    problems: dict[int, str] = {}
    checked: dict[int, UiqRow] = {}
    for number, (where, row) in enumerate(rows):
        try:
            checked[number] = uiq_row_from(where, row)
        except RowError as problem:
            problems[number] = f"{where}: {problem}"
    clips = _Clips(list(checked.values()), captions or {})
    queries: list[Record] = []
    seen: dict[tuple[str, str, str], list[UiqRow]] = {}
    for number, good_row in checked.items():
        try:
            queries.append(_query(good_row, clips, seen.setdefault(good_row.key, [])))
        except RowError as problem:
            problems[number] = f"{good_row.where}: {problem}"
    if problems:
        in_order = [problems[number] for number in sorted(problems)]
        raise OeaError(_report(in_order, len(queries) + len(problems)))
    return queries


def _report(problems: list[str], total: int) -> str:
    if len(problems) == 1:
        return problems[0]
    lines = "\n".join(f"  {problem}" for problem in problems[:LISTED])
    more = f"\n  and {len(problems) - LISTED} more" if len(problems) > LISTED else ""
    return f"{len(problems)} of {total} UIQ rows make no query\n{lines}{more}"


# --- one row ---


def uiq_row_from(where: str, row: Record, *, is_named: bool = True) -> UiqRow:
    """Read one row; raises RowError for what is none.

    With `is_named` off it need not say which clip of which dataset it is about.
    """
    text_key = next((key for key in TEXT_KEYS if key in row), None)
    if is_named and not is_uiq_row(row):
        raise RowError("no row of UIQ: it needs 'audio_id' and a query's text")
    if text_key is None:
        raise RowError("no 'generated_query' and no 'negative_query'; a row of UIQ has one")
    is_negative = text_key == "negative_query" or row.get("query_type") == NEGATIVE
    return UiqRow(
        where=where,
        dataset=_text(row, "dataset") if is_named or row.get("dataset") else "",
        type=NEGATIVE if is_negative else _text(row, "query_type"),
        audio_id=_text(row, "audio_id") if is_named or row.get("audio_id") else "",
        text=_text(row, text_key),
        captions=_texts(row, "original_captions"),
        negative_captions=_texts(row, "negative_captions"),
        hard_negative=_text(row, "hard_negative") if row.get("hard_negative") else None,
    )


def _text(row: Record, key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RowError(f"'{key}' is {value!r:.60}; it must be text")
    return value


def _texts(row: Record, key: str) -> tuple[str, ...]:
    value: Any = row.get(key) or []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise RowError(f"'{key}' is {value!r:.60}; it must be a list of texts")
    return tuple(value)


def _refuse_repetition(row: UiqRow, earlier: list[UiqRow]) -> None:
    """A clip has one positive query of a type, and any number of different negative ones."""
    for other in earlier:
        if row.type != NEGATIVE or _content(row) == _content(other):
            raise RowError(
                f"repeats the {row.type} query of {other.where} for '{row.audio_id}'; "
                "give every row once"
            )


def _content(row: UiqRow) -> tuple[object, ...]:
    return row.text, row.negative_captions, row.hard_negative


def _query(row: UiqRow, clips: "_Clips", earlier: list[UiqRow]) -> Record:
    """The query of a row, after the `earlier` ones of its clip and type, which it joins."""
    _refuse_repetition(row, earlier)
    earlier.append(row)
    number = f"#{len(earlier)}" if len(earlier) > 1 else ""
    target = clips.target(row)
    query = {"id": "/".join(row.key) + number, "text": row.text, "target": target}
    if row.type == NEGATIVE:
        query["hard_negative"] = clips.hard_negative(row)
        if query["hard_negative"] == target:
            raise RowError(f"its hard negative is its own target, '{target}'")
    return {**query, "type": row.type, "dataset": row.dataset}


# --- which clips the rows are about ---


@dataclass(frozen=True)
class _Dataset:
    """The clips that the positive rows of one dataset describe; `clip_of` has their ids."""

    names: ClipNames
    pool: CaptionPool
    clip_of: dict[str, str]


class _Clips:
    """The clips of the caption source and of the positive rows, by name and by captions."""

    def __init__(self, rows: list[UiqRow], captions: Mapping[str, Sequence[str]]) -> None:
        self._given_names = ClipNames(captions)
        self._given = CaptionPool(captions.items())
        positives: dict[str, dict[str, tuple[str, ...]]] = {row.dataset: {} for row in rows}
        for row in rows:
            if row.type != NEGATIVE:
                positives[row.dataset].setdefault(row.audio_id, row.captions)
        self._datasets = {name: self._dataset(clips) for name, clips in positives.items()}

    def _dataset(self, positives: dict[str, tuple[str, ...]]) -> _Dataset:
        clip_of = {}
        for audio_id, captions in positives.items():
            try:
                clip_of[audio_id] = self._given_clip(audio_id, captions) or audio_id
            except RowError:
                continue  # named where the row itself is resolved
        pool = CaptionPool((clip_of[name], positives[name]) for name in clip_of)
        return _Dataset(ClipNames(clip_of), pool, clip_of)

    def target(self, row: UiqRow) -> str:
        """The id of a row's target: as the collection has it, or as the row has it."""
        try:
            if named := self._named(row.audio_id, "target", row):
                return named
        except RowError:
            # Two clips of that name, in two folders perhaps: the captions tell which.
            if by_captions := self._by_captions(row):
                return by_captions
            raise
        # Unknown under any name: whether it is in the collection is for the evaluation to say.
        return self._by_captions(row) or row.audio_id

    def _by_captions(self, row: UiqRow) -> str | None:
        own = self._datasets[row.dataset].pool
        return _only_one(self._given, row.captions) or _only_one(own, row.captions)

    def _named(self, name: str, role: str, row: UiqRow) -> str | None:
        dataset = self._datasets[row.dataset]
        try:
            if given := self._given_names.find(name):
                return given
            found = dataset.names.find(name)
        except AmbiguousNameError as error:
            raise RowError(f"its {role} {error}") from error
        return dataset.clip_of[found] if found else None

    def hard_negative(self, row: UiqRow) -> str:
        """The id of the clip whose captions a negative row excludes; raises RowError."""
        if row.hard_negative is not None:
            return self._named(row.hard_negative, "hard negative", row) or row.hard_negative
        if not row.negative_captions:
            raise RowError("no 'negative_captions'; they tell which clip the hard negative is")
        subset = row.dataset.casefold() in SUBSET_DATASETS
        pools = [self._given, self._datasets[row.dataset].pool]
        found = clips_with(pools, row.negative_captions, subset=subset)
        count = len(row.negative_captions)
        if len(found) > 1:
            raise RowError(
                f"its {count} negative_captions are those of {len(found)} clips: {listed(found)}"
            )
        if not found:
            raise RowError(
                f"no clip has its {count} negative_captions; give the positive queries of "
                f"{row.dataset} along with it, or records with the clips' captions"
            )
        return found[0]

    def _given_clip(self, audio_id: str, captions: tuple[str, ...]) -> str | None:
        try:
            return self._given_names.find(audio_id) or _only_one(self._given, captions)
        except AmbiguousNameError as error:
            if by_captions := _only_one(self._given, captions):
                return by_captions
            raise RowError(str(error)) from error


def _only_one(pool: CaptionPool, captions: tuple[str, ...]) -> str | None:
    """The one clip with exactly these captions; a single caption may be shared by chance."""
    found = clips_with([pool], captions, subset=False) if len(captions) > 1 else []
    if len(found) > 1:
        raise RowError(f"its original_captions are those of {len(found)} clips: {listed(found)}")
    return found[0] if found else None
