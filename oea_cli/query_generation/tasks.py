"""The queries to write: for clips with captions, and their hard negatives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from oea_cli.clips.clip import Clip
from oea_cli.clips.pairs import HardNegativePair
from oea_cli.clips.query_types import NEGATIVE, POSITIVE
from oea_cli.query_generation.grammar.candidates import About


@dataclass(frozen=True)
class Task:
    """One query to write, for a clip and of a type; a negative one has a hard negative."""

    clip: Clip
    type: str
    pair: HardNegativePair | None = None

    @property
    def id(self) -> str:
        """Names the query among all others: "question/ID", "negative/ID/ID"."""
        return "/".join(
            [self.type, self.clip.id, *([self.pair.hard_negative] if self.pair else [])]
        )

    @cached_property
    def about(self) -> About:
        """What the query is checked against."""
        names = [self.clip.id, str(self.clip.record.get("path", ""))]
        if self.pair is None:
            return About(self.clip.captions, (), tuple(names))
        names.append(self.pair.hard_negative)
        return About(self.clip.captions, self.pair.hard_negative_captions, tuple(names))


def tasks_of(
    clips: Sequence[Clip], pairs: Sequence[HardNegativePair], types: Sequence[str]
) -> list[Task]:
    """Every query to be written, clip by clip: one of each positive type, one negative per pair."""
    by_id = {clip.id: clip for clip in clips}
    of_target: dict[str, dict[str, HardNegativePair]] = {}
    for pair in pairs:
        of_target.setdefault(pair.target, {}).setdefault(pair.hard_negative, pair)
    tasks = []
    for clip in clips:
        tasks += [Task(clip, name) for name in types if name in POSITIVE]
        if NEGATIVE in types:
            mine = of_target.get(clip.id, {}).values()
            tasks += [Task(clip, NEGATIVE, _with_captions(pair, by_id)) for pair in mine]
    return tasks


def _with_captions(pair: HardNegativePair, clips: Mapping[str, Clip]) -> HardNegativePair:
    other = clips.get(pair.hard_negative)
    if pair.hard_negative_captions or other is None:
        return pair
    return replace(pair, hard_negative_captions=other.captions)
