"""How the words for a sound become phrases: articles, plurals, verb forms, clauses."""

from dataclasses import dataclass
from functools import cached_property

DOUBLED = frozenset(
    (
        "beg", "chug", "clap", "clip", "cut", "drag", "drip", "drop", "drum", "flap",
        "get", "hit", "hop", "hum", "jog", "nag", "pat", "plod", "plop", "pop", "purr", "put",
        "rap", "rev", "rip", "rub", "run", "scrub", "shut", "sit", "slam", "snap", "sob",
        "spin", "spit", "strum", "tap", "throb", "thrum", "thud", "tip", "trot", "tug", "whip",
        "whir", "yap", "yip", "zap", "zip",
    )
)  # fmt: skip
VAGUE = frozenset(
    (
        "call", "close", "come down", "cry", "cut", "drop", "fall", "fire", "fly", "go off", "hit",
        "land", "open", "pass", "pass by", "play", "run", "sound", "start", "strike",
    )
)  # fmt: skip
"""Verbs that say nothing about a sound without the one that does it."""
PLURALS = {"sheep": "sheep", "goose": "geese", "mouse": "mice", "man": "men", "woman": "women"}
PLURALS |= {"wolf": "wolves", "child": "children", "person": "people", "calf": "calves"}
PLURALS |= {"foot": "feet", "tooth": "teeth", "cattle": "cattle", "leaf": "leaves"}
THIRD = {"have": "has", "do": "does"}


def plural(noun: str) -> str:
    """The plural of a noun phrase whose last word is the noun."""
    before, _, last = noun.rpartition(" ")
    if last in PLURALS:
        many = PLURALS[last]
    elif last.endswith(("s", "sh", "ch", "x", "z")):
        many = last + "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        many = last[:-1] + "ies"
    else:
        many = last + "s"
    return f"{before} {many}".strip()


def with_article(noun: str) -> str:
    """The noun phrase after `a` or `an`."""
    silent = noun.startswith(("hour", "honest"))
    vowel = noun[0] in "aeiou" and not noun.startswith(("uni", "use", "one", "eu"))
    return f"{'an' if vowel or silent else 'a'} {noun}"


def _split(verb: str) -> tuple[str, str]:
    first, _, rest = verb.partition(" ")
    return first, f" {rest}" if rest else ""


def ing(verb: str) -> str:
    """The present participle; of `pour down` it is `pouring down`."""
    first, rest = _split(verb)
    if first.endswith("ie"):
        stem = first[:-2] + "y"
    elif first.endswith("e") and not first.endswith(("ee", "oe", "ye")):
        stem = first[:-1]
    elif first in DOUBLED:
        stem = first + first[-1]
    else:
        stem = first
    return stem + "ing" + rest


def third(verb: str) -> str:
    """The form after he, she or it."""
    first, rest = _split(verb)
    if first in THIRD:
        return THIRD[first] + rest
    if first.endswith(("s", "sh", "ch", "x", "z", "o")):
        return first + "es" + rest
    if first.endswith("y") and first[-2] not in "aeiou":
        return first[:-1] + "ies" + rest
    return first + "s" + rest


PREPOSITIONS = frozenset(
    (
        "in", "of", "on", "at", "from", "under", "over", "by", "for", "with", "around", "up", "to",
        "behind",
    )
)  # fmt: skip


def is_plural(noun_phrase: str) -> bool:
    """True for "birds in the trees" and "people", not for "a pack of dogs" or "thunder"."""
    words = noun_phrase.split()
    if words[0] in ("a", "an", "one", "someone", "somebody", "every"):
        return False
    head = next((i for i, word in enumerate(words) if i and word in PREPOSITIONS), len(words))
    noun = words[head - 1]
    return (noun.endswith("s") and not noun.endswith("ss")) or noun in PLURALS.values()


@dataclass(frozen=True)
class Words:
    """The words for one class of sound, as the files in `words/` list them.

    `things`: what makes it, countable ("dog"); `stuff`: the same where it takes no article or has
    one already ("heavy rain", "the wind"); `actors`: who does it, never named alone because the
    same ones make other sounds too ("someone"); `verbs`: what they all do ("bark"); `noises`: names
    of the sound itself ("bark", "woof"); `phrases`: whole noun phrases; `clauses`: whole sentences;
    `tags`: keywords, sound-words, learned and colloquial names.
    """

    things: tuple[str, ...] = ()
    stuff: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    noises: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @cached_property
    def noun_phrases(self) -> tuple[str, ...]:
        """What fits after `the sound of`: "a dog barking", "barking dogs", "the bark of a dog"."""
        made = [*self.phrases, *self.stuff]
        for thing in self.things:
            one, many = with_article(thing), plural(thing)
            made += [one, many, f"the {thing}"]
            for verb in self.verbs:
                doing = ing(verb)
                made += [f"{one} {doing}", f"{many} {doing}", f"the {thing} {doing}"]
                if " " not in verb:
                    made += [
                        f"{doing} {thing}",
                        f"{doing} {many}",
                        f"{thing} {doing}",
                        with_article(f"{doing} {thing}"),
                    ]
                    made.append(f"the {doing} of {one}")
            for noise in self.noises:
                made += [
                    f"the {noise} of {one}",
                    f"{thing} {plural(noise)}",
                    with_article(f"{thing} {noise}"),
                ]
        for one in (*self.stuff, *self.actors):
            made += [f"{one} {ing(verb)}" for verb in self.verbs]
        return tuple(dict.fromkeys(made))

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """Sentences: "a dog is barking", "dogs bark"."""
        made = list(self.clauses)
        for verb in self.verbs:
            doing, does = ing(verb), third(verb)
            for thing in self.things:
                one, many = with_article(thing), plural(thing)
                made += [f"{one} is {doing}", f"{one} {does}", f"the {thing} {does}"]
                made += [f"{many} {verb}", f"{many} are {doing}"]
            for one in (*self.stuff, *self.actors):
                be, do = ("are", verb) if is_plural(one) else ("is", does)
                made += [f"{one} {be} {doing}", f"{one} {do}"]
        return tuple(dict.fromkeys(made))

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """What fits in a list of tags: "dog", "barking", "woof", "dog bark"."""
        things, verbs, noises = self.things, self.verbs, self.noises
        made = [*self.tags, *things, *self.stuff, *noises]
        made += [plural(thing) for thing in things] + [plural(noise) for noise in noises]
        made += [ing(verb) for verb in verbs if verb not in VAGUE]
        made += [f"{thing} {ing(verb)}" for thing in things for verb in verbs if " " not in verb]
        made += [f"{thing} {noise}" for thing in things for noise in noises]
        return tuple(dict.fromkeys(made))
