"""Captions put into the frame of a question or a command, as long as the caption or nearly so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from oea_cli.query_generation.grammar.candidates import LENGTH_MARGIN
from oea_cli.query_generation.grammar.clause_reader import as_thing, has_finite_verb
from oea_cli.query_generation.grammar.clauses import turned
from oea_cli.query_generation.grammar.lexicon import lexicon
from oea_cli.query_generation.grammar.openers import without_openers
from oea_cli.query_generation.grammar.parts_of_speech import (
    is_adverb,
    is_participle,
    is_plural,
    takes_no_article,
)
from oea_cli.query_generation.grammar.shortening import shortened_clauses, shortened_things
from oea_cli.query_generation.grammar.spelling import Tokens, spelled
from oea_cli.query_generation.grammar.subjects import subject_end
from oea_cli.query_generation.grammar.word_lists import read_word_lists
from oea_cli.query_generation.grammar.words import tokens_of, words_of

SINGULAR_OPENERS = frozenset({"a", "an", "someone", "something", "one", "another"})
UNCLEAR_AFTER_WHERE = frozenset({"it", "they", ",", "this"})

Ranked = tuple[int, float, str]
"""A text behind what decides its place: how much it changes the caption, then chance."""


@dataclass(frozen=True, slots=True)
class Frames:
    """The lists of `english/frames.toml`."""

    thing_questions: tuple[str, ...]
    clause_questions: tuple[str, ...]
    thing_commands: tuple[str, ...]
    clause_commands: tuple[str, ...]
    exclusions: tuple[str, ...]


@cache
def frames() -> Frames:
    """The lists, read when they are first needed."""
    return Frames(**read_word_lists("frames"))


def questions(caption: str, random: Random) -> Iterator[str]:
    """Questions for the recording of a caption, those first that change the caption least."""
    tokens = turned(tokens_of(caption))
    found: list[Ranked] = []
    if thing := findable_thing(tokens):
        for cost, short in enumerate(shortened_things(thing)):
            frame_list = [*frames().thing_questions, *_there_is(short)]
            found += _framed(frame_list, short, cost, random)
        if thing[0] == "a" and tokens[0] != "a":
            # An article that the caption does not have: "any" has room for it.
            found.append((len(found), 0.0, f"Any {spelled(thing[1:])}?"))
    found += _framed_clauses(frames().clause_questions, tokens, random)
    return _of_right_length(found, caption)


def commands(caption: str, random: Random) -> Iterator[str]:
    """Commands that ask for the recording of a caption, those first that change it least."""
    tokens = turned(tokens_of(caption))
    found: list[Ranked] = []
    if thing := findable_thing(tokens):
        for cost, short in enumerate(shortened_things(thing)):
            found += _framed(frames().thing_commands, short, cost, random)
    found += _framed_clauses(frames().clause_commands, tokens, random)
    return _of_right_length(found, caption)


def _framed_clauses(frame_list: Sequence[str], tokens: Tokens, random: Random) -> list[Ranked]:
    clause = without_openers(tokens)
    found: list[Ranked] = []
    if has_finite_verb(clause) and _can_stand_after_where(clause):
        for cost, short in enumerate(shortened_clauses(clause)):
            found += _framed(frame_list, short, cost, random)
    return found


def _framed(frame_list: Sequence[str], tokens: Tokens, cost: int, random: Random) -> list[Ranked]:
    text = spelled(tokens)
    return [(cost, random.random(), frame.format(text)) for frame in frame_list]


def _of_right_length(found: list[Ranked], caption: str) -> Iterator[str]:
    length = len(words_of(caption))
    for _, _, text in sorted(found):
        if abs(len(words_of(text)) - length) <= LENGTH_MARGIN:
            yield text


def findable_thing(tokens: Tokens) -> Tokens | None:
    """What a caption names, where it can stand after "find": not "in a hall", not "loudly"."""
    thing = as_thing(tokens)
    if not thing:
        return None
    english, first = lexicon(), thing[0]
    blocked = first in english.prepositions or first in english.subordinators or is_adverb(first)
    return None if blocked or "." in first else thing


def _can_stand_after_where(tokens: Tokens) -> bool:
    english, first = lexicon(), tokens[0]
    blocked = first in english.subordinators or first in english.prepositions
    return not blocked and first not in UNCLEAR_AFTER_WHERE


def _there_is(thing: Tokens) -> list[str]:
    """ "Is there a dog barking?", "Are there birds singing?"; none for "the dog barking"."""
    english, first = lexicon(), thing[0]
    if first in SINGULAR_OPENERS or is_participle(first):
        return ["Is there {}?"]
    if first in english.determiners - english.quantities:
        return []
    place = subject_end(thing)
    if place == 0 or not takes_no_article(thing[place - 1]):
        return []
    return ["Are there {}?" if is_plural(thing[place - 1]) else "Is there {}?", "Any {}?"]
