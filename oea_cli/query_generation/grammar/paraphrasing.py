"""Captions said differently: clauses change places, participles become verbs, words change.

    a man speaks as birds chirp           birds chirping while a man talks
    an explosion followed by static       static after an explosion
    the engine of a car is running        a car motor runs

Each change is sure to keep the meaning in the captions of sounds; changes are combined until the
caption is not told in its own words any more.
"""

from collections.abc import Callable, Iterator
from random import Random

from oea_cli.query_generation.grammar.clauses import (
    Tokens,
    as_clause,
    as_thing,
    has_finite_verb,
    is_adverb,
    is_noun,
    is_participle,
    is_plural,
    turned,
    with_right_articles,
    without_openers,
)
from oea_cli.query_generation.grammar.lexicon import (
    ARTICLES,
    DETERMINERS,
    PREPOSITIONS,
    RELATIVES,
    SUBJECT_PRONOUNS,
    SUBORDINATORS,
)
from oea_cli.query_generation.grammar.words import (
    PARTICIPLES,
    PASTS,
    THIRD_PERSON,
    VERBS,
    tokens_of,
    with_ing,
    with_s,
)

WORDS = {
    "loud": "noisy",
    "loudly": "noisily",
    "kid": "child",
    "kids": "children",
    "baby": "infant",
    "infant": "baby",
    "automobile": "car",
    "quickly": "rapidly",
    "rapidly": "quickly",
    "continuously": "constantly",
    "constantly": "continuously",
    "continuous": "constant",
    "constant": "continuous",
    "repeatedly": "over and over",
    "quietly": "softly",
    "softly": "quietly",
    "small": "little",
    "large": "big",
    "big": "large",
    "several": "multiple",
    "multiple": "several",
    "various": "different",
    "street": "road",
    "forest": "woods",
    "airplane": "plane",
    "plane": "airplane",
    "aircraft": "airplane",
    "ocean": "sea",
    "intermittently": "occasionally",
    "intermittent": "occasional",
    "motorcycle": "motorbike",
    "telephone": "phone",
    "phone": "telephone",
    "nearby": "close by",
    "somebody": "someone",
    "engine": "motor",
    "motor": "engine",
    "engines": "motors",
    "motors": "engines",
    "faintly": "softly",
    "fast": "quick",
    "woman": "lady",
    "steady": "constant",
    "steadily": "constantly",
    "rocks": "stones",
    "again": "once more",
}
"""What a word may become; each is in one group of the lexicon's synonyms, or says as little."""
VERB_WORDS = {
    "speak": "talk",
    "talk": "speak",
    "shout": "yell",
    "yell": "shout",
    "burp": "belch",
    "belch": "burp",
}
SOUND_WORDS = frozenset(["sound", "sounds", "audio", "noise", "noises", "recording", "clip"])
OWNERS = frozenset(
    """
    fire jet aircraft airplane plane train steam helicopter propeller search
    """.split()
)
LIMIT = 24
"""Paraphrases that are written of one caption."""
Change = Callable[[Tokens], Tokens | None]


def paraphrases(caption: str, random: Random) -> Iterator[str]:
    """Paraphrases of a caption, the most different ones first."""
    tokens = _even(tokens_of(caption))
    if not tokens or set(tokens) & (SUBJECT_PRONOUNS - {"it", "they"}):
        return
    built: list[tuple[int, Tokens]] = []
    for built_from in _restructured(tokens):
        changed = _reworded(built_from, random)
        built += [(0, changed)] if changed != built_from else []
        built.append((1, built_from))
    reworded = _reworded(tokens, random)
    if reworded != tokens:
        built.append((2, reworded))
    built += [(3, framed) for framed in _framed(reworded)]
    random.shuffle(built)
    for _, found in sorted(built, key=lambda pair: pair[0])[:LIMIT]:
        if found != tokens:
            yield _sentence(found)


def _even(tokens: Tokens) -> Tokens:
    return without_openers(tokens)


def _restructured(tokens: Tokens) -> list[Tokens]:
    """The caption after one change of its structure, for every change that applies."""
    changes: list[Change] = [
        _sides_swapped,
        _turned_back,
        _after_what_precedes,
        _said_as_then,
        _both_swapped,
        _said_with_verbs,
        _said_as_thing,
        _participle_moved,
        _compound_made,
        _place_first,
    ]
    return [found for change in changes if (found := change(tokens)) and found != tokens]


# --- changes of structure ---


