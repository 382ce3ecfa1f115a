"""Captions turned from sentences into things one can ask for: "a dog barks" -> "a dog barking".

A caption is read from left to right, with the lexicon and two questions: may a verb stand here
(after a noun, or after "and" and an earlier verb), and does it agree with what stands before it. No
parser and no model; what cannot be read with certainty is left alone, and the caller takes
another caption.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from oea_cli.query_generation.grammar.lexicon import (
    ADJECTIVES,
    ADVERBS,
    AUXILIARIES,
    BE,
    COUNTED,
    DETERMINERS,
    FINITE_BE,
    FOLLOWED,
    NEVER_NOUNS,
    NOT_ADVERBS,
    OPENERS,
    PLURALS,
    PREPOSITIONS,
    RELATIVES,
    SHORT_FORMS,
    SUBJECT_PRONOUNS,
    SUBORDINATORS,
    UNCOUNTED,
)
from oea_cli.query_generation.grammar.words import (
    FUNCTION_WORDS,
    IRREGULAR_PASTS,
    PARTICIPLES,
    PAST_PARTICIPLES,
    THIRD_PERSON,
    VERBS,
    with_ing,
    with_s,
)

Tokens = list[str]
CONSONANTAL = ("one", "uni", "use", "usu", "util", "eu")
JOINERS = frozenset({"and", "or", "then", ",", "but", "nor"})


def is_adverb(word: str) -> bool:
    """True for "loudly", "again": words that may stand between a subject and its verb."""
    return word in ADVERBS or (word.endswith("ly") and word not in NOT_ADVERBS)


def is_participle(word: str) -> bool:
    """True for "barking", also of a verb that the lexicon lacks; not for "thing" or "string"."""
    return word in PARTICIPLES or (
        len(word) > 6 and word.endswith("ing") and word not in ("ceiling", "morning", "evening",
        "building", "something", "anything", "nothing", "everything", "lightning", "clothing",
        "conditioning", "railing", "plumbing", "recording", "meeting", "wedding", "gathering")
    )  # fmt: skip


def is_noun(word: str) -> bool:
    """True for what is no small word, no adverb and no adjective: a word that may be a subject."""
    if word in ("someone", "somebody", "something", "everyone", "another", "others", "itself"):
        return True
    if not word:
        return False
    return not (word in FUNCTION_WORDS or word in ADJECTIVES or is_adverb(word) or word == ",")


def is_plural(noun: str) -> bool:
    """True for "birds" and "people", not for "bus" and "glass"."""
    if noun in PLURALS:
        return True
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is", "'s")) and len(noun) > 3


@dataclass
class _Subject:
    """What stands before a verb, as far as it has been read."""

    tokens: Tokens = field(default_factory=list)

    @property
    def last(self) -> str:
        rest = [token for token in self.tokens if not is_adverb(token) and token != "then"]
        return rest[-1] if rest else ""

    def heads(self) -> Tokens:
        """The nouns that a verb may agree with: the last one, and the one before "of" or "in"."""
        nouns = [self.last]
        place = next((n for n, word in enumerate(self.tokens) if word in PREPOSITIONS), 0)
        return [*nouns, self.tokens[place - 1]] if place else nouns

    def is_joined(self) -> bool:
        return "and" in self.tokens

    def agrees(self, verb: str) -> bool:
        """True where `verb`, "barks" or "bark", fits a subject that has been read."""
        if not is_noun(self.last) or self.tokens[0] in PREPOSITIONS:
            return False  # nothing, or a phrase such as "in a hall", which is no subject
        if verb in THIRD_PERSON and THIRD_PERSON[verb] not in NEVER_NOUNS:
            # "a frog with brief bird chirps", "laser blasts": without an article it may be a noun.
            known = self.tokens[0] in DETERMINERS or self.last in UNCOUNTED | {
                "someone",
                "something",
            }
            if "with" in self.tokens or not known:
                return False
        plural = self.is_joined() or any(is_plural(head) for head in self.heads())
        singular = any(not is_plural(head) for head in self.heads())
        return singular or "of" in self.tokens if verb in THIRD_PERSON else plural


def ends_subject(word: str) -> bool:
    """True for what may follow the first noun phrase of a caption."""
    small = PREPOSITIONS | SUBORDINATORS | JOINERS | FOLLOWED | FINITE_BE
    return word in small or is_participle(word) or is_adverb(word)


def as_thing(tokens: Tokens) -> Tokens | None:
    """The caption as something that can be found: finite verbs of its main clauses become
    participles; None where that cannot be done with certainty.

    "a man speaks and people laugh as a dog barks" -> "a man speaking and people laughing as a dog
    barks". What is a noun phrase already comes back as it is.
    """
    return _Reader(tokens).read()


class _Reader:
    """Walks over a caption once; what has been decided is in `out`."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = without_openers(tokens)
        self.out: Tokens = []
        self.subject = _Subject()
        self.kind: str | None = None  # of the latest finite verb: "s", "base", or "ing"
        self.found_verb = False  # in the clause being read
        self.relative = False

    def read(self) -> Tokens | None:
        if not self.tokens or set(self.tokens) & SHORT_FORMS or self.tokens[0] in SUBORDINATORS:
            return None
        place = 0
        while place < len(self.tokens):
            word = self.tokens[place]
            if word in SUBORDINATORS and place:
                rest = self.tokens[place:]
                return None if _goes_back(rest) else self.out + rest
            taken = self._take(place)
            if taken is None:
                return None
            place += taken
        return self._with_missing_article()

    def _with_missing_article(self) -> Tokens:
        """ "man speaking" -> "a man speaking": terse captions leave articles out."""
        place = next((n for n, word in enumerate(self.out) if ends_subject(word)), len(self.out))
        first = self.out[0] if self.out else ""
        bare = place > 0 and first not in DETERMINERS and self.out[place - 1] in COUNTED
        joined = self.out[place : place + 1] == ["and"] and place == len(self.out) - 2
        return ["a", *self.out] if bare and not joined else self.out

    def _take(self, place: int) -> int | None:
        """Read the token at `place`, and those that belong to it; returns how many."""
        word = self.tokens[place]
        if word in SUBJECT_PRONOUNS:
            return None
        if word in FINITE_BE:
            return self._to_be(place)
        if word in AUXILIARIES:
            return self._auxiliary(place)
        if word in RELATIVES:
            self.relative = True
            return self._keep(word)
        following = self.tokens[place + 1] if place + 1 < len(self.tokens) else ""
        if word == "then" and self.subject.tokens and following in THIRD_PERSON:
            return self._keep(word)  # "a man then clears his throat"
        if word in JOINERS:
            return self._join(word)
        if word in FOLLOWED and self.tokens[place + 1 : place + 2] == ["by"]:
            return self._follow(word)
        if self._is_finite(place):
            if self.relative:
                self.relative = False
                self.subject.tokens.append(word)
                self.out.append(word)
                return 1
            return self._convert(place)
        if THIRD_PERSON.get(word) in NEVER_NOUNS and not self.relative:
            return None  # a verb whose subject has not been understood
        past = word in IRREGULAR_PASTS and self.tokens[place + 1 : place + 2] != ["by"]
        if past and not self.found_verb and is_noun(self.subject.last):
            self.kind, self.found_verb = "past", True
            self.out.append(with_ing(IRREGULAR_PASTS[word]))
            return 1
        if is_participle(word) and is_noun(self.subject.last):
            self.found_verb = True
        if self._is_unknown_verb(place):
            return None
        return self._keep(word)

    def _is_unknown_verb(self, place: int) -> bool:
        """True for what can only be a verb that the lexicon lacks: "a clock rings and ticktocks",
        "a person searches for a key".
        """
        word, before = self.tokens[place], self.tokens[max(place - 2, 0) : place]
        following = self.tokens[place + 1] if place + 1 < len(self.tokens) else "."
        borders = {".", *JOINERS, *PREPOSITIONS, *SUBORDINATORS, *DETERMINERS}
        if not is_plural(word) or word in THIRD_PERSON or word in PLURALS:
            return False
        if not (following in borders or is_adverb(following)):
            return False
        second = before[1:] == ["and"] and before[0] in THIRD_PERSON and self.kind == "s"
        subject = self.subject.tokens
        lone = len(subject) == 2 and subject[0] in ("a", "an") and is_noun(subject[1])
        return second or (lone and not is_plural(subject[1]))

    def _keep(self, word: str) -> int:
        self.out.append(word)
        self.subject.tokens.append(word)
        return 1

    def _join(self, word: str) -> int:
        self.out.append(word)
        if self.found_verb or word != "and":
            self.subject = _Subject()
            self.found_verb = False
        elif self.subject.tokens:
            self.subject.tokens.append(word)
        return 1

    def _follow(self, word: str) -> int:
        """What is followed by something ends; what follows is a thing, no subject of a verb."""
        self.out += [word, "by"]
        self.subject = _Subject(["by"])
        self.found_verb = False
        return 2

    def _convert(self, place: int) -> int | None:
        word = self.tokens[place]
        base = THIRD_PERSON.get(word, word)
        self.kind = "s" if word in THIRD_PERSON else "base"
        self.found_verb = True
        following = self.tokens[place + 1] if place + 1 < len(self.tokens) else ""
        if following not in PARTICIPLES:
            self.out.append(with_ing(base))
            return 1
        if base in ("keep", "continue"):
            self.out.append(following)
            return 2
        if base in ("start", "begin"):
            self.out += [with_ing(base), "to", PARTICIPLES[following]]
            return 2
        return None if base == "stop" else self._keep_as(with_ing(base))

    def _keep_as(self, word: str) -> int:
        self.out.append(word)
        return 1

    def _is_finite(self, place: int) -> bool:
        word = self.tokens[place]
        if word not in THIRD_PERSON and word not in VERBS:
            return False
        before = next((t for t in reversed(self.tokens[:place]) if not is_adverb(t)), "")
        following = self.tokens[place + 1] if place + 1 < len(self.tokens) else ""
        if self.relative:
            return before in RELATIVES
        # "car horns honk", "and wind blows", "a dog bark is heard": before a verb it is a noun.
        if following in FINITE_BE or following in NEVER_NOUNS or following in THIRD_PERSON:
            return False
        bare = self.subject.tokens[:1] and self.subject.tokens[0] not in DETERMINERS
        if word in THIRD_PERSON and following in VERBS and bare:
            return False  # "wind chimes clang"
        if before in JOINERS and self.kind is not None:
            return self.kind == ("s" if word in THIRD_PERSON else "base")
        # "a boisterous humming happens": the participle was no verb but the subject.
        hums = is_participle(self.subject.last) and THIRD_PERSON.get(word) in NEVER_NOUNS
        return (not self.found_verb or hums) and self.subject.agrees(word)

    def _to_be(self, place: int) -> int | None:
        adverbs = self._adverbs_from(place + 1)
        after = place + 1 + len(adverbs)
        word = self.tokens[after] if after < len(self.tokens) else ""
        if self.relative:
            self.relative = False
            return self._keep(self.tokens[place])
        self.found_verb = True
        if word in FOLLOWED or word in ("heard", "present", "audible", "ongoing"):
            return self._is_there(place, after, word)
        if is_participle(word) or word == "being":
            self.kind = "ing"
            self.out += [*adverbs, word]
            return len(adverbs) + 2
        if word in PAST_PARTICIPLES and word not in ADJECTIVES:
            self.kind = "ing"
            self.out += ["being", *adverbs, word]
            return len(adverbs) + 2
        return None  # "is loud": no participle says that

    def _is_there(self, place: int, after: int, word: str) -> int | None:
        if word in FOLLOWED:
            if self.tokens[after + 1 : after + 2] != ["by"]:
                return None
            while self.out and self.out[-1] in ("and", ",", "then"):
                self.out.pop()
            self._follow(word)
            return after + 2 - place
        return after + 1 - place

    def _auxiliary(self, place: int) -> int | None:
        if self.tokens[place : place + 3] == ["can", "be", "heard"]:
            return 3
        return None

    def _adverbs_from(self, place: int) -> Tokens:
        found = []
        for word in self.tokens[place:]:
            if not is_adverb(word):
                break
            found.append(word)
        return found


