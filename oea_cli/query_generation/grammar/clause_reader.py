"""Captions turned from sentences into things one can ask for: "a dog barks" -> "a dog barking".

A caption is read from left to right, with the lexicon and two questions: may a verb stand here
(after a noun, or after "and" and an earlier verb), and does it agree with what stands before it. No
parser and no model; what cannot be read with certainty is left alone, and the caller takes
another caption.
"""

from collections.abc import Sequence
from itertools import takewhile

from oea_cli.query_generation.grammar.lexicon import lexicon
from oea_cli.query_generation.grammar.openers import without_openers
from oea_cli.query_generation.grammar.parts_of_speech import (
    is_adverb,
    is_noun,
    is_participle,
    is_plural,
    is_surely_finite,
)
from oea_cli.query_generation.grammar.spelling import Tokens
from oea_cli.query_generation.grammar.subjects import JOINERS, Subject, subject_end
from oea_cli.query_generation.grammar.verb_forms import verb_forms, with_ing

IS_THERE = ("heard", "present", "audible", "ongoing")  # "a siren is heard": a siren


def as_thing(tokens: Tokens) -> Tokens | None:
    """The caption as something that can be found: finite verbs of its main clauses become
    participles; None where that cannot be done with certainty.

    "a man speaks and people laugh as a dog barks" -> "a man speaking and people laughing as a dog
    barks". What is a noun phrase already comes back as it is.
    """
    return _ClauseReader(tokens).read()


def has_finite_verb(tokens: Tokens) -> bool:
    """True where the main part of a caption is a clause: it has a subject and a finite verb."""
    english, forms = lexicon(), verb_forms()
    words = set(tokens)
    if words & english.subject_pronouns:
        known = english.be | forms.third_person.keys() | forms.irregular_pasts.keys()
        return bool(words & (known | english.verbs))
    reader = _ClauseReader(tokens)
    if reader.read() is not None or reader.tense is not None:
        return reader.tense is not None
    return any(word in english.finite_be or is_surely_finite(word) for word in tokens)


