"""Words of captions and queries: cut, counted, and compared whatever their ending is.

English only. Two words are the same content when their stems are, or when they are synonyms in the
lexicon: "chirps" and "chirping", "speech" and "talking".
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from oea_cli.query_generation.grammar.lexicon import function_words, lexicon
from oea_cli.query_generation.grammar.verb_forms import base_forms

TOKEN = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|[,;]")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return [word.lower() for word in tokens_of(text) if word != ","]


def tokens_of(text: str) -> list[str]:
    """Words and commas. Lower case, but for words all in capitals such as "TV"."""
    found = []
    for token in TOKEN.findall(text.replace("’", "'")):
        is_acronym = token.isupper() and len(token) > 1 and not text.isupper()
        if token == ";":
            found.append(",")
        else:
            found.append(token if token == "I" or is_acronym else token.lower())
    return found


def content_of(words: Iterable[str]) -> dict[str, str]:
    """The content of words, concept -> the word as it stands; small and light words have none."""
    found: dict[str, str] = {}
    for word in words:
        plain = word.lower()
        if plain not in function_words() and plain not in lexicon().light_words and plain != ",":
            found.setdefault(concept(plain), plain)
    return found


@cache
def concept(word: str) -> str:
    """What a word stands for: its stem, or the first stem of its group of synonyms."""
    own = stem(word)
    return _synonym_stems().get(own, own)


@cache
def _synonym_stems() -> Mapping[str, str]:
    groups = [group.split() for group in lexicon().synonyms]
    return {stem(word): stem(group[0]) for group in groups for word in group}


@cache
def stem(word: str) -> str:
    """A key that the forms of a word share; not itself a word."""
    english = lexicon()
    word = word.lower().removesuffix("'s")
    word = english.related.get(word, word)
    word = english.irregular_plurals.get(word, word)
    word = base_forms().get(word, word)
    if len(word) > 5 and word.endswith("ly"):
        word = word.removesuffix("ally") if word.endswith("ically") else word[:-2]
        word = english.related.get(word, word)
        word = base_forms().get(word, word)
    return _without_ending(word)


def _without_ending(word: str) -> str:
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