def without_openers(tokens: Tokens) -> Tokens:
    """A caption without "you can hear", "there is", "a recording of"."""
    for opener in OPENERS:
        if tuple(tokens[: len(opener)]) == opener and len(tokens) > len(opener):
            return without_openers(tokens[len(opener) :])
    return tokens


def turned(tokens: Tokens) -> Tokens:
    """A caption with what it opens with put at its end: "While X, Y" -> "Y while X", "In a hall,
    Y" -> "Y in a hall"; any other as it is.
    """
    tokens = without_openers(tokens)
    opener = tokens[0] if tokens else ""
    if opener not in SUBORDINATORS | {"in", "at", "inside", "outside", "on"} or "," not in tokens:
        return tokens
    place = tokens.index(",")
    first, rest = tokens[:place], tokens[place + 1 :]
    unclear = {",", *SUBORDINATORS, "it", "they", "he", "she"}
    if not rest or rest[0] in JOINERS or set(rest) & unclear:
        return tokens
    return rest + first


def _goes_back(rest: Tokens) -> bool:
    """True where a subordinate clause is left again for the main one: ", then walks away"."""
    for place, word in enumerate(rest[:-1]):
        if word == "then" or (word == "," and rest[place + 1] in ("and", "then")):
            following = [t for t in rest[place + 1 : place + 4] if t not in JOINERS]
            following = [t for t in following if not is_adverb(t)]
            if following and (following[0] in THIRD_PERSON or following[0] in FINITE_BE):
                return True
    return False


