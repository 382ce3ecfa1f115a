"""What words mean: every class of sound with the many ways people name it.

`LABELS` are all classes: those that `events` can make and those known from recordings only.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from recipes.mini.synthesis.wording import Words


def _read(name: str) -> dict[str, Words]:
    text = (Path(__file__).parent / "words" / f"{name}.yaml").read_text(encoding="utf-8")
    return {
        label: Words(**{field: tuple(items) for field, items in fields.items()})
        for label, fields in yaml.safe_load(text).items()
    }


WORDS: dict[str, Words] = _read("nature") | _read("people") | _read("things")
"""The words for each class."""

LABELS: tuple[str, ...] = tuple(sorted(WORDS))
"""Every class of sound."""

GAME_SOUNDS: dict[str, str] = {
    name: label
    for label, names in {
        "airplane": "airplane prop|jet ambience|jet flyby|jet land",
        "bees": "bee|bees|bumble bee",
        "bird song": "bird|canary|quail",
        "car engine": "car motor|vehicle motor idle",
        "car horn": "vehicle horn|bicycle horn",
        "cat": "cat meow",
        "chicken": "chicken|turkey gobble",
        "church bell": "church bells",
        "cicadas": "cicada",
        "clock tick": "clock tick|watch tick",
        "coins": "coin",
        "cow": "cow moo",
        "crackling fire": "fire crackle",
        "crickets": "cricket|grasshopper",
        "crow": "crow caw",
        "dog": "dog bark|puppy bark",
        "door": "door close|door creak|door open",
        "door knock": "door knock",
        "doorbell": "doorbell",
        "duck": "duck quack|goose",
        "elephant": "elephant trumpet",
        "explosion": "explosion|explosion distant",
        "fireworks": "fireworks|fireworks pop",
        "frog": "frog",
        "gun reload": "pistol cock|pistol reload|rifle cock|shotgun pump",
        "gunshot": "ar burst|ar fire|pistol fire|rifle fire|rifle fire cock|shotgun fire pump",
        "helicopter": "helicopter",
        "horse": "gallop|horse neigh|horse snort",
        "laser gun": "laser|plasma shot",
        "laughter": "laugh evil",
        "lion": "lion bellow|tiger roar|tiger snarl|leopard roar|leopard growl|leopard snarl",
        "monkey": "monkey|gorilla grunt|gorilla roar|gorilla snarl",
        "monster": "zombie damage|zombie death|zombie growl|undead moan",
        "motorcycle": "motorbike idle",
        "owl": "owl hoot",
        "parrot": "parrot|parrot chirp",
        "piano": "piano",
        "pig": "pig snort|pig squeal",
        "rain": "rain heavy|rain light|rain medium",
        "rooster": "rooster",
        "seagull": "seagull|seagulls",
        "sheep": "goat bleat|lamb|sheep baa",
        "singing": "mermaid song",
        "thunder": "thunder",
        "train whistle": "train whistle",
        "vomiting": "vomit",
        "whistling": "whistle",
        "wind": "wind",
        "wolf": "wolf howl|coyote howl",
        "woodpecker": "woodpecker peck",
        "writing": "chalk write|pencil write",
    }.items()
    for name in names.split("|")
}
"""The class of a label in Luanti's game sounds; labels that are no everyday sound are left out."""

ARTICLES = ("a ", "an ", "the ", "some ")


def phrases(label: str) -> list[str]:
    """Every way to say a class: noun phrases, clauses and keywords. Raises KeyError for none."""
    words = WORDS[label]
    return list(dict.fromkeys([*words.noun_phrases, *words.statements, *_keywords()[label]]))


@cache
def _keywords() -> dict[str, tuple[str, ...]]:
    """Tags by class; one that several classes would make ("roaring") stays where it was chosen."""
    makers = Counter(tag for words in WORDS.values() for tag in words.keywords)
    return {
        label: tuple(tag for tag in words.keywords if makers[tag] == 1 or tag in words.tags)
        for label, words in WORDS.items()
    }


def one_of(rng: np.random.Generator, texts: Sequence[str]) -> str:
    """One of the texts, each as likely as the next."""
    return texts[int(rng.integers(len(texts)))]


def noun_phrase(rng: np.random.Generator, label: str) -> str:
    """What fits after "the sound of"; now and then only a keyword, as people type."""
    words = WORDS[label]
    if rng.random() < 0.3:
        return keyword(rng, label)
    # The class's own name and its fixed phrases are few among the many that verbs make.
    if rng.random() < 0.2:
        return label
    return one_of(rng, words.noun_phrases)


def statement(rng: np.random.Generator, label: str) -> str:
    """A clause: "a dog is barking"; a noun phrase where the class has none."""
    clauses = WORDS[label].statements
    return one_of(rng, clauses) if clauses else noun_phrase(rng, label)


def keyword(rng: np.random.Generator, label: str) -> str:
    """A tag."""
    return one_of(rng, _keywords()[label])


def without_article(phrase: str) -> str:
    """The phrase as it stands after "no": "no dog barking"."""
    for article in ARTICLES:
        if phrase.startswith(article):
            return phrase[len(article) :]
    return phrase
