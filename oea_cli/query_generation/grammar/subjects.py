"""The subject of a clause: where it ends, and whether a verb agrees with it."""

from dataclasses import dataclass, field

from oea_cli.query_generation.grammar.lexicon import lexicon
from oea_cli.query_generation.grammar.parts_of_speech import (
    is_adverb,
    is_noun,
    is_only_verb,
    is_participle,
    is_plural,
)
from oea_cli.query_generation.grammar.spelling import Tokens
from oea_cli.query_generation.grammar.verb_forms import verb_forms

JOINERS = frozenset({"and", "or", "then", ",", "but", "nor"})


def ends_subject(word: str) -> bool:
    """True for what may follow the first noun phrase of a caption."""
    english = lexicon()
    return (
        word in english.prepositions
        or word in english.subordinators
        or word in JOINERS
        or word in english.followed
        or word in english.finite_be
        or is_participle(word)
        or is_adverb(word)
    )


def subject_end(tokens: Tokens) -> int:
    """The place behind the first noun phrase of a caption: how many tokens it has."""
    return next((n for n, word in enumerate(tokens) if ends_subject(word)), len(tokens))


@dataclass(slots=True)
class Subject:
    """What stands before a verb, as far as it has been read."""

    tokens: Tokens = field(default_factory=list)

    @property
    def last(self) -> str:
        """Its last word, adverbs aside; "" where there is none."""
        rest = [token for token in self.tokens if not is_adverb(token) and token != "then"]
        return rest[-1] if rest else ""

    def agrees(self, verb: str) -> bool:
        """True where `verb`, "barks" or "bark", fits a subject that has been read."""
        if not is_noun(self.last) or self.tokens[0] in lexicon().prepositions:
            return False  # nothing, or a phrase such as "in a hall", which is not a subject
        is_third_person = verb in verb_forms().third_person
        if is_third_person and not is_only_verb(verb) and not self._is_surely_whole():
            return False
        heads = self._heads()
        if is_third_person:
            return "of" in self.tokens or any(not is_plural(head) for head in heads)
        return "and" in self.tokens or any(is_plural(head) for head in heads)

    def _heads(self) -> Tokens:
        """The nouns that a verb may agree with: the last one, and the one before "of" or "in"."""
        prepositions = lexicon().prepositions
        place = next((n for n, word in enumerate(self.tokens) if word in prepositions), 0)
        return [self.last, self.tokens[place - 1]] if place else [self.last]

    def _is_surely_whole(self) -> bool:
        """False where what looks like its verb may be its last noun: "a frog with brief bird
        chirps", "laser blasts".
        """
        english = lexicon()
        return "with" not in self.tokens and (
            self.tokens[0] in english.determiners
            or self.last in english.uncountable_nouns
            or self.last in ("someone", "something")
        )
