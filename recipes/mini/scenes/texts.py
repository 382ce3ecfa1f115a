"""Words around the words: what makes a tiny model listen to what matters in a query.

A text says the same whatever politeness surrounds it, and an unknown word should be passed over,
not obeyed. So training surrounds captions with words that mean nothing, real and invented, and
breaks words into sub-words in ever different places (as BPE dropout does, but seeded).
"""

import re
from collections.abc import Callable, Iterable

import numpy as np
from tokenizers import Tokenizer, pre_tokenizers

SPLIT = "\u2060"  # word joiner: marks a forced sub-word boundary, and no text to search for has it

FILLERS: list[str] = (  # noqa: SIM905 (a list of 200 literals is no easier to read)
    "a about across actually all also always an and any are around as at available be been "
    "beginning best big can check clip clips collection could day deep describe did do document "
    "early edit entry every example exactly file files find first folder for found from full game "
    "get give good great group has have help here high hello home how i if in into is it item its "
    "just kind know large last late let library like list listen little long lot made make many "
    "may me media might minute more most much my need new next nice now number of often old on "
    "once one only open or our out over part people perfect piece place play please podcast point "
    "pretty project quality quick quite radio read really record recorded recording room sample "
    "scene search section see set short should show simple small so some someone something song "
    "sound sounds sort soundtrack source standard start stock such take takes tell thank thanks "
    "that the their them then there these they thing this those time to today together track try "
    "two type under up upload us use used version very video view want was we week well were what "
    "when where which while who whole will wish with work would year yes you your"
).split()
SYLLABLES = tuple(
    start + middle + end
    for start in ("", *"bcdfghjklmnprstvwz", "br", "ch", "cl", "gr", "pl", "sh", "st", "th", "tr")
    for middle in ("a", "e", "i", "o", "u", "ea", "oo", "ou")
    for end in ("", "", "l", "m", "n", "r", "s", "t", "ck", "nd", "st")
)


def training_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """A copy that also breaks words at SPLIT, and drops that mark."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(SPLIT, "removed"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return copy


def vary(
    rng: np.random.Generator, text: str, *, filler: float, split: float, typo: float = 0.0
) -> str:
    """The text in other clothes: slips, fillers, capitals, a stop, word breaks, each by chance."""
    if typo:
        text = " ".join(slip(rng, word) if rng.random() < typo else word for word in text.split())
    if rng.random() < filler:
        before, after = rng.multinomial(int(rng.integers(1, 9)), [0.5, 0.5])
        words = [*meaningless(rng, before), text, *meaningless(rng, after)]
        text = " ".join(words)
    if rng.random() < 0.15:
        text = text[:1].upper() + text[1:]
    if rng.random() < 0.15:
        text += str(rng.choice([".", "?", "!"]))
    return split_words(rng, text, split) if rng.random() < 0.7 else text


def slip(rng: np.random.Generator, word: str) -> str:
    """The word with one slip of the hand; words of less than four letters are typed right."""
    if len(word) < 4:
        return word
    i = int(rng.integers(1, len(word) - 1))
    before, letter, after = word[:i], word[i], word[i + 1 :]
    other = chr(ord("a") + int(rng.integers(26)))
    kinds = (before + after, before + letter * 2 + after, before + other + after)
    return (*kinds, before + after[0] + letter + after[1:])[int(rng.integers(4))]


def meaningless(rng: np.random.Generator, count: int) -> list[str]:
    """Words without a sound in them: everyday ones, and invented ones in place of unknown ones."""
    return [
        str(rng.choice(FILLERS)) if rng.random() < 0.6 else invented_word(rng) for _ in range(count)
    ]


def invented_word(rng: np.random.Generator) -> str:
    """One to three syllables that are no word anybody taught the model."""
    return "".join(str(rng.choice(SYLLABLES)) for _ in range(int(rng.integers(1, 4))))


def split_words(rng: np.random.Generator, text: str, chance: float) -> str:
    """The text with SPLIT between two letters of a word, each with this chance."""
    breaks = rng.random(len(text)) < chance
    return "".join(
        (SPLIT if breaks[i] and i and letter.isalpha() and text[i - 1].isalpha() else "") + letter
        for i, letter in enumerate(text)
    )


def holds(texts: Iterable[str]) -> Callable[[str], bool]:
    """A test of whether a text holds one of these words or phrases, in any capitals."""
    phrases = [re.escape(phrase.lower()) for phrase in texts]
    if not phrases:
        return lambda text: False
    pattern = re.compile(r"\b(" + "|".join(phrases) + r")\b")
    return lambda text: bool(pattern.search(text.lower()))