class _ClauseReader:
    """Walks over a caption once; what has been decided is in `out`."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = without_openers(tokens)
        self.out: Tokens = []
        self.subject = Subject()
        self.tense: str | None = None  # of the latest finite verb: "s", "base", "past" or "ing"
        self.found_verb = False  # in the clause being read
        self.in_relative = False

    def read(self) -> Tokens | None:
        """The caption as a thing; None where it cannot be read with certainty."""
        english = lexicon()
        first = self.tokens[0] if self.tokens else ""
        if not first or set(self.tokens) & english.short_forms or first in english.subordinators:
            return None
        place = 0
        while place < len(self.tokens):
            if self.tokens[place] in english.subordinators and place:
                rest = self.tokens[place:]
                return None if _returns_to_main_clause(rest) else self.out + rest
            taken = self._take(place)
            if taken is None:
                return None
            place += taken
        return self._with_missing_article()

    def _with_missing_article(self) -> Tokens:
        """ "man speaking" -> "a man speaking": terse captions leave articles out."""
        place = subject_end(self.out)
        if not place or self.out[0] in lexicon().determiners:
            return self.out
        joined = self.out[place : place + 1] == ["and"] and place == len(self.out) - 2
        is_bare = self.out[place - 1] in lexicon().countable_nouns
        return ["a", *self.out] if is_bare and not joined else self.out

    def _after(self, place: int) -> str:
        return self.tokens[place + 1] if place + 1 < len(self.tokens) else ""

    # --- one token and those that belong to it: how many were read, None for what is unclear ---

    def _take(self, place: int) -> int | None:
        english = lexicon()
        word = self.tokens[place]
        if word in english.subject_pronouns:
            return None
        if word in english.finite_be:
            return self._take_form_of_be(place)
        if word in english.auxiliaries:
            return 3 if self.tokens[place : place + 3] == ["can", "be", "heard"] else None
        if word in english.relatives:
            self.in_relative = True
            return self._keep(word)
        if word in JOINERS:
            return self._take_joiner(place)
        if word in english.followed and self._after(place) == "by":
            return self._take_followed_by(word)
        if self._is_finite(place):
            return self._take_finite_verb(place)
        return self._take_other(place)

    def _take_other(self, place: int) -> int | None:
        word = self.tokens[place]
        if is_surely_finite(word) and not self.in_relative:
            return None  # a verb whose subject has not been understood
        pasts = verb_forms().irregular_pasts
        is_past = word in pasts and self._after(place) != "by"
        if is_past and not self.found_verb and is_noun(self.subject.last):
            self.tense, self.found_verb = "past", True
            return self._write(with_ing(pasts[word]))
        if is_participle(word) and is_noun(self.subject.last):
            self.found_verb = True
        return None if self._is_unknown_verb(place) else self._keep(word)

    def _keep(self, word: str) -> int:
        self.subject.tokens.append(word)
        return self._write(word)

    def _write(self, word: str) -> int:
        self.out.append(word)
        return 1

    def _take_joiner(self, place: int) -> int:
        word = self.tokens[place]
        before_verb = self._after(place) in verb_forms().third_person
        if word == "then" and self.subject.tokens and before_verb:
            return self._keep(word)  # "a man then clears his throat"
        if self.found_verb or word != "and":
            self.subject = Subject()
            self.found_verb = False
        elif self.subject.tokens:
            self.subject.tokens.append(word)
        return self._write(word)

    def _take_followed_by(self, word: str) -> int:
        """What is followed by something ends; what follows is a thing, not a verb's subject."""
        self.out += [word, "by"]
        self.subject = Subject(["by"])
        self.found_verb = False
        return 2

    def _take_finite_verb(self, place: int) -> int | None:
        word = self.tokens[place]
        if self.in_relative:  # "a machine that rattles": it stays as it is
            self.in_relative = False
            return self._keep(word)
        third_person = verb_forms().third_person
        base = third_person.get(word, word)
        self.tense = "s" if word in third_person else "base"
        self.found_verb = True
        participle_of = verb_forms().participles.get(self._after(place))
        if participle_of is None:
            return self._write(with_ing(base))
        if base in ("keep", "continue"):
            self.out.append(self._after(place))
            return 2
        if base in ("start", "begin"):
            self.out += [with_ing(base), "to", participle_of]
            return 2
        return None if base == "stop" else self._write(with_ing(base))

    def _take_form_of_be(self, place: int) -> int | None:
        if self.in_relative:
            self.in_relative = False
            return self._keep(self.tokens[place])
        english = lexicon()
        adverbs = list(takewhile(is_adverb, self.tokens[place + 1 :]))
        after = place + len(adverbs) + 1
        word = self.tokens[after] if after < len(self.tokens) else ""
        self.found_verb = True
        if word in english.followed:
            return self._take_is_followed(place, after)
        if word in IS_THERE:
            return after + 1 - place
        if is_participle(word) or word == "being":
            verb = [*adverbs, word]
        elif word in verb_forms().past_participles and word not in english.adjectives:
            verb = ["being", *adverbs, word]
        else:
            return None  # "is loud": no participle says that
        self.tense = "ing"
        self.out += verb
        return len(adverbs) + 2

    def _take_is_followed(self, place: int, after: int) -> int | None:
        if self._after(after) != "by":
            return None
        while self.out and self.out[-1] in ("and", ",", "then"):
            self.out.pop()
        self._take_followed_by(self.tokens[after])
        return after + 2 - place

    # --- what a token is ---

    def _is_finite(self, place: int) -> bool:
        """True where the token is a finite verb of the subject before it."""
        english, forms = lexicon(), verb_forms()
        word, following = self.tokens[place], self._after(place)
        if word not in forms.third_person and word not in english.verbs:
            return False
        earlier = reversed(self.tokens[:place])
        before = next((token for token in earlier if not is_adverb(token)), "")
        if self.in_relative:
            return before in english.relatives
        if self._is_noun_before_verb(word, following):
            return False
        if before in JOINERS and self.tense is not None:
            return self.tense == ("s" if word in forms.third_person else "base")
        # "a boisterous humming happens": the participle was not a verb but the subject.
        was_subject = is_participle(self.subject.last) and is_surely_finite(word)
        return (not self.found_verb or was_subject) and self.subject.agrees(word)

    def _is_noun_before_verb(self, word: str, following: str) -> bool:
        """True for "horns" of "car horns honk" and "bark" of "a dog bark is heard"."""
        english, third_person = lexicon(), verb_forms().third_person
        if following in english.finite_be or following in english.never_nouns:
            return True
        if following in third_person:
            return True
        is_bare = self.subject.tokens and self.subject.tokens[0] not in english.determiners
        return word in third_person and following in english.verbs and bool(is_bare)

    def _is_unknown_verb(self, place: int) -> bool:
        """True for what can only be a verb that the lexicon lacks: "a clock rings and ticktocks",
        "a person searches for a key".
        """
        word = self.tokens[place]
        if not is_plural(word) or word in lexicon().irregular_plurals:
            return False
        if word in verb_forms().third_person or not self._is_at_border(place):
            return False
        before = self.tokens[max(place - 2, 0) : place]
        second = before[1:] == ["and"] and before[0] in verb_forms().third_person
        return (second and self.tense == "s") or _is_one_thing(self.subject.tokens)

    def _is_at_border(self, place: int) -> bool:
        english, following = lexicon(), self._after(place)
        return (
            not following
            or following in JOINERS
            or following in english.prepositions
            or following in english.subordinators
            or following in english.determiners
            or is_adverb(following)
        )


def _is_one_thing(subject: Sequence[str]) -> bool:
    """True for "a person": an article and one noun in the singular."""
    if len(subject) != 2 or subject[0] not in ("a", "an"):
        return False
    return is_noun(subject[1]) and not is_plural(subject[1])


def _returns_to_main_clause(rest: Tokens) -> bool:
    """True where a subordinate clause is left again for the main one: ", then walks away"."""
    for place, word in enumerate(rest[:-1]):
        if word == "then" or (word == "," and rest[place + 1] in ("and", "then")):
            following = [token for token in rest[place + 1 : place + 4] if token not in JOINERS]
            following = [token for token in following if not is_adverb(token)]
            if following and _is_finite_form(following[0]):
                return True
    return False


def _is_finite_form(word: str) -> bool:
    return word in verb_forms().third_person or word in lexicon().finite_be
