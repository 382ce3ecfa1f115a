"""The rules of user-intent queries (section 3.2 and appendix D of the paper), as small checks.

Every check takes a candidate (a text and the clip that it is about), and returns what is wrong, in
words that a writer can act on, or None. `RULES` says which types each rule holds for:

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

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from oea_cli.query_generation.grammar.candidates import (
    LENGTH_MARGIN,
    MIN_KEPT,
    Candidate,
    asking_words,
)
from oea_cli.query_generation.grammar.lexicon import lexicon
from oea_cli.query_generation.grammar.parts_of_speech import is_only_verb
from oea_cli.query_generation.grammar.words import content_of, tokens_of, words_of
from oea_cli.query_generation.query_types import (
    IMPERATIVE,
    NEGATIVE,
    PARAPHRASE,
    POSITIVE,
    QUESTION,
    TAGGING,
    TYPES,
)

MAX_NEW = {QUESTION: 0.0, IMPERATIVE: 0.0, TAGGING: 0.0, PARAPHRASE: 1 / 3}
"""Share of a query's content words that no caption may have; synonyms count as the same word."""
MIN_NAMED = 0.5
"""Share of the content words before an exclusion that the target's captions have."""
MAX_TAG_WORDS = 5
REPEATED = "repeated"

LABEL = re.compile(
    r"^\s*(?:query|question|imperative|command|tags?|tagging|keyphrases?|paraphrase|negative|"
    r"answer|output|here (?:is|are))\b[^,]*:",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"[.!?]\s")
MARKUP = re.compile(r"[\n\r\t{}<>`*_#|\\]|https?:|\[|\]")
CAPTION_TALK = re.compile(r"\b(?:captions?|target clip|hard negative)\b", re.IGNORECASE)
FILE_SUFFIX = re.compile(r"\.(?:wav|flac|mp3|ogg|opus|m4a|aiff?|webm|mp4)\b", re.IGNORECASE)
SHORT_NAME = 4
"""A name of fewer letters may stand in any text by chance."""


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


# --- all types ---


def plain(candidate: Candidate) -> str | None:
    """One line of text and nothing else."""
    text = candidate.text.strip()
    if MARKUP.search(text):
        return "write one line of plain text, without markup or lists"
    if text[0] in "\"'“‘" and text[-1] in "\"'”’":
        return "leave out the quotation marks"
    if LABEL.search(text):
        return "leave out the label in front of it"
    talk = CAPTION_TALK.search(text)
    if talk and talk[0].lower() not in candidate.about.content:
        return f"it speaks of '{talk[0]}'; speak of the sound only"
    return None


def no_file_name(candidate: Candidate) -> str | None:
    """No name of the clip that its captions do not have, and no suffix of a file."""
    if FILE_SUFFIX.search(candidate.text):
        return "it has the suffix of a file"
    for name in candidate.about.names:
        stem = FILE_SUFFIX.sub("", name.rpartition("/")[2])
        if _has_name(candidate, stem):
            return f"it has the clip's name, '{stem}'"
    return None


def _has_name(candidate: Candidate, stem: str) -> bool:
    """True where a text has a file's name, as it stands or as words that no caption has."""
    words = words_of(stem.replace("_", " "))
    if len(" ".join(words)) < SHORT_NAME:
        return False
    if _has_verbatim(candidate.text, stem):
        return True
    captions = map(words_of, candidate.about.captions)
    return _contains(candidate.words, words) and not any(_contains(c, words) for c in captions)


def _has_verbatim(text: str, stem: str) -> bool:
    """True of "7fmOlUlwoNg_20"; a name of letters alone, or of several words, may be English."""
    return stem.lower() in text.lower() and not stem.isalpha() and " " not in stem


def _contains(words: Sequence[str], part: Sequence[str]) -> bool:
    return f" {' '.join(part)} " in f" {' '.join(words)} "


# --- positive types ---


