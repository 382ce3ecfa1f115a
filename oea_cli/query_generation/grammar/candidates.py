"""A text that may become a query, and the clip that it is about: all that the rules look at."""

import re
from dataclasses import dataclass
from functools import cache, cached_property

from oea_cli.clips.query_types import IMPERATIVE, PARAPHRASE, QUESTION
from oea_cli.query_generation.grammar.lexicon import Words
from oea_cli.query_generation.grammar.parts_of_speech import is_adverb
from oea_cli.query_generation.grammar.word_lists import read_word_lists
from oea_cli.query_generation.grammar.words import content_of, words_of

LENGTH_MARGIN = 2
"""Words that a positive query may differ by from its caption (the paper's appendix D)."""
MIN_KEPT = 0.5
"""Share of the best caption's content words that a positive query keeps."""

EXCLUSION = re.compile(
    r"[,;]?\s*\b(?:but|and|with)?\s*\b(without|with no|no|not|except(?: for)?|excluding|minus|"
    r"free of|lacking|but no|in the absence of|instead of|rather than|absent)\b\s*",
    re.IGNORECASE,
)
EXCLUDED_BORDERS = re.compile(r"\s*(?:[,;]|\bor\b|\band\b|\bnor\b|\bwithout\b|\bno\b)\s*", re.I)


@dataclass(frozen=True, slots=True)
class AskingWords:
    """The lists of `english/asking.toml`."""

    command_verbs: Words
    question_openers: Words
    asking_words: Words

    @property
    def all_asking(self) -> Words:
        """Words that are not content of a query which asks."""
        return self.command_verbs | self.asking_words


@cache
def asking_words() -> AskingWords:
    """The lists, read when they are first needed."""
    return AskingWords(**read_word_lists("asking"))


@dataclass(frozen=True)
class About:
    """What a query is about: its clip's captions and names, and its hard negative's captions."""

    captions: tuple[str, ...]
    negative_captions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @cached_property
    def contents(self) -> list[dict[str, str]]:
        """The content of each caption: concept -> word."""
        return [content_of(words_of(caption)) for caption in self.captions]

    @cached_property
    def lengths(self) -> list[int]:
        """The words that each caption has."""
        return [len(words_of(caption)) for caption in self.captions]

    @cached_property
    def content_lengths(self) -> list[int]:
        """The same without small words, adverbs and words that say little."""
        return [
            sum(bool(content_of([word])) and not is_adverb(word) for word in words_of(caption))
            for caption in self.captions
        ]

    @cached_property
    def content(self) -> dict[str, str]:
        """The content of all captions together."""
        return {key: word for each in reversed(self.contents) for key, word in each.items()}

    @cached_property
    def negative_content(self) -> dict[str, str]:
        """The content of the hard negative's captions."""
        return content_of(word for text in self.negative_captions for word in words_of(text))


@dataclass(frozen=True)
class Candidate:
    """A text that is checked: a query of a type, about a clip."""

    text: str
    type: str
    about: About

    @cached_property
    def words(self) -> list[str]:
        """Its words, without punctuation."""
        return words_of(self.text)

    @cached_property
    def content(self) -> dict[str, str]:
        """Its content words; those of asking are left out where it asks."""
        if self.type not in (QUESTION, IMPERATIVE, PARAPHRASE):
            return content_of(self.words)
        asking = asking_words().all_asking
        # "search", where a caption has it as well, is content after all.
        shared = content_of(word for word in self.words if word in asking)
        return content_of(word for word in self.words if word not in asking) | {
            key: word for key, word in shared.items() if key in self.about.content
        }

    @cached_property
    def best_caption(self) -> int | None:
        """Which caption it is measured by, None without any: of those whose content it keeps, the
        nearest in length; where it keeps none, the one that it shares most with.
        """
        numbers = range(len(self.about.captions))
        kept = [number for number in numbers if self.share_kept(number) >= MIN_KEPT]
        if kept:
            return min(kept, key=lambda number: abs(self._excess(number)))
        return max(numbers, key=self.share_kept, default=None)

    @property
    def is_within_margin(self) -> bool:
        """True within two words of the caption that fits best, every word counted."""
        best = self.best_caption
        return best is not None and abs(self._excess(best)) <= LENGTH_MARGIN

    def _excess(self, number: int) -> int:
        """The words that it has more than a caption."""
        return len(self.words) - self.about.lengths[number]

    def share_kept(self, number: int) -> float:
        """The share of a caption's content words that it keeps, 0 to 1."""
        theirs = self.about.contents[number].keys()
        return len(theirs & self.content.keys()) / len(theirs) if theirs else 1.0

    @cached_property
    def exclusion(self) -> tuple[str, str] | None:
        """What is wanted and what is left out; None where nothing is."""
        found = EXCLUSION.search(self.text)
        if found is None:
            return None
        return self.text[: found.start()].strip(" ,;"), self.text[found.end() :].strip(" ,;.")

    @cached_property
    def excluded_contents(self) -> list[dict[str, str]]:
        """The content of every phrase that is left out."""
        if self.exclusion is None:
            return []
        parts = EXCLUDED_BORDERS.split(self.exclusion[1])
        return [content for part in parts if (content := content_of(words_of(part)))]
