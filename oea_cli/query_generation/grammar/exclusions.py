"""Exclusions: what a clip has, without what only its hard negative has."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from random import Random

from oea_cli.query_generation.grammar.candidates import About
from oea_cli.query_generation.grammar.clauses import turned
from oea_cli.query_generation.grammar.framing import findable_thing, frames
from oea_cli.query_generation.grammar.lexicon import lexicon
from oea_cli.query_generation.grammar.phrases import Phrase, phrases_of
from oea_cli.query_generation.grammar.spelling import capitalised, spelled
from oea_cli.query_generation.grammar.words import concept, content_of, tokens_of, words_of

MAX_EXCLUDED = 2
LONG = 6
EXCLUDING = frozenset({"no", "not", "without", "except"})


def exclusions(captions: Sequence[str], about: About, random: Random) -> Iterator[str]:
    """Queries for a clip that leave out something of its hard negative, the best first."""
    left_out = excludable(about)
    frame_list = list(frames().exclusions)
    for thing in chain.from_iterable(map(_findable_things, captions)):
        for count in range(min(MAX_EXCLUDED, len(left_out)), 0, -1):
            random.shuffle(frame_list)
            for frame in frame_list:
                if _fits(frame, thing, left_out[:count]):
                    excluded = _excluded(frame, left_out[:count])
                    yield capitalised(frame.format(thing, excluded))


def _fits(frame: str, thing: str, left_out: Sequence[Phrase]) -> bool:
    """True where a frame suits what is put into it."""
    # What is long, or has commas, is closed by one before the exclusion.
    is_closed = "," in thing or len(thing.split()) > LONG
    if is_closed != frame.startswith("{},"):
        return False
    return _takes_bare_noun(frame) or not any(phrase.lacks_article for phrase in left_out)


def _takes_bare_noun(frame: str) -> bool:
    """True of "no {}", where "without {}" needs an article: "no train", "without a train"."""
    return frame.endswith("no {}")


def _excluded(frame: str, phrases: Sequence[Phrase]) -> str:
    if _takes_bare_noun(frame):
        return " or ".join(map(str, phrases))
    return " or ".join(phrase.with_article() for phrase in phrases)


def _findable_things(caption: str) -> Iterator[str]:
    thing = findable_thing(turned(tokens_of(caption)))
    if thing and not EXCLUDING & set(thing):
        yield spelled(thing)


def excludable(about: About) -> list[Phrase]:
    """What the hard negative has and the target has not, what most of its captions name first.

    Phrases of which the target has nothing come first, then those of which it has not all.
    """
    found = _phrases_of_negative(about)
    contents = [content_of(words_of(text)).keys() for text in about.negative_captions]

    def order(content: frozenset[str]) -> tuple[bool, bool, int, int]:
        is_place = all(phrase.is_place for phrase in found[content])
        is_mixed = bool(content & about.content.keys())
        num_captions = sum(content <= each for each in contents)
        return is_place, is_mixed, -num_captions, len(content)

    chosen: list[Phrase] = []
    for content in sorted(found, key=order):
        if not any(content & phrase.content for phrase in chosen):
            chosen.append(found[content][0])
    # Where something sounds is left out only if there is nothing else to leave out.
    return [phrase for phrase in chosen if not phrase.is_place] or chosen


def _phrases_of_negative(about: About) -> dict[frozenset[str], list[Phrase]]:
    """The hard negative's phrases that the target does not have, by their content."""
    found: dict[frozenset[str], list[Phrase]] = {}
    for caption in about.negative_captions:
        for phrase in phrases_of(caption):
            if phrase.content - about.content.keys() and not _takes_in_target(phrase, about):
                found.setdefault(phrase.content, []).append(phrase)
    return found


def _takes_in_target(phrase: Phrase, about: About) -> bool:
    """True where a phrase would leave out the target as well: "vehicles", of a bus."""
    return any(
        _narrower_concepts().get(key, frozenset()) & about.content.keys() for key in phrase.content
    )


@cache
def _narrower_concepts() -> Mapping[str, frozenset[str]]:
    return {
        concept(word): frozenset(map(concept, narrower.split()))
        for word, narrower in lexicon().broader.items()
    }