def length(candidate: Candidate) -> str | None:
    """Within two words of the caption that fits best.

    Key phrases have no small words: they may be shorter, as short as the caption without its own.
    """
    if candidate.best_caption is None:
        return "there is no caption to compare it with"
    wanted = candidate.about.lengths[candidate.best_caption]
    low, high = max(1, wanted - LENGTH_MARGIN), wanted + LENGTH_MARGIN
    if candidate.type == TAGGING:
        low = max(1, candidate.about.content_lengths[candidate.best_caption] - LENGTH_MARGIN)
    count = len(candidate.words)
    if low <= count <= high:
        return None
    return f"it has {count} words; write {low} to {high}"


def new_words(candidate: Candidate) -> str | None:
    """No content that the captions do not have; a paraphrase may have a little."""
    foreign = _foreign(candidate.content, candidate)
    if not candidate.content:
        return "it names no sound"
    if len(foreign) / len(candidate.content) <= MAX_NEW[candidate.type]:
        return None
    return f"the captions do not say {_listed(foreign)}"


def _foreign(content: Mapping[str, str], candidate: Candidate) -> list[str]:
    """The words whose concepts no caption of the clip has."""
    return [word for key, word in content.items() if key not in candidate.about.content]


def lost_words(candidate: Candidate) -> str | None:
    """At least half of the content words of the caption that fits best."""
    if candidate.best_caption is None:
        return "there is no caption to compare it with"
    theirs = candidate.about.contents[candidate.best_caption]
    lost = [word for key, word in theirs.items() if key not in candidate.content]
    if candidate.share_kept(candidate.best_caption) >= MIN_KEPT:
        return None
    return f"it leaves out {_listed(lost)}"


# --- one type ---


def is_question(candidate: Candidate) -> str | None:
    """Ends with "?", starts as a question does, and is one sentence."""
    text = candidate.text.strip()
    if not text.endswith("?"):
        return "a question ends with '?'"
    if SENTENCE_END.search(text):
        return "ask one question, in one sentence"
    first = candidate.words[0]
    if first not in asking_words().question_openers:
        return f"no question starts with '{first}'; start like 'Can you find' or 'Is there'"
    return None


def is_command(candidate: Candidate) -> str | None:
    """Starts with a verb that asks for a sound, perhaps after "please"."""
    if candidate.text.strip().endswith("?"):
        return "a command does not end with '?'"
    if SENTENCE_END.search(candidate.text.strip()):
        return "give one command, in one sentence"
    words = candidate.words[1:] if candidate.words[:1] == ["please"] else candidate.words
    if len(words) < 2 or words[0] not in asking_words().command_verbs:
        first = words[0] if words else ""
        return f"no command starts with '{first}'; start with a verb like 'Find' or 'Play'"
    return None


def is_key_phrases(candidate: Candidate) -> str | None:
    """Phrases of a few words between commas, none of them a clause."""
    if candidate.text.strip().endswith(("?", "!", ".")):
        return "key phrases have no full stop and no question mark"
    phrases = [words_of(part) for part in candidate.text.split(",")]
    if not all(phrases):
        return "there is nothing between two commas"
    for words in phrases:
        phrase = " ".join(words)
        if len(words) > MAX_TAG_WORDS:
            return f"'{phrase}' is too long for a key phrase; at most {MAX_TAG_WORDS} words"
        if verb := _verb_of_a_clause(words):
            return f"'{phrase}' has a verb phrase ('{verb}'); write a noun phrase"
    if len({tuple(words) for words in phrases}) < len(phrases):
        return "a phrase comes twice"
    return None


def _verb_of_a_clause(words: Sequence[str]) -> str | None:
    """The word that makes a phrase a clause: a form of "be", a pronoun, a finite verb."""
    english = lexicon()
    of_clauses = english.auxiliaries | english.subordinators | english.relatives
    of_clauses |= english.subject_pronouns
    if small := next((word for word in words if word in of_clauses), None):
        # "coins in a can": the last word of a phrase is its noun.
        return small if (small, words[-1]) != ("can", "can") else None
    is_command_verb = words[0] in asking_words().command_verbs and words[0] in english.verbs
    if is_command_verb and len(words) > 1:
        return words[0]
    return next((word for word in words[1:] if is_only_verb(word)), None)


