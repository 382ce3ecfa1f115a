"""Which clip a list of captions belongs to: the only trace of the hard negatives in UIQ's release.

Rules of the published reproduction (an audit that found all 1,581 pairs without embeddings): the
same captions in the same order, of exactly one clip; else the same after white space and case are
evened out and repetitions dropped; for MECAT, whose negative rows list 12 of a clip's 17 captions,
all of them among exactly one clip's.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from oea_cli.records.ids import clip_of
from oea_cli.records.rows import Record

FILLER = {"", "none"}
"""MECAT writes "None" where a field has nothing to say."""
MECAT_FIELDS = ("sound", "environment", "speech", "music")
"""Captions that our records keep beside `captions`, which holds the short and the long ones."""

Captions = Sequence[str]


class CaptionPool:
    """Clips by their captions; a clip may be added with several lists."""

    def __init__(self, clips: Iterable[tuple[str, Captions]] = ()) -> None:
        self._clips = [(clip, tuple(captions)) for clip, captions in clips]

    def same(self, captions: Captions) -> list[str]:
        """The clips with this very list."""
        return self._by_list.get(tuple(captions), [])

    def same_evened(self, captions: Captions) -> list[str]:
        """The clips whose list is the same but for white space, case and repetitions."""
        return self._by_evened_list.get(evened(captions), [])

    def containing(self, captions: Captions) -> list[str]:
        """The clips with all of these captions among theirs, white space and case aside."""
        wanted = evened(captions)
        if not wanted:
            return []
        # Clips in the order they were added: a dict is an ordered set.
        clips = [self._by_caption.get(caption, {}) for caption in wanted]
        return [clip for clip in min(clips, key=len) if all(clip in others for others in clips)]

    @cached_property
    def _by_list(self) -> dict[tuple[str, ...], list[str]]:
        return _clips_by_key((captions, clip) for clip, captions in self._clips)

    @cached_property
    def _by_evened_list(self) -> dict[tuple[str, ...], list[str]]:
        return _clips_by_key((evened(captions), clip) for clip, captions in self._clips)

    @cached_property
    def _by_caption(self) -> dict[str, dict[str, None]]:
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for clip, captions in self._clips:
            for caption in evened(captions):
                found[caption][clip] = None
        return found


def clips_with(pools: Sequence[CaptionPool], captions: Captions, *, subset: bool) -> list[str]:
    """The clips in any of the pools that the captions belong to; more than one is no answer.

    The strictest rule that finds a clip decides; `subset` allows the last one.
    """
    rules = [CaptionPool.same, CaptionPool.same_evened, *([CaptionPool.containing] * subset)]
    for rule in rules:
        found = dict.fromkeys(clip for pool in pools for clip in rule(pool, captions))
        if found:
            return list(found)
    return []


def evened(captions: Captions) -> tuple[str, ...]:
    """Captions in one case, with single blanks, each once, in order, without filler."""
    plain = (" ".join(caption.split()).casefold() for caption in captions)
    return tuple(dict.fromkeys(caption for caption in plain if caption not in FILLER))


def captions_of(records: Iterable[Record]) -> dict[str, list[str]]:
    """All captions of each clip, from records as every verb reads and keeps them.

    MECAT's other fields count too; the windows of a long clip are one clip. Records without
    captions are left out.
    """
    found: dict[str, list[str]] = {}
    for record in records:
        captions = list(record.get("captions") or ())
        for field in MECAT_FIELDS:
            value = record.get(field)
            if isinstance(value, list | tuple):
                captions += [text for text in value if isinstance(text, str)]
        if captions:
            found.setdefault(clip_of(str(record["id"])), captions)
    return found


def _clips_by_key(
    items: Iterable[tuple[tuple[str, ...], str]],
) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for key, clip in items:
        if key:
            found[key][clip] = None
    return {key: list(clips) for key, clips in found.items()}


def plain(caption: str) -> str:
    """A caption without case, punctuation and white space: what is equal then says the same."""
    return re.sub(r"[\W_]+", " ", caption).strip().casefold()


def shared_captions(captions: Sequence[Sequence[str]]) -> list[frozenset[str]]:
    """For each clip (N), those of its plain captions that other clips have as well."""
    owners: dict[str, int] = {}
    shared: set[str] = set()
    said = [frozenset(filter(None, map(plain, texts))) for texts in captions]
    for clip, texts in enumerate(said):
        shared.update(text for text in texts if owners.setdefault(text, clip) != clip)
    return [texts & shared for texts in said]
