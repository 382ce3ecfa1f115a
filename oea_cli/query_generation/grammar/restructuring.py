"""Captions in another structure: each change returns the caption changed, or None.

None is also the answer where a change might alter the meaning, and the caption may come back as it
is. Captions are token lists, without openers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from oea_cli.query_generation.grammar.clause_reader import as_thing, has_finite_verb
from oea_cli.query_generation.grammar.clauses import as_clause, turned
from oea_cli.query_generation.grammar.lexicon import Words, lexicon
from oea_cli.query_generation.grammar.parts_of_speech import (
    is_adverb,
    is_noun,
    is_participle,
    is_plural,
)
from oea_cli.query_generation.grammar.spelling import Tokens
from oea_cli.query_generation.grammar.verb_forms import verb_forms
from oea_cli.query_generation.grammar.word_lists import read_word_lists

Change = Callable[[Tokens], Tokens | None]

SEQUENCE_WORDS = frozenset(
    {"then", ",", "followed", "before", "after", "until", "but", "so", "because"}
)
NEVER_BEFORE_PARTICIPLE = frozenset({"sound", "noise", "sounds", "noises", "water"})
PLACES = (["in", "the", "background"], ["in", "the", "distance"], ["in", "the", "foreground"])


@dataclass(frozen=True, slots=True)
class StructureWords:
    """The lists of `english/restructuring.toml`."""

    sound_words: Words
    owned_parts: Words
    referring_words: Words


@cache
def structure_words() -> StructureWords:
    """The lists, read when they are first needed."""
    return StructureWords(**read_word_lists("restructuring"))


def restructured(tokens: Tokens) -> list[Tokens]:
    """The caption after one change of its structure, for every change that applies."""
    return [found for change in CHANGES if (found := change(tokens)) and found != tokens]


def _sides_swapped(tokens: Tokens) -> Tokens | None:
    """ "X as Y" -> "Y while X": both go on at once, so either may come first."""
    place = _only_subordinator(tokens, {"as", "while", "whilst"})
    if place is None or not 0 < place < len(tokens) - 2:
        return None
    first, second = tokens[:place], tokens[place + 1 :]
    if (SEQUENCE_WORDS | lexicon().relatives) & set(tokens):
        return None
    if "time" in second or _refers_back(second) or (is_adverb(first[-1]) and len(first) < 3):
        return None
    main = as_thing(second)
    side = first if has_finite_verb(first) else as_clause(first)
    if not main or not side or not has_finite_verb(second):
        return None
    return [*main, "while" if tokens[place] == "as" else "as", *side]


def _opener_put_last(tokens: Tokens) -> Tokens | None:
    """ "While X, Y" -> "Y while X"."""
    changed = turned(tokens)
    if changed == tokens or _refers_back(tokens[: tokens.index(",")]):
        return None
    return changed


def _after_what_precedes(tokens: Tokens) -> Tokens | None:
    """ "X followed by Y" -> "Y after X"."""
    text = " ".join(tokens).replace(" , followed by ", " followed by ")
    if text.count(" followed by ") != 1 or " then " in text or "," in text:
        return None
    first, second = (part.split() for part in text.split(" followed by "))
    linked = lexicon().subordinators | lexicon().relatives
    if linked & {*first, *second} or not first or not second:
        return None
    if "in the background" in text or "in the distance" in text or is_adverb(second[-1]):
        return None  # "static in the background after an explosion": of what is unclear
    before = first if not is_participle(first[-1]) else as_clause(first) or first
    after = as_thing(second)
    return [*after, "after", *before] if after else None


def _followed_by_as_then(tokens: Tokens) -> Tokens | None:
    """ "X followed by Y" -> "X, then Y"."""
    first, *others = f" {' '.join(tokens)} ".split(" followed by ")
    if not others or lexicon().relatives & set(tokens):
        return None
    thing = as_thing(first.split())
    if not thing:
        return None
    rest = " , then ".join(others).split()
    return None if {"is", "are"} & set(rest) else [*_without_joiners(thing), ",", "then", *rest]


def _then_as_followed_by(tokens: Tokens) -> Tokens | None:
    """ "X, then Y" -> "X followed by Y"."""
    thing = as_thing(tokens)
    if not thing or lexicon().relatives & set(tokens) or _contains(tokens, "followed by"):
        return None
    text = f" {' '.join(thing)} "
    if text.count(" then ") != 1 or lexicon().subordinators & set(thing):
        return None
    first, second = (part.split() for part in text.split(" then "))
    if not second or not _can_follow(second[0]):
        return None
    return [*_without_joiners(first), "followed", "by", *second]


def _can_follow(word: str) -> bool:
    """True for what begins a thing; not for "stopping", which has no subject of its own."""
    if word in verb_forms().pasts or word in verb_forms().third_person or is_participle(word):
        return False
    return is_noun(word) or word in lexicon().determiners or word == "more"


def _events_swapped(tokens: Tokens) -> Tokens | None:
    """ "X and Y", two things that sound, each with a verb of its own -> "Y and X"."""
    thing = as_thing(tokens)
    if not thing or thing.count("and") != 1:
        return None
    if (lexicon().subordinators | {"then", "followed"}) & set(thing):
        return None
    place = thing.index("and")
    first, second = _without_joiners(thing[:place]), thing[place + 1 :]
    if "," in first or "," in second or not _is_event(first) or not _is_event(second):
        return None
    return [*second, "and", *first]


def _is_event(tokens: Tokens) -> bool:
    """True for "a horse neighing": a subject and, behind it, a participle."""
    if not tokens or tokens[0] in lexicon().prepositions or is_participle(tokens[0]):
        return False
    if {"with", "in", "from"} & set(tokens) or not is_noun(tokens[-1]):
        return False
    return any(map(is_participle, tokens[1:]))


def _as_clause(tokens: Tokens) -> Tokens | None:
    """ "a person snoring" -> "a person snores"; "waves are breaking" -> "waves break"."""
    thing = tokens
    if {"is", "are"} & set(tokens):
        thing = as_thing(tokens) or []
        if "being" in thing:
            return None
    subordinators = lexicon().subordinators
    place = next((n for n, word in enumerate(thing) if word in subordinators), len(thing))
    clause = as_clause(thing[:place]) if place else None
    return [*clause, *thing[place:]] if clause else None


def _participle_moved(tokens: Tokens) -> Tokens | None:
    """ "a croaking frog" -> "a frog croaking", at the start of a caption."""
    start = 1 if tokens[0] in lexicon().articles else 0
    if len(tokens) < start + 2 or not is_participle(tokens[start]):
        return None
    noun, rest = tokens[start + 1], tokens[start + 2 :]
    if rest and rest[0] not in lexicon().prepositions | {"and", "as", "while", ",", "followed"}:
        return None
    if not is_noun(noun) or is_participle(noun) or noun in verb_forms().third_person:
        return None
    if noun in NEVER_BEFORE_PARTICIPLE or (start == 0 and not is_plural(noun)):
        return None
    return [*tokens[:start], noun, tokens[start], *rest]


def _compound_made(tokens: Tokens) -> Tokens | None:
    """ "the engine of a motorcycle" -> "a motorcycle engine"."""
    parts = structure_words().owned_parts
    for place in range(1, len(tokens) - 3):
        part, of, article, owner = tokens[place : place + 4]
        if tokens[place - 1] != "the" or part not in parts or of != "of":
            continue
        following = tokens[place + 4] if place + 4 < len(tokens) else ""
        is_whole = not is_noun(following) or is_participle(following)
        if article in lexicon().articles and is_whole:
            return [*tokens[: place - 1], article, owner, part, *tokens[place + 4 :]]
    return None


def _place_first(tokens: Tokens) -> Tokens | None:
    """ "X in the background" -> "in the background, X"."""
    unclear = lexicon().subordinators | {",", "and", "then", "followed", "with"}
    if tokens[-3:] not in PLACES or len(tokens) < 5 or unclear & set(tokens):
        return None
    return [*tokens[-3:], ",", *tokens[:-3]]


def _only_subordinator(tokens: Tokens, allowed: set[str]) -> int | None:
    """The place of a caption's only subordinator, where that is one of the allowed ones."""
    subordinators = lexicon().subordinators
    places = [place for place, word in enumerate(tokens) if word in subordinators]
    if len(places) != 1 or tokens[places[0]] not in allowed:
        return None
    is_idiom = tokens[places[0] : places[0] + 2] in (["as", "if"], ["as", "well"])
    return None if is_idiom else places[0]


def _refers_back(tokens: Tokens) -> bool:
    return bool(structure_words().referring_words & set(tokens))


def _contains(tokens: Tokens, words: str) -> bool:
    return f" {words} " in f" {' '.join(tokens)} "


def _without_joiners(tokens: Tokens) -> Tokens:
    while tokens and tokens[-1] in (",", "and", "then"):
        tokens = tokens[:-1]
    return tokens


CHANGES: tuple[Change, ...] = (
    _sides_swapped,
    _opener_put_last,
    _after_what_precedes,
    _followed_by_as_then,
    _then_as_followed_by,
    _events_swapped,
    _as_clause,
    as_thing,
    _participle_moved,
    _compound_made,
    _place_first,
)
