"""Captions and queries for sounds and their arrangement, by chance but in people's words.

`arrangement` says how two or three sounds lie in a scene: "together", "then" (in the given order),
"far" (the last one at a distance), or None where a text leaves it open.
"""

from collections.abc import Sequence

import numpy as np

from recipes.mini.synthesis.frames import (
    COMMANDS,
    EXCLUSIONS,
    FAR,
    FRAMES,
    JOINED,
    OR_JOINED,
    QUESTIONS,
    STATED,
    THEN,
    THREE_IN_ORDER,
    THREE_JOINED,
    TOGETHER,
    WHILE,
)
from recipes.mini.synthesis.vocabulary import (
    keyword,
    noun_phrase,
    one_of,
    statement,
    without_article,
)

QUERY_TYPES = ("caption", "question", "imperative", "keyphrase", "paraphrase")
TYPE_CHANCES = (0.4, 0.14, 0.16, 0.15, 0.15)


def query_for(
    rng: np.random.Generator,
    labels: Sequence[str],
    arrangement: str | None = None,
    kind: str | None = None,
) -> str:
    """A text that asks for these sounds: one of QUERY_TYPES, or of any type by chance."""
    chosen = kind or str(rng.choice(QUERY_TYPES, p=TYPE_CHANCES))
    if chosen == "keyphrase" and arrangement in (None, "together"):
        return keyphrases(rng, labels)
    if len(labels) == 1 and chosen in ("caption", "paraphrase") and rng.random() < 0.35:
        return one_of(rng, STATED).format(s=statement(rng, labels[0]))
    phrase = joined(rng, labels, arrangement)
    if chosen == "keyphrase" or (len(labels) > 1 and rng.random() < 0.5 and chosen == "caption"):
        return phrase
    return one_of(rng, FRAMES[chosen]).format(phrase)


def caption_for(
    rng: np.random.Generator, labels: Sequence[str], arrangement: str | None = None
) -> str:
    """A text of any type for a scene with these sounds, in this arrangement."""
    return query_for(rng, labels, arrangement)


def inclusion_for(rng: np.random.Generator, labels: Sequence[str]) -> str:
    """A text that asks for all of these sounds and leaves their arrangement open."""
    return query_for(rng, labels, None)


def keyphrases(rng: np.random.Generator, labels: Sequence[str]) -> str:
    """A list of tags, at least one for every sound."""
    tags = [keyword(rng, label) for label in labels]
    for label in labels:
        tags += [keyword(rng, label) for _ in range(int(rng.integers(0, 3)))]
    rng.shuffle(tags)
    return one_of(rng, (", ", ", ", " ", "; ", " / ", " + ")).join(dict.fromkeys(tags))


def joined(rng: np.random.Generator, labels: Sequence[str], arrangement: str | None = None) -> str:
    """A noun phrase for one to three sounds."""
    phrases = [noun_phrase(rng, label) for label in labels]
    if len(phrases) == 1:
        return phrases[0]
    if arrangement == "then":
        return _in_order(rng, phrases)
    if arrangement == "far":
        return one_of(rng, FAR).format(A=_enumerated(rng, phrases[:-1]), B=phrases[-1])
    if len(phrases) > 2:
        return _enumerated(rng, phrases)
    if rng.random() < 0.15:
        return one_of(rng, WHILE).format(A=phrases[0], s=statement(rng, labels[1]))
    forms = TOGETHER if arrangement == "together" and rng.random() < 0.4 else JOINED
    return one_of(rng, forms).format(A=phrases[0], B=phrases[1])


def _in_order(rng: np.random.Generator, phrases: list[str]) -> str:
    if len(phrases) == 2:
        return one_of(rng, THEN).format(A=phrases[0], B=phrases[1])
    return one_of(rng, THREE_IN_ORDER).format(*phrases)


def _enumerated(rng: np.random.Generator, phrases: list[str]) -> str:
    if len(phrases) == 1:
        return phrases[0]
    if len(phrases) == 2:
        return one_of(rng, JOINED[:9]).format(A=phrases[0], B=phrases[1])
    return one_of(rng, THREE_JOINED).format(*phrases)


def exclusion_for(
    rng: np.random.Generator, included: Sequence[str], excluded: Sequence[str]
) -> str:
    """A text that asks for scenes with the first sounds and without the others."""
    wanted = joined(rng, included)
    unwanted = [noun_phrase(rng, label) for label in excluded]
    ruled_out = unwanted[0]
    for other in unwanted[1:]:
        ruled_out = one_of(rng, OR_JOINED).format(A=ruled_out, B=without_article(other))
    phrase = one_of(rng, EXCLUSIONS).format(A=wanted, B=ruled_out, b=without_article(ruled_out))
    chance = rng.random()
    if chance < 0.65:
        return phrase
    if chance < 0.85:
        return one_of(rng, COMMANDS).format(phrase)
    if chance < 0.92:
        return one_of(rng, QUESTIONS).format(phrase)
    return f"the sound of {phrase}"
