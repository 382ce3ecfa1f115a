"""Tokens put together again as text: the right article, commas close to their word, capitals."""

from itertools import pairwise

Tokens = list[str]
VOWELS = "aeiou"
CONSONANTAL = ("one", "uni", "use", "usu", "util", "eu")  # "a uniform", though u is a vowel
SILENT_H = ("hour", "honest")


def with_right_articles(tokens: Tokens) -> Tokens:
    """ "a" before a consonant, "an" before a vowel: captions often have the wrong one."""
    out = list(tokens)
    for place, (word, following) in enumerate(pairwise(tokens)):
        if word in ("a", "an") and following[0].isalpha():
            vowel = following[0].lower() in VOWELS and not following.startswith(CONSONANTAL)
            out[place] = "an" if vowel or following.startswith(SILENT_H) else "a"
    return out


def spelled(tokens: Tokens) -> str:
    """Tokens as text: commas close to their word, the right article."""
    return " ".join(with_right_articles(tokens)).replace(" ,", ",").strip(" ,")


def capitalised(text: str) -> str:
    """The text with a capital first letter, and the others as they are."""
    return text[:1].upper() + text[1:]
