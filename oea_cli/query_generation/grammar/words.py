"""Words of captions and queries: cut, counted, and compared whatever their ending is.

English only. Two words are the same content when their stems are, or when the lexicon says that
they mean the same: "chirps" and "chirping", "speech" and "talking".
"""

import re
from collections.abc import Iterable
from functools import cache

from oea_cli.query_generation.grammar.lexicon import (
    AUXILIARIES,
    BE,
    CONJUNCTIONS,
    DETERMINERS,
    DOUBLING,
    IRREGULAR,
    LIGHT_WORDS,
    MORE_VERBS,
    PLURALS,
    PREPOSITIONS,
    PRONOUNS,
    RELATED,
    RELATIVES,
    SUBORDINATORS,
    SYNONYMS,
    VERBS_ONLY,
)

TOKEN = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|[,;]")
VERBS = VERBS_ONLY | MORE_VERBS
FUNCTION_WORDS = (
    DETERMINERS
    | PREPOSITIONS
    | CONJUNCTIONS
    | SUBORDINATORS
    | RELATIVES
    | PRONOUNS
    | AUXILIARIES
    | BE
    | {"not", "so", "too", "just"}
)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return [word.lower() for word in tokens_of(text) if word != ","]


def tokens_of(text: str) -> list[str]:
    """Words and commas. Lower case, but for words all in capitals such as "TV"."""
    found = []
    for token in TOKEN.findall(text.replace("’", "'")):
        keep = token == "I" or (token.isupper() and len(token) > 1 and not text.isupper())
        found.append("," if token == ";" else token if keep else token.lower())
    return found


def content_of(words: Iterable[str]) -> dict[str, str]:
    """The content of words, concept -> the word as it stands; small and light words have none."""
    found: dict[str, str] = {}
    for word in words:
        plain = word.lower()
        if plain not in FUNCTION_WORDS and plain not in LIGHT_WORDS and plain != ",":
            found.setdefault(concept(plain), plain)
    return found


@cache
def concept(word: str) -> str:
    """What a word stands for: its stem, or the first stem of its group of synonyms."""
    own = stem(word)
    return _GROUPS.get(own, own)


@cache
def stem(word: str) -> str:
    """A key that the forms of a word share; not itself a word."""
    word = word.lower().removesuffix("'s")
    word = RELATED.get(word, word)
    word = PLURALS.get(word, word)
    word = _BASES.get(word, word)
    if len(word) > 5 and word.endswith("ly"):
        word = word.removesuffix("ally") if word.endswith("ically") else word[:-2]
        word = RELATED.get(word, word)
        word = _BASES.get(word, word)
    return _shared_key(word)


def _shared_key(word: str) -> str:
    for ending in ("ies", "es", "s", "ing", "ied", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) > 2 and re.search("[aeiouy]", rest) and rest[-1] != ending[0]:
            word = rest + ("y" if ending in ("ies", "ied") else "")
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    if len(word) > 3:
        word = word.removesuffix("e")
    return word[:-1] + "i" if word.endswith("y") else word


# --- forms of verbs ---


def with_s(verb: str) -> str:
    """The third person: "chirps", "passes", "cries"."""
    if verb in ("have", "do", "go"):
        return {"have": "has", "do": "does", "go": "goes"}[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + ("zes" if verb in ("whiz",) else "es")
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def with_ing(verb: str) -> str:
    """The participle: "chirping", "driving", "running"."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return (_doubled(verb)) + "ing"


def with_ed(verb: str) -> str:
    """The past participle: "closed", "stopped", "blown"."""
    if verb in IRREGULAR:
        return IRREGULAR[verb].split()[1]
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def _doubled(verb: str) -> str:
    one_syllable = len(re.findall("[aeiouy]+", verb)) == 1
    ends = re.search("[^aeiouy][aeiouy][^aeiouywx]$", verb) or re.search("qui[tp]$", verb)
    if verb in DOUBLING or (one_syllable and ends and len(verb) > 2):
        return verb + verb[-1]
    return verb


def _past(verb: str) -> str:
    return IRREGULAR[verb].split()[0] if verb in IRREGULAR else with_ed(verb)


THIRD_PERSON = {with_s(verb): verb for verb in VERBS}
PARTICIPLES = {with_ing(verb): verb for verb in sorted(VERBS)} | {
    "travelling": "travel",
    "revving": "rev",
    "whirring": "whir",
    "signalling": "signal",
    "dying": "die",
}
PAST_PARTICIPLES = {with_ed(verb): verb for verb in sorted(VERBS)}
PASTS = {_past(verb): verb for verb in sorted(VERBS)}
NOT_PASTS = frozenset("left wound ground saw burnt bit shot fed found heard held hung".split())
"""Also adjectives, nouns or participles: "the left side", "on the ground", "a dog heard"."""
IRREGULAR_PASTS = {
    past: verb
    for past, verb in PASTS.items()
    if verb in IRREGULAR and past not in VERBS | NOT_PASTS and past != verb
}
_BASES = {**PASTS, **PAST_PARTICIPLES, **PARTICIPLES, **THIRD_PERSON}


_GROUPS = {stem(word): stem(group[0]) for group in SYNONYMS for word in group}