def _sides_swapped(tokens: Tokens) -> Tokens | None:
    """ "X as Y" -> "Y while X": both go on at once, so either may come first."""
    place = _only(tokens, {"as", "while", "whilst"})
    if place is None or not 0 < place < len(tokens) - 2:
        return None
    first, second = tokens[:place], tokens[place + 1 :]
    if first[-1] == ",":
        first = first[:-1]
    blocked = {"then", ",", "followed", "before", "after", "until", "but", "so", "because"}
    if (
        set(tokens) & (blocked | RELATIVES)
        or "time" in second
        or _refers_back(second)
        or (is_adverb(first[-1]) and len(first) < 3)
    ):
        return None
    main = as_thing(second)
    side = first if has_finite_verb(first) else as_clause(first)
    if not main or not side or not has_finite_verb(second):
        return None
    return [*main, "while" if tokens[place] == "as" else "as", *side]


def _turned_back(tokens: Tokens) -> Tokens | None:
    """ "While X, Y" -> "Y while X"."""
    back = turned(tokens)
    return back if back != tokens and not _refers_back(tokens[: tokens.index(",")]) else None


def _after_what_precedes(tokens: Tokens) -> Tokens | None:
    """ "X followed by Y" -> "Y after X"."""
    text = " ".join(tokens).replace(" , followed by ", " followed by ")
    if text.count(" followed by ") != 1 or " then " in text or "," in text:
        return None
    first, second = (part.split() for part in text.split(" followed by "))
    if set(first + second) & (SUBORDINATORS | RELATIVES) or not first or not second:
        return None
    if "in the background" in text or "in the distance" in text or is_adverb(second[-1]):
        return None  # "static in the background after an explosion": of what is unclear
    before = first if not is_participle(first[-1]) else as_clause(first) or first
    after = as_thing(second)
    return [*after, "after", *before] if after else None


def _said_as_then(tokens: Tokens) -> Tokens | None:
    """ "X followed by Y" <-> "X, then Y"."""
    text = f" {' '.join(tokens)} "
    if set(tokens) & RELATIVES:
        return None
    if " followed by " in text:
        first = as_thing(text.split(" followed by ")[0].split())
        if not first:
            return None
        rest = " , then ".join(text.split(" followed by ")[1:]).split()
        return None if set(rest) & {"is", "are"} else [*_bare(first), ",", "then", *rest]
    thing = as_thing(tokens)
    told = f" {' '.join(thing)} " if thing else ""
    if told.count(" then ") != 1 or set(told.split()) & SUBORDINATORS:
        return None
    first_part, second_part = told.split(" then ")
    second = second_part.split()
    opener = second[0] if second else ","
    if (not is_noun(opener) and opener not in DETERMINERS | {"more"}) or is_participle(opener):
        return None  # "then stopping" has no subject of its own
    if opener in PASTS or opener in THIRD_PERSON:
        return None
    return [*_bare(first_part.split()), "followed", "by", *second]


def _both_swapped(tokens: Tokens) -> Tokens | None:
    """ "X and Y", two things that sound, each with a verb of its own -> "Y and X"."""
    thing = as_thing(tokens)
    if not thing or thing.count("and") != 1 or set(thing) & ({"then", "followed"} | SUBORDINATORS):
        return None
    place = thing.index("and")
    first, second = _bare(thing[:place]), thing[place + 1 :]
    if "," in first or "," in second or not _is_event(first) or not _is_event(second):
        return None
    return [*second, "and", *first]


def _said_with_verbs(tokens: Tokens) -> Tokens | None:
    """ "a person snoring" -> "a person snores"; "waves are breaking" -> "waves break"."""
    thing = tokens
    if set(tokens) & {"is", "are"}:
        found = as_thing(tokens)
        thing = found if found and "being" not in found else []
    place = next((n for n, word in enumerate(thing) if word in SUBORDINATORS), len(thing))
    clause = as_clause(thing[:place]) if place else None
    return [*clause, *thing[place:]] if clause else None


def _said_as_thing(tokens: Tokens) -> Tokens | None:
    """ "a dog barks" -> "a dog barking"."""
    thing = as_thing(tokens)
    return thing if thing != tokens else None


def _participle_moved(tokens: Tokens) -> Tokens | None:
    """ "a croaking frog" -> "a frog croaking", at the start of a caption."""
    start = 1 if tokens[0] in ARTICLES else 0
    if len(tokens) < start + 2 or not is_participle(tokens[start]):
        return None
    noun, following = tokens[start + 1], tokens[start + 2 : start + 3]
    ends = not following or following[0] in PREPOSITIONS | {"and", "as", "while", ",", "followed"}
    if not ends or not is_noun(noun) or noun in THIRD_PERSON or noun in ("sound", "noise"):
        return None
    if (
        noun in ("sounds", "noises", "water")
        or is_participle(noun)
        or (start == 0 and not is_plural(noun))
    ):
        return None
    return [*tokens[:start], noun, tokens[start], *tokens[start + 2 :]]