def with_right_articles(tokens: Tokens) -> Tokens:
    """ "a" before a consonant, "an" before a vowel: captions often have the wrong one."""
    out = list(tokens)
    for place, (word, following) in enumerate(pairwise(tokens)):
        if word in ("a", "an") and following[0].isalpha():
            vowel = following[0].lower() in "aeiou" and not following.startswith(CONSONANTAL)
            out[place] = "an" if vowel or following.startswith(("hour", "honest")) else "a"
    return out


def has_finite_verb(tokens: Tokens) -> bool:
    """True where the main part of a caption is a clause: it has a subject and a finite verb."""
    if set(tokens) & SUBJECT_PRONOUNS:
        return bool(set(tokens) & (BE | set(THIRD_PERSON) | set(IRREGULAR_PASTS) | VERBS))
    reader = _Reader(tokens)
    if reader.read() is not None or reader.kind is not None:
        return reader.kind is not None
    return any(word in FINITE_BE or THIRD_PERSON.get(word) in NEVER_NOUNS for word in tokens)


def as_clause(tokens: Tokens) -> Tokens | None:
    """A noun phrase with a participle as a clause: "a female speaking" -> "a female speaks"; None
    where there is no subject before the participle, or more than one thing happens.
    """
    places = [p for p, word in enumerate(tokens) if word in PARTICIPLES]
    if not places or has_finite_verb(tokens):
        return None
    place = places[0]
    subject = _Subject(tokens[:place])
    blocked = (PREPOSITIONS - {"of"}) | RELATIVES | {","}
    if not is_noun(subject.last) or set(subject.tokens) & blocked or subject.last in PARTICIPLES:
        return None
    if set(subject.tokens) & {"sound", "sounds", "noise", "noises"}:
        return None  # "the sound of an engine running": it is not the sound that runs
    if {"then", ","} & set(tokens):
        return None
    out = [*tokens[:place], conjugated(PARTICIPLES[tokens[place]], subject.tokens)]
    own = True  # as long as it is this subject that does it
    for before, word in zip(tokens[place:], tokens[place + 1 :], strict=False):
        own = own and word not in {"with", "of", "from"} | FOLLOWED | SUBORDINATORS
        joined = own and before in ("and", "or") and word in PARTICIPLES
        out.append(conjugated(PARTICIPLES[word], subject.tokens) if joined else word)
    tail = out[place + 1 :]
    for spot, word in enumerate(tail):
        if word == "and" and spot + 1 < len(tail) and _opens_clause(tail[spot + 1 :]):
            return None  # a second subject with a participle of its own
    return out


def _opens_clause(tokens: Tokens) -> bool:
    return any(word in PARTICIPLES for word in tokens[1:])


def conjugated(base: str, subject: Tokens) -> str:
    """The present tense of a verb after this subject."""
    head = subject[: subject.index("of")] if "of" in subject else subject
    plural = "and" in subject or (bool(head) and is_plural(head[-1]))
    return base if plural else with_s(base)
