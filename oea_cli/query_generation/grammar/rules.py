"""The rules of user-intent queries (section 3.2 and appendix D of the paper), as small checks.

Every check takes a candidate (a text and the clip that it is about), and returns what is wrong, in
words that a writer can act on, or None; they are in `form_rules` and `content_rules`. `RULES`
lists the types that each rule holds for:

    plain           one line of text: no quotes around it, no label, markup or talk of captions
    file-name       no name of a file, and no suffix of one
    length          as long as the caption that fits it best, give or take two words
    new-words       says nothing that the clip's captions do not say (a paraphrase: little)
    lost-words      keeps most of the content words of the caption that fits it best
    question        asks one question
    command         starts with a verb that asks for a sound
    key-phrases     short phrases between commas, without a clause
    restated        a statement, and not one of the captions as it stands
    exclusion       leaves something out by "without", "no", "not" or "except"
    names-target    what comes before the exclusion is content of the target
    excludes        what is left out is content of the hard negative that the target lacks
    spares-target   nothing that is left out is content of the target
    repeated        (over a set, see `SeenQueries`) no two queries are the same words

Words are compared by their stems and a short list of synonyms (`words`, `lexicon`): the rules know
English only, and what they accept is well formed and grounded, not necessarily well put.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from oea_cli.clips.query_types import (
    IMPERATIVE,
    NEGATIVE,
    PARAPHRASE,
    POSITIVE,
    QUESTION,
    TAGGING,
    TYPES,
)
from oea_cli.query_generation.grammar import content_rules, form_rules
from oea_cli.query_generation.grammar.candidates import Candidate
from oea_cli.query_generation.grammar.words import tokens_of

REPEATED = "repeated"

Rule = Callable[[Candidate], str | None]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a query breaks, and why."""

    rule: str
    reason: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.reason}"


def violations(candidate: Candidate) -> list[Violation]:
    """Every rule of its type that a query breaks; an empty list for a good one."""
    if not candidate.words:
        return [Violation("plain", "it has no words")]
    found = []
    for name, rule in rules_for(candidate.type).items():
        if reason := rule(candidate):
            found.append(Violation(name, reason))
    return found


def rules_for(query_type: str) -> dict[str, Rule]:
    """The rules that hold for a type, by name."""
    return {name: rule for name, (types, rule) in RULES.items() if query_type in types}


RULES: dict[str, tuple[Iterable[str], Rule]] = {
    "plain": (TYPES, form_rules.plain),
    "file-name": (TYPES, form_rules.no_file_name),
    "length": (POSITIVE, content_rules.length),
    "new-words": (POSITIVE, content_rules.new_words),
    "lost-words": (POSITIVE, content_rules.lost_words),
    "question": ([QUESTION], form_rules.is_question),
    "command": ([IMPERATIVE], form_rules.is_command),
    "key-phrases": ([TAGGING], form_rules.is_key_phrases),
    "restated": ([PARAPHRASE], form_rules.is_restated),
    "exclusion": ([NEGATIVE], form_rules.is_exclusion),
    "names-target": ([NEGATIVE], content_rules.names_target),
    "excludes": ([NEGATIVE], content_rules.excludes),
    "spares-target": ([NEGATIVE], content_rules.spares_target),
}


@dataclass(slots=True)
class SeenQueries:
    """The queries of a set, so that none occurs twice, whatever its case and punctuation."""

    _first: dict[tuple[str, ...], str] = field(default_factory=dict)

    def add(self, text: str, where: str) -> Violation | None:
        """Note a query; the violation "repeated" where its words are known already."""
        words = tuple(tokens_of(text.lower()))
        if words in self._first:
            reason = f"the same words as the query of {self._first[words]}; say it differently"
            return Violation(REPEATED, reason)
        self._first[words] = where
        return None