def _compound_made(tokens: Tokens) -> Tokens | None:
    """ "the engine of a motorcycle" -> "a motorcycle engine"."""
    for place, word in enumerate(tokens[:-2]):
        if word not in (
            "engine",
            "motor",
            "horn",
            "siren",
            "roar",
            "hum",
            "wheels",
            "bell",
            "tires",
        ):
            continue
        if place and tokens[place - 1] == "the" and tokens[place + 1] == "of":
            article, owner = tokens[place + 2], tokens[place + 3 : place + 4]
            following = tokens[place + 4 : place + 5]
            if article in ARTICLES and owner and (not following or not is_noun(following[0])
                                                  or is_participle(following[0])):  # fmt: skip
                return [*tokens[: place - 1], article, *owner, word, *tokens[place + 4 :]]
    return None


def _place_first(tokens: Tokens) -> Tokens | None:
    """ "X in the background" -> "in the background, X"."""
    for tail in (
        ["in", "the", "background"],
        ["in", "the", "distance"],
        ["in", "the", "foreground"],
    ):
        clear = not set(tokens) & ({",", "and", "then", "followed", "with"} | SUBORDINATORS)
        if clear and tokens[-3:] == tail and len(tokens) > 4:
            return [*tail, ",", *tokens[:-3]]
    return None


def _framed(tokens: Tokens) -> list[Tokens]:
    thing = as_thing(turned(tokens))
    if not thing or thing[0] in PREPOSITIONS or is_adverb(thing[0]) or set(thing) & SOUND_WORDS:
        return []
    return [["the", "sound", "of", *thing], ["audio", "of", *thing]]


def _only(tokens: Tokens, words: set[str]) -> int | None:
    places = [n for n, word in enumerate(tokens) if word in SUBORDINATORS]
    if len(places) != 1 or tokens[places[0]] not in words:
        return None
    if tokens[places[0] : places[0] + 2] in (["as", "if"], ["as", "well"]):
        return None
    return places[0]


def _refers_back(tokens: Tokens) -> bool:
    return bool(
        set(tokens)
        & {"it", "they", "he", "she", "another", "other", "others", "them", "its", "their"}
    )


def _is_event(tokens: Tokens) -> bool:
    """True for "a horse neighing": a subject and, behind it, a participle."""
    if tokens[0] in PREPOSITIONS or is_participle(tokens[0]):
        return False
    if set(tokens) & {"with", "in", "from"} or not is_noun(tokens[-1]):
        return False
    return any(is_participle(word) for word in tokens[1:])


def _bare(tokens: Tokens) -> Tokens:
    while tokens and tokens[-1] in (",", "and", "then"):
        tokens = tokens[:-1]
    return tokens


# --- changes of words ---


def _reworded(tokens: Tokens, random: Random) -> Tokens:
    """Up to two words exchanged for others of the same meaning."""
    places = [n for n in range(len(tokens)) if _other_word(tokens, n)]
    random.shuffle(places)
    out = list(tokens)
    for place in places[:2]:
        out[place] = _other_word(tokens, place) or out[place]
    return " ".join(out).split()


def _other_word(tokens: Tokens, place: int) -> str | None:
    word = tokens[place]
    following = tokens[place + 1] if place + 1 < len(tokens) else ""
    before = tokens[place - 1] if place else ""
    if word in ("rocks", "fast", "steady", "again", "nearby") and (
        (is_noun(following) and not is_participle(following))
        or following == "and"
        or before == "and"
    ):
        return None
    if word in ("fast", "rocks") and (
        before in PREPOSITIONS | {"very"} or (word in VERBS and before != "")
    ):
        return None
    if (word, before) == ("loud", "out") or (word == "repeatedly" and following):
        return None
    if word in ("engine", "engines", "motor", "motors") and before in OWNERS:
        return None  # a fire engine is no fire motor
    if word in WORDS:
        other = WORDS[word]
        return None if other.split()[0] in tokens else other
    return _other_verb(word, tokens)


def _other_verb(word: str, tokens: Tokens) -> str | None:
    if word in PARTICIPLES and PARTICIPLES[word] in VERB_WORDS:
        other = with_ing(VERB_WORDS[PARTICIPLES[word]])
    elif word in THIRD_PERSON and THIRD_PERSON[word] in VERB_WORDS:
        other = with_s(VERB_WORDS[THIRD_PERSON[word]])
    elif word in ("speak", "talk", "yell", "begin"):
        other = VERB_WORDS[word]
    else:
        return None
    return None if other in tokens else other


def _sentence(tokens: Tokens) -> str:
    text = " ".join(with_right_articles(tokens)).replace(" ,", ",").strip(" ,")
    return f"{text[:1].upper()}{text[1:]}."
