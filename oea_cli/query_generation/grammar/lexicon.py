"""The English that sound captions are written in: verbs, small words, and words that mean the same.

Written for this grammar, by hand; a word that is not in it counts as a noun. A comment beside each
list in `english/` explains it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from oea_cli.query_generation.grammar.word_lists import read_word_lists

FILES = ("verbs", "function_words", "modifiers", "nouns", "meanings")
Words = frozenset[str]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every list of the files above, under its name there."""

    verbs: Words
    never_nouns: Words
    irregular_verbs: Mapping[str, str]
    doubling_verbs: Words
    irregular_third_person: Mapping[str, str]
    other_participles: Mapping[str, str]
    ambiguous_pasts: Words

    articles: Words
    determiners: Words
    quantities: Words
    prepositions: Words
    conjunctions: Words
    subordinators: Words
    relatives: Words
    pronouns: Words
    subject_pronouns: Words
    be: Words
    finite_be: Words
    auxiliaries: Words
    short_forms: Words
    other_small_words: Words
    followed: Words

    adverbs: Words
    not_adverbs: Words
    adjectives: Words

    countable_nouns: Words
    uncountable_nouns: Words
    irregular_plurals: Mapping[str, str]
    nouns_in_ing: Words
    indefinite_pronouns: Words

    light_words: Words
    related: Mapping[str, str]
    synonyms: tuple[str, ...]
    broader: Mapping[str, str]


@cache
def lexicon() -> Lexicon:
    """The lexicon, read when it is first needed."""
    return Lexicon(**{key: value for name in FILES for key, value in read_word_lists(name).items()})


@cache
def function_words() -> Words:
    """All small words: they are in every text and name nothing."""
    english = lexicon()
    return (
        english.determiners
        | english.prepositions
        | english.conjunctions
        | english.subordinators
        | english.relatives
        | english.pronouns
        | english.auxiliaries
        | english.be
        | english.other_small_words
    )
