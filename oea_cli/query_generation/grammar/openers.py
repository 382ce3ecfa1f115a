"""What captions begin and end with besides the sound, and shorter ways to say what links sounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from oea_cli.query_generation.grammar.spelling import Tokens
from oea_cli.query_generation.grammar.word_lists import read_word_lists


@dataclass(frozen=True, slots=True)
class CaptionPhrases:
    """The lists of `english/captions.toml`."""

    openers: tuple[str, ...]
    spare_heads: tuple[str, ...]
    spare_tails: tuple[str, ...]
    shorter_links: Mapping[str, str]


@cache
def caption_phrases() -> CaptionPhrases:
    """The lists, read when they are first needed."""
    return CaptionPhrases(**read_word_lists("captions"))


def without_openers(tokens: Tokens) -> Tokens:
    """A caption without "you can hear", "there is", "a recording of"."""
    for opener in caption_phrases().openers:
        words = opener.split()
        if tokens[: len(words)] == words and len(tokens) > len(words):
            return without_openers(tokens[len(words) :])
    return tokens
