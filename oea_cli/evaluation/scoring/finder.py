"""Finds the candidates that a name means."""

from functools import cached_property

from oea_cli.clips.names import ClipNames
from oea_cli.vectors.scan.candidates import Corpus


class Finder:
    """Finds candidates by their ids, in any spelling that stands for one of them."""

    def __init__(self, corpus: Corpus) -> None:
        self.ids, self._corpus = corpus.ids, corpus

    @cached_property
    def _names(self) -> ClipNames:
        """All spellings; built when an id is not found as it is, because a corpus may be large."""
        return ClipNames(self._corpus.clips)

    def by_id(self, id_: str) -> int:
        """The number of the candidate, -1 where there is none; raises OeaError for several."""
        numbers = self._corpus.number_of
        if id_ in numbers:
            return numbers[id_]
        clip = self._names.find(id_)
        return -1 if clip is None else numbers.get(clip, -1)

    def of_clip(self, clip: str) -> list[int]:
        """The numbers of all candidates that belong to a clip."""
        if self._corpus.clips is self._corpus.ids:
            number = self.by_id(clip)
            return [] if number < 0 else [number]
        found = self._corpus.of_clip
        name = clip if clip in found else self._names.find(clip)
        return [] if name is None else found[name]
