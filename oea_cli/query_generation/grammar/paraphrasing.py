"""Captions put differently: clauses change places, participles become verbs, words change.

    a man speaks as birds chirp           birds chirping while a man talks
    an explosion followed by static       static after an explosion
    the engine of a car is running        a car motor runs

Each change keeps the meaning of captions of sounds; changes of structure and of words are combined.
"""

from collections.abc import Iterator
from random import Random

from oea_cli.query_generation.grammar.clause_reader import as_thing
from oea_cli.query_generation.grammar.clauses import turned
from oea_cli.query_generation.grammar.lexicon import lexicon
from oea_cli.query_generation.grammar.openers import without_openers
from oea_cli.query_generation.grammar.parts_of_speech import is_adverb
from oea_cli.query_generation.grammar.restructuring import restructured, structure_words
from oea_cli.query_generation.grammar.rewording import reworded
from oea_cli.query_generation.grammar.spelling import Tokens, capitalised, spelled
from oea_cli.query_generation.grammar.words import tokens_of

MAX_PARAPHRASES = 24  # of one caption


def paraphrases(caption: str, random: Random) -> Iterator[str]:
    """Paraphrases of a caption, the most different ones first."""
    tokens = without_openers(tokens_of(caption))
    if not tokens or set(tokens) & (lexicon().subject_pronouns - {"it", "they"}):
        return
    found = _changed(tokens, random)
    random.shuffle(found)
    for _, changed in sorted(found, key=lambda ranked: ranked[0])[:MAX_PARAPHRASES]:
        if changed != tokens:
            yield f"{capitalised(spelled(changed))}."


def _changed(tokens: Tokens, random: Random) -> list[tuple[int, Tokens]]:
    """The caption after every change, each behind its rank: 0 for what differs most."""
    found: list[tuple[int, Tokens]] = []
    for other_structure in restructured(tokens):
        other_words = reworded(other_structure, random)
        if other_words != other_structure:
            found.append((0, other_words))
        found.append((1, other_structure))
    other_words = reworded(tokens, random)
    if other_words != tokens:
        found.append((2, other_words))
    return found + [(3, named) for named in _named_as_sound(other_words)]


def _named_as_sound(tokens: Tokens) -> list[Tokens]:
    """ "a dog barks" -> "the sound of a dog barking", "audio of a dog barking"."""
    thing = as_thing(turned(tokens))
    if not thing or thing[0] in lexicon().prepositions or is_adverb(thing[0]):
        return []
    if structure_words().sound_words & set(thing):
        return []
    return [["the", "sound", "of", *thing], ["audio", "of", *thing]]
