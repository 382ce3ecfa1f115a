"""What fits what among captioned clips, as the keys of `data.batch`.

A caption fits its own clip, any clip that has the same caption, near-duplicates of its clip, and
mixes of its clip with another: they have what it asks for, if more. A text that excludes something
("A without B") does not fit the mix, and a mix's own ("A and B") does not fit its parts.
"""

from collections.abc import Iterable, Sequence

from oea_cli.clips.captions import normalized
from oea_cli.training.data.batch import content_key
from oea_cli.training.data.sources import TrainingClip

Keys = frozenset[int]


def caption_keys(captions: Sequence[str]) -> Keys:
    """One for each caption, white space and case aside."""
    return frozenset(content_key("caption", caption) for caption in normalized(captions))


class FitKeys:
    """The keys of clips and of texts about them. `same` are pairs of clips that sound the same."""

    def __init__(self, same: Iterable[tuple[str, str]] = ()) -> None:
        self._same: dict[str, set[int]] = {}
        for one, other in same:
            key = content_key("same", *sorted((one, other)))
            self._same.setdefault(one, set()).add(key)
            self._same.setdefault(other, set()).add(key)

    def of_sound(self, clip: TrainingClip) -> Keys:
        """A clip as it is."""
        return self._whole(clip) | {_part(clip)} | caption_keys(clip.captions)

    def of_caption(self, clip: TrainingClip, caption: str) -> Keys:
        """One of a clip's captions."""
        return self._whole(clip) | {_part(clip)} | caption_keys([caption])

    def of_exclusion(self, clip: TrainingClip, text: str) -> Keys:
        """A text for a clip because of what the clip lacks."""
        return self._whole(clip) | caption_keys([text])

    def of_mix(self, one: TrainingClip, other: TrainingClip) -> Keys:
        """A clip with another one beneath it."""
        parts = {_part(one), _part(other)}
        captions = caption_keys([*one.captions, *other.captions])
        return frozenset({_mix(one, other)}) | parts | captions

    def of_mix_caption(self, one: TrainingClip, other: TrainingClip, caption: str) -> Keys:
        """A text for both clips at once."""
        return frozenset({_mix(one, other)}) | caption_keys([caption])

    def _whole(self, clip: TrainingClip) -> Keys:
        own = {content_key("clip", clip.path, clip.start)}
        return frozenset(own | self._same.get(clip.id, set()))


def _part(clip: TrainingClip) -> int:
    return content_key("part", clip.path, clip.start)


def _mix(one: TrainingClip, other: TrainingClip) -> int:
    return content_key("mix", *sorted([(one.path, one.start), (other.path, other.start)]))
