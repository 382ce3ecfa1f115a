"""Captions turned round, and things made clauses: "a female speaking" -> "a female speaks"."""

from itertools import pairwise

from oea_cli.query_generation.grammar.clause_reader import has_finite_verb
from oea_cli.query_generation.grammar.lexicon import lexicon
from oea_cli.query_generation.grammar.openers import without_openers
from oea_cli.query_generation.grammar.parts_of_speech import is_noun, is_plural
from oea_cli.query_generation.grammar.spelling import Tokens
from oea_cli.query_generation.grammar.subjects import JOINERS, Subject
from oea_cli.query_generation.grammar.verb_forms import verb_forms, with_s

SOUND_NOUNS = frozenset({"sound", "sounds", "noise", "noises"})
OPENING_PLACES = frozenset({"in", "at", "inside", "outside", "on"})
REFERRING = frozenset({"it", "they", "he", "she"})


def turned(tokens: Tokens) -> Tokens:
    """A caption with what it opens with put at its end: "While X, Y" -> "Y while X", "In a hall,
    Y" -> "Y in a hall"; any other as it is.
    """
    subordinators = lexicon().subordinators
    tokens = without_openers(tokens)
    opener = tokens[0] if tokens else ""
    if opener not in subordinators | OPENING_PLACES or "," not in tokens:
        return tokens
    place = tokens.index(",")
    first, rest = tokens[:place], tokens[place + 1 :]
    unclear = subordinators | REFERRING | {","}
    if not rest or rest[0] in JOINERS or unclear & set(rest):
        return tokens
    return rest + first


def as_clause(tokens: Tokens) -> Tokens | None:
    """A noun phrase with a participle as a clause: "a female speaking" -> "a female speaks"; None
    where there is no subject before the participle, or more than one thing happens.
    """
    participles = verb_forms().participles
    place = next((n for n, word in enumerate(tokens) if word in participles), None)
    if place is None or has_finite_verb(tokens) or {"then", ","} & set(tokens):
        return None
    subject = Subject(tokens[:place])
    if not _can_do_something(subject):
        return None
    verb = _conjugated(participles[tokens[place]], subject.tokens)
    rest = _conjugated_rest(tokens[place:], subject.tokens)
    return None if _has_second_clause(rest) else [*subject.tokens, verb, *rest]


def _can_do_something(subject: Subject) -> bool:
    english = lexicon()
    blocked = (english.prepositions - {"of"}) | english.relatives
    # "the sound of an engine running": it is not the sound that runs.
    if set(subject.tokens) & (blocked | SOUND_NOUNS):
        return False
    return is_noun(subject.last) and subject.last not in verb_forms().participles


def _conjugated_rest(tokens: Tokens, subject: Tokens) -> Tokens:
    """What follows the first of the tokens, a participle; others that the subject does as well,
    joined by "and" or "or", become verbs.
    """
    english, participles = lexicon(), verb_forms().participles
    ends_own_part = english.followed | english.subordinators | {"with", "of", "from"}
    rest = []
    is_own = True  # as long as it is this subject that does it
    for before, word in pairwise(tokens):
        is_own = is_own and word not in ends_own_part
        is_joined = is_own and before in ("and", "or") and word in participles
        rest.append(_conjugated(participles[word], subject) if is_joined else word)
    return rest


def _has_second_clause(rest: Tokens) -> bool:
    """True where, behind an "and", there is a second subject with a participle of its own."""
    participles = verb_forms().participles
    return any(
        word == "and" and any(later in participles for later in rest[place + 2 :])
        for place, word in enumerate(rest)
    )


def _conjugated(base: str, subject: Tokens) -> str:
    """The present tense of a verb after this subject."""
    head = subject[: subject.index("of")] if "of" in subject else subject
    plural = "and" in subject or (bool(head) and is_plural(head[-1]))
    return base if plural else with_s(base)
