"""The words for sounds: rich, grammatical, unambiguous, and free of what is held out."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from recipes.mini.synthesis import frames
from recipes.mini.synthesis.events import EVENTS
from recipes.mini.synthesis.sentences import (
    QUERY_TYPES,
    caption_for,
    exclusion_for,
    inclusion_for,
    keyphrases,
    query_for,
)
from recipes.mini.synthesis.vocabulary import (
    GAME_SOUNDS,
    LABELS,
    WORDS,
    keyword,
    noun_phrase,
    phrases,
    statement,
    without_article,
)
from recipes.mini.synthesis.wording import ing, is_plural, plural, third, with_article
from tests import held_out
from tests.conftest import REPOSITORY

# Other forms of a held-out word begin like it: tides, blazing, ember.
STEMS = [word.removesuffix("s").removesuffix("e") for word in held_out.NEVER_TRAINED]
HELD_OUT = re.compile(r"\b(" + "|".join(sorted(set(STEMS) - {"but no"})) + r")|\bbut no\b", re.I)
NOT = re.compile(
    r"\b(no|not|without|neither|never|none|nothing|minus|except\w*|exclu\w+|lack\w*|free|absent"
    r"|devoid|omit\w*|left out|leav\w+ out|avoid\w*|missing|remove\w*|rather than|instead of|zero"
    r"|hardly|sans|must not|don't|doesn't|unaccompanied|clean of)\b|-\{b\}",
    re.I,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def all_frames() -> list[str]:
    return [
        form for name in dir(frames) if name.isupper() for form in texts_in(getattr(frames, name))
    ]


def texts_in(value: object) -> list[str]:
    if isinstance(value, dict):
        return [form for forms in value.values() for form in forms]
    return list(value) if isinstance(value, tuple) else []


# --- what is held out ---


@pytest.mark.parametrize("label", LABELS)
def test_no_phrase_holds_a_held_out_word(label: str) -> None:
    assert not [phrase for phrase in [label, *phrases(label)] if HELD_OUT.search(phrase)]


def test_no_frame_holds_a_held_out_word_or_is_a_held_out_frame() -> None:
    forms = all_frames()
    assert len(forms) > 200
    assert not [form for form in forms if HELD_OUT.search(form)]
    assert not set(forms) & {*held_out.FRAMES, *held_out.EXCLUSIONS}


def test_generated_texts_hold_nothing_held_out(rng: np.random.Generator) -> None:
    fixed = [re.escape(part) for form in held_out.FRAMES for part in form.split("{}") if part]
    never = re.compile("|".join([HELD_OUT.pattern, *fixed[:3]]), re.I)
    for _ in range(4000):
        labels = [str(label) for label in rng.choice(LABELS, 3, replace=False)]
        for text in (
            caption_for(rng, labels[:1]),
            inclusion_for(rng, labels[:2]),
            exclusion_for(rng, labels[:2], labels[2:]),
        ):
            assert not never.search(text), text


def test_the_check_itself_finds_other_forms() -> None:
    for text in ("a blazing fire", "high tides", "glowing Embers", "rain but no wind", "hounds"):
        assert HELD_OUT.search(text), text


# --- richness ---


@pytest.mark.parametrize("label", LABELS)
def test_many_ways_to_say_each_class(label: str) -> None:
    words = WORDS[label]
    assert len(phrases(label)) == len(set(phrases(label))) >= 12
    assert len(words.noun_phrases) >= 5 and len(words.keywords) >= 5
    assert all(phrase == phrase.strip() and "  " not in phrase for phrase in phrases(label))


def test_every_event_and_recording_has_words() -> None:
    assert set(EVENTS) <= set(LABELS)
    assert set(GAME_SOUNDS.values()) <= set(LABELS)
    recipe = yaml.safe_load((REPOSITORY / "recipes" / "mini" / "mini.yaml").read_text())
    assert set(recipe["sounds"].get("classes") or []) <= set(LABELS)
    assert set(held_out.SYNONYMS) <= set(LABELS)


def test_game_sound_names_exist(shared_data: Path) -> None:
    with (shared_data / "game_sounds" / "meta.csv").open(encoding="utf-8") as file:
        known = {row["label"] for row in csv.DictReader(file)}
    assert set(GAME_SOUNDS) <= known


def test_no_whole_phrase_means_two_sounds() -> None:
    """Tags may ("ding dong"); what names a thing and what it does may not."""
    owners: dict[str, str] = {}
    for label in LABELS:
        for phrase in (*WORDS[label].noun_phrases, *WORDS[label].statements):
            assert owners.setdefault(phrase, label) == label, phrase


def test_enough_frames() -> None:
    assert len({form for forms in frames.FRAMES.values() for form in forms}) >= 80
    assert len(set(frames.EXCLUSIONS)) >= 50
    assert len(set(frames.JOINED) | set(frames.TOGETHER)) >= 30


# --- grammar ---


@pytest.mark.parametrize(
    ("function", "given", "expected"),
    [
        (ing, "bark", "barking"),
        (ing, "drip", "dripping"),
        (ing, "chime", "chiming"),
        (ing, "sneeze", "sneezing"),
        (ing, "pour down", "pouring down"),
        (ing, "die", "dying"),
        (third, "crash", "crashes"),
        (third, "cry", "cries"),
        (third, "play a tune", "plays a tune"),
        (plural, "church bell", "church bells"),
        (plural, "wolf", "wolves"),
        (plural, "baby", "babies"),
        (plural, "sheep", "sheep"),
        (plural, "train whistle", "train whistles"),
        (with_article, "owl", "an owl"),
        (with_article, "ukulele", "an ukulele"),
        (without_article, "the bark of a dog", "bark of a dog"),
        (without_article, "thunder", "thunder"),
    ],
)
def test_forms_of_words(function, given: str, expected: str) -> None:  # type: ignore[no-untyped-def]
    assert function(given) == expected


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("birds in the trees", True),
        ("a pack of dogs", False),
        ("people", True),
        ("someone", False),
        ("glass", False),
        ("the bells of a cathedral", True),
        ("heavy rain", False),
    ],
)
def test_number_of_noun_phrases(phrase: str, expected: bool) -> None:
    assert is_plural(phrase) is expected


def test_articles_are_never_doubled(rng: np.random.Generator) -> None:
    wrong = re.compile(
        r"\b(an?|the) (an?|the)\b|\bno (an?|the) |\bany (an?|the) |\ba [aeio]\w", re.I
    )
    for _ in range(3000):
        labels = [str(label) for label in rng.choice(LABELS, 2, replace=False)]
        for text in (exclusion_for(rng, labels[:1], labels[1:]), noun_phrase(rng, labels[0])):
            found = wrong.search(text)
            assert not found or found[0].startswith("a one"), text


# --- meaning ---


@pytest.mark.parametrize("form", sorted(set(frames.EXCLUSIONS)))
def test_every_exclusion_says_that_something_is_not_there(form: str) -> None:
    assert "{A}" in form and ("{B}" in form or "{b}" in form)
    assert NOT.search(form.replace("{A}", "x").replace("{B}", "y")), form


@pytest.mark.parametrize(
    "form", sorted({*frames.JOINED, *frames.TOGETHER, *frames.FAR, *frames.THEN})
)
def test_no_inclusion_does(form: str) -> None:
    assert "{A}" in form and "{B}" in form
    assert not NOT.search(form.replace("not only", ""))


def test_sequences_keep_the_order(rng: np.random.Generator) -> None:
    for form in frames.THEN:
        first_comes_first = form.index("{A}") < form.index("{B}")
        assert first_comes_first != bool(re.search(r"\{B\} (after|preceded by) \{A\}", form))


def test_texts_name_the_sounds_they_are_about(rng: np.random.Generator) -> None:
    for _ in range(300):
        inside, outside = (str(label) for label in rng.choice(LABELS, 2, replace=False))
        text = exclusion_for(rng, [inside], [outside])
        for label in (inside, outside):
            ways = sorted({without_article(p) for p in (label, *phrases(label))}, key=len)
            assert any(way in text for way in reversed(ways)), (label, text)


def test_query_types(rng: np.random.Generator) -> None:
    for kind in QUERY_TYPES:
        texts = {query_for(rng, ["dog"], None, kind) for _ in range(200)}
        assert len(texts) > 60, kind
        assert all(text.endswith("?") for text in texts) is (kind == "question")


def test_same_generator_same_text() -> None:
    texts = [
        [caption_for(np.random.default_rng(seed), ["dog", "rain"]) for seed in range(20)]
        for _ in range(2)
    ]
    assert texts[0] == texts[1] and len(set(texts[0])) > 15


def test_keywords_and_statements_belong_to_their_class(rng: np.random.Generator) -> None:
    for label in LABELS:
        assert keyword(rng, label) in phrases(label)
        assert statement(rng, label) in phrases(label)
    tags = keyphrases(rng, ["dog", "rain"])
    assert any(p in tags for p in phrases("dog")) and any(p in tags for p in phrases("rain"))


def test_unknown_class_is_an_error() -> None:
    with pytest.raises(KeyError):
        phrases("no such sound")
