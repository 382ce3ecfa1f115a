"""A clip's captions: which they are, when two are equal, and which clip a list of them belongs to.

Captions are the only trace of the hard negatives in UIQ's release. Rules of the published
reproduction (an audit that found all 1,581 pairs without embeddings): the same captions in the same
order, of exactly one clip; else the same but for white space, case and repetitions; for MECAT,
whose negative rows list 12 of a clip's 17 captions, all of them among exactly one clip's.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from oea_cli.errors import OeaError
from oea_cli.records.ids import clip_of
from oea_cli.records.rows import Record
from oea_cli.records.text import nfc

FILLER = {"", "none"}
"""MECAT writes "None" where a field has nothing to say."""
MECAT_FIELDS = ("long", "sound", "environment", "speech", "music")
"""Captions that our records keep beside `captions`, which holds the short ones."""

Captions = Sequence[str]


# --- which they are ---


def cleaned(value: object) -> tuple[str, ...]:
    """The captions in a text or a list of texts: without white space around them, without filler.

    Repetitions stay: a dataset's captions are counted and numbered as they are published. What is
    no text is left out.
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        return ()
    stripped = (text.strip() for text in texts if isinstance(text, str))
    return tuple(text for text in stripped if text.casefold() not in FILLER)


def texts_of(record: Record, key: str, where: str) -> tuple[str, ...]:
    """A text, or a list of texts, as a record has it; raises OeaError where it is anything else."""
    value = record.get(key) or ()
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise OeaError(f"{where}: {key!r} must be a list of texts; got {value!r:.60}")
    return tuple(texts)


def captions_in(record: Record) -> tuple[str, ...]:
    """The captions of the clip that a record describes; of a sound without any, its text."""
    captions = cleaned(record.get("captions")) or cleaned(record.get("caption"))
    return captions or (cleaned(record.get("text")) if record.get("path") else ())


def all_captions_in(record: Record) -> tuple[str, ...]:
    """The same with MECAT's other fields, for telling which clip it is."""
    fields = (record.get(field) for field in MECAT_FIELDS)
    more = [text for value in fields if not isinstance(value, str) for text in cleaned(value)]
    return (*captions_in(record), *more)


def captions_by_clip(records: Iterable[Record]) -> dict[str, list[str]]:
    """All captions of each clip, from records as every verb reads and keeps them.

    The windows of a long clip are one clip. Records without captions are left out.
    """
    found: dict[str, list[str]] = {}
    for record in records:
        if captions := all_captions_in(record):
            found.setdefault(clip_of(str(record["id"])), list(captions))
    return found


# --- when two are equal ---


def normalized(captions: Captions) -> tuple[str, ...]:
    """Captions in one case and one form of Unicode, with single blanks, each once, in order,
    without filler."""
    plain = (" ".join(nfc(caption).split()).casefold() for caption in captions)
    return tuple(dict.fromkeys(caption for caption in plain if caption not in FILLER))


def words_only(caption: str) -> str:
    """A caption without case, punctuation and repeated white space."""
    return re.sub(r"[\W_]+", " ", nfc(caption)).strip().casefold()


def shared_captions(captions: Sequence[Captions]) -> list[frozenset[str]]:
    """For each clip (N), those of its captions, by their words, that other clips have as well."""
    owners: dict[str, int] = {}
    shared: set[str] = set()
    own = [frozenset(filter(None, map(words_only, texts))) for texts in captions]
    for clip, texts in enumerate(own):
        shared.update(text for text in texts if owners.setdefault(text, clip) != clip)
    return [texts & shared for texts in own]


# --- which clip they belong to ---


class CaptionPool:
    """Clips by their captions; a clip may be added with several lists."""

    def __init__(self, clips: Iterable[tuple[str, Captions]] = ()) -> None:
        self._clips = [(clip, tuple(captions)) for clip, captions in clips]

    def same(self, captions: Captions) -> list[str]:
        """The clips with this very list."""
        return self._by_list.get(tuple(captions), [])

    def same_normalized(self, captions: Captions) -> list[str]:
        """The clips whose list is the same but for white space, case and repetitions."""
        return self._by_normalized_list.get(normalized(captions), [])

    def containing(self, captions: Captions) -> list[str]:
        """The clips with all of these captions among theirs, white space and case aside."""
        wanted = normalized(captions)
        if not wanted:
            return []
        # Clips in the order they were added: a dict is an ordered set.
        clips = [self._by_caption.get(caption, {}) for caption in wanted]
        return [clip for clip in min(clips, key=len) if all(clip in others for others in clips)]

    @cached_property
    def _by_list(self) -> dict[tuple[str, ...], list[str]]:
        return _clips_by_key((captions, clip) for clip, captions in self._clips)

    @cached_property
    def _by_normalized_list(self) -> dict[tuple[str, ...], list[str]]:
        return _clips_by_key((normalized(captions), clip) for clip, captions in self._clips)

    @cached_property
    def _by_caption(self) -> dict[str, dict[str, None]]:
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for clip, captions in self._clips:
            for caption in normalized(captions):
                found[caption][clip] = None
        return found


def clips_with(pools: Sequence[CaptionPool], captions: Captions, *, subset: bool) -> list[str]:
    """The clips in any of the pools that the captions belong to; more than one is no answer.

    The strictest rule that finds a clip decides; `subset` allows the last one.
    """
    rules = [CaptionPool.same, CaptionPool.same_normalized, *([CaptionPool.containing] * subset)]
    for rule in rules:
        found = dict.fromkeys(clip for pool in pools for clip in rule(pool, captions))
        if found:
            return list(found)
    return []


def _clips_by_key(
    items: Iterable[tuple[tuple[str, ...], str]],
) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for key, clip in items:
        if key:
            found[key][clip] = None
    return {key: list(clips) for key, clips in found.items()}