def is_restated(candidate: Candidate) -> str | None:
    """Neither question nor command, and not the words of a caption in their order."""
    if candidate.text.strip().endswith("?"):
        return "a paraphrase is no question"
    first = candidate.words[0]
    if first in asking_words().command_verbs and first not in candidate.about.content:
        return "a paraphrase is no command"
    captions = [_without_articles(words_of(caption)) for caption in candidate.about.captions]
    if _without_articles(candidate.words) in captions:
        return "it repeats a caption word for word"
    return None


def _without_articles(words: Iterable[str]) -> list[str]:
    return [word for word in words if word not in lexicon().articles]


# --- exclusions ---


def is_exclusion(candidate: Candidate) -> str | None:
    """Wants something and leaves something out."""
    if candidate.exclusion is None:
        return "leave something out, with 'without', 'no', 'not' or 'except'"
    wanted, left_out = candidate.exclusion
    if not words_of(wanted):
        return "say what is wanted before what is left out"
    if not words_of(left_out):
        return "say what is left out"
    return None


def names_target(candidate: Candidate) -> str | None:
    """Most of what is wanted is content of the target."""
    if candidate.exclusion is None:
        return None
    asking = asking_words().all_asking
    wanted = content_of(word for word in words_of(candidate.exclusion[0]) if word not in asking)
    num_named = sum(key in candidate.about.content for key in wanted)
    if num_named and num_named / len(wanted) >= MIN_NAMED:
        return None
    foreign = _foreign(wanted, candidate)
    reason = f"; the captions do not say {_listed(foreign)}" if foreign else ""
    return f"before the exclusion, name what the target has{reason}"


def excludes(candidate: Candidate) -> str | None:
    """Something left out is in the hard negative's captions and not in the target's."""
    if candidate.exclusion is None:
        return None
    if not candidate.about.negative_captions:
        return "there is no hard negative whose content it could leave out"
    about = candidate.about
    only_theirs = {
        key: word for key, word in about.negative_content.items() if key not in about.content
    }
    if any(key in only_theirs for content in candidate.excluded_contents for key in content):
        return None
    if not only_theirs:
        return "the hard negative's captions say nothing that the target's do not"
    return f"leave out what only the hard negative has: {_listed(list(only_theirs.values()))}"


def spares_target(candidate: Candidate) -> str | None:
    """Every phrase that is left out has a word that the target's captions do not have."""
    for content in candidate.excluded_contents:
        if content.keys() <= candidate.about.content.keys():
            return f"it leaves out {_listed(list(content.values()))}, which the target has"
    return None


RULES: dict[str, tuple[Iterable[str], Rule]] = {
    "plain": (TYPES, plain),
    "file-name": (TYPES, no_file_name),
    "length": (POSITIVE, length),
    "new-words": (POSITIVE, new_words),
    "lost-words": (POSITIVE, lost_words),
    "question": ([QUESTION], is_question),
    "command": ([IMPERATIVE], is_command),
    "key-phrases": ([TAGGING], is_key_phrases),
    "restated": ([PARAPHRASE], is_restated),
    "exclusion": ([NEGATIVE], is_exclusion),
    "names-target": ([NEGATIVE], names_target),
    "excludes": ([NEGATIVE], excludes),
    "spares-target": ([NEGATIVE], spares_target),
}


@dataclass(slots=True)
class SeenQueries:
    """The queries of a set, so that none comes twice: the same words, case and marks aside."""

    _first: dict[tuple[str, ...], str] = field(default_factory=dict)

    def add(self, text: str, where: str) -> Violation | None:
        """Note a query; the violation "repeated" where its words are known already."""
        words = tuple(tokens_of(text.lower()))
        if words in self._first:
            reason = f"the same words as the query of {self._first[words]}; say it differently"
            return Violation(REPEATED, reason)
        self._first[words] = where
        return None


def _listed(words: list[str]) -> str:
    shown = ", ".join(f"'{word}'" for word in words[:6])
    return shown + (" ..." if len(words) > 6 else "")
