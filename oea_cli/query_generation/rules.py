"""The rules of user-intent queries (section 3.2 and appendix D of the paper), as small checks.

Every check takes a query and the clip that it is about, and returns what is wrong, in words that a
writer can act on, or None. `RULES` says which types each rule holds for:

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
    repeated        (over a set, see `Seen`) no two queries are the same words

Words are compared by their stems and a short list of synonyms (`words`, `lexicon`): the rules know
English only, and what they accept is well formed and grounded, not necessarily well put.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from oea_cli.clips.query_types import (
    IMPERATIVE,
    NEGATIVE,
    PARAPHRASE,
    POSITIVE,
    QUESTION,
    TAGGING,
    TYPES,
)
from oea_cli.query_generation.clauses import is_adverb
from oea_cli.query_generation.lexicon import AUXILIARIES, RELATIVES, SUBJECT_PRONOUNS, SUBORDINATORS
from oea_cli.query_generation.phrases import is_only_verb
from oea_cli.query_generation.words import VERBS, content_of, tokens_of, words_of

LENGTH_MARGIN = 2
"""Words that a positive query may differ by from its caption (the paper's appendix D)."""
MIN_KEPT = 0.5
"""Share of the best caption's content words that a positive query keeps."""
MAX_NEW = {QUESTION: 0.0, IMPERATIVE: 0.0, TAGGING: 0.0, PARAPHRASE: 1 / 3}
"""Share of a query's content words that no caption may have; synonyms count as the same word."""
MIN_NAMED = 0.5
"""Share of the content words before an exclusion that the target's captions have."""
MAX_TAG_WORDS = 5

COMMANDS = frozenset(
    """
    find locate retrieve search look get show play fetch give bring pull list pick select return
    hear listen seek spot identify discover provide grab dig track present share let recover
    collect gather query scan browse surface match filter choose want need
    """.split()
)
QUESTION_OPENERS = frozenset(
    """
    can could do does did is are was were have has will would may might any got what which where
    who how when whose whom should shall am
    """.split()
)
ASKING_WORDS = COMMANDS | frozenset(
    """
    sample samples search file files example examples please me audio sound track tracks take
    capture captures featuring containing contain contains include includes including involving
    available want like need library
    """.split()
)
"""Words of asking, which are no content of a question or a command."""
EXCLUSION = re.compile(
    r"[,;]?\s*\b(?:but|and|with)?\s*\b(without|with no|no|not|except(?: for)?|excluding|minus|"
    r"free of|lacking|but no|in the absence of|instead of|rather than|absent)\b\s*",
    re.IGNORECASE,
)
EXCLUDED_BORDERS = re.compile(r"\s*(?:[,;]|\bor\b|\band\b|\bnor\b|\bwithout\b|\bno\b)\s*", re.I)
LABEL = re.compile(
    r"^\s*(?:query|question|imperative|command|tags?|tagging|keyphrases?|paraphrase|negative|"
    r"answer|output|here (?:is|are))\b[^,]*:",
    re.IGNORECASE,
)
MARKUP = re.compile(r"[\n\r\t{}<>`*_#|\\]|https?:|\[|\]")
CAPTION_TALK = re.compile(r"\b(?:captions?|target clip|hard negative)\b", re.IGNORECASE)
FILE_SUFFIX = re.compile(r"\.(?:wav|flac|mp3|ogg|opus|m4a|aiff?|webm|mp4)\b", re.IGNORECASE)
SHORT_NAME = 4
"""A name of fewer letters may stand in any text by chance."""


@dataclass(frozen=True)
class About:
    """What a query is about: its clip's captions and names, and its hard negative's captions."""

    captions: tuple[str, ...]
    negative_captions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @cached_property
    def contents(self) -> list[dict[str, str]]:
        """The content of each caption: concept -> word."""
        return [content_of(words_of(caption)) for caption in self.captions]

    @cached_property
    def lengths(self) -> list[int]:
        """The words that each caption has."""
        return [len(words_of(caption)) for caption in self.captions]

    @cached_property
    def telling_lengths(self) -> list[int]:
        """The same without small words, adverbs and words that say little."""
        return [
            sum(bool(content_of([word])) and not is_adverb(word) for word in words_of(caption))
            for caption in self.captions
        ]

    @cached_property
    def content(self) -> dict[str, str]:
        """The content of all captions together."""
        return {key: word for each in reversed(self.contents) for key, word in each.items()}

    @cached_property
    def negative_content(self) -> dict[str, str]:
        """The content of the hard negative's captions."""
        return content_of(word for text in self.negative_captions for word in words_of(text))


@dataclass(frozen=True)
class Query:
    """A query as it is checked."""

    text: str
    type: str
    about: About

    @cached_property
    def words(self) -> list[str]:
        return words_of(self.text)

    @cached_property
    def content(self) -> dict[str, str]:
        """Its content words; those of asking are left out where it asks."""
        asks = self.type in (QUESTION, IMPERATIVE, PARAPHRASE)
        kept = [word for word in self.words if not (asks and word in ASKING_WORDS)]
        # "search", said by a caption as well, is content after all.
        said = [word for word in self.words if asks and word in ASKING_WORDS]
        return content_of(kept) | {
            key: word for key, word in content_of(said).items() if key in self.about.content
        }

    @cached_property
    def best_caption(self) -> int | None:
        """Which caption it is measured by, None without any: of those whose content it keeps, the
        nearest in length; where it keeps none, the one that it shares most with.
        """
        numbers = range(len(self.about.captions))
        kept = [number for number in numbers if self.share_kept(number) >= MIN_KEPT]
        if kept:
            return min(kept, key=lambda n: abs(self.about.lengths[n] - len(self.words)))
        return max(numbers, key=self.share_kept, default=None)

    def share_kept(self, number: int) -> float:
        """The share of a caption's content words that the query keeps, 0 to 1."""
        theirs = set(self.about.contents[number])
        return len(theirs & set(self.content)) / len(theirs) if theirs else 1.0

    @cached_property
    def exclusion(self) -> tuple[str, str] | None:
        """What is wanted and what is left out; None where nothing is."""
        found = EXCLUSION.search(self.text)
        if found is None:
            return None
        return self.text[: found.start()].strip(" ,;"), self.text[found.end() :].strip(" ,;.")

    @cached_property
    def excluded_contents(self) -> list[dict[str, str]]:
        """The content of every phrase that is left out."""
        if self.exclusion is None:
            return []
        parts = EXCLUDED_BORDERS.split(self.exclusion[1])
        return [content for part in parts if (content := content_of(words_of(part)))]


Rule = Callable[[Query], str | None]


@dataclass(frozen=True)
class Violation:
    """A rule that a query breaks, and why."""

    rule: str
    reason: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.reason}"


def violations(query: Query) -> list[Violation]:
    """Every rule of its type that a query breaks; an empty list for a good one."""
    if not query.words:
        return [Violation("plain", "it has no words")]
    found = []
    for name, rule in rules_for(query.type).items():
        if reason := rule(query):
            found.append(Violation(name, reason))
    return found


def rules_for(query_type: str) -> dict[str, Rule]:
    """The rules that hold for a type, by name."""
    return {name: rule for name, (types, rule) in RULES.items() if query_type in types}


# --- all types ---


def plain(query: Query) -> str | None:
    """One line of text and nothing else."""
    text = query.text.strip()
    if MARKUP.search(text):
        return "write one line of plain text, without markup or lists"
    if text[0] in "\"'“‘" and text[-1] in "\"'”’":
        return "leave out the quotation marks"
    if LABEL.search(text):
        return "leave out the label in front of it"
    if (said := CAPTION_TALK.search(text)) and said[0].lower() not in query.about.content:
        return f"it speaks of '{said[0]}'; speak of the sound only"
    return None


def no_file_name(query: Query) -> str | None:
    """No name of the clip that its captions do not have, and no suffix of a file."""
    if FILE_SUFFIX.search(query.text):
        return "it has the suffix of a file"
    text = f" {' '.join(query.words)} "
    captions = [f" {' '.join(words_of(caption))} " for caption in query.about.captions]
    for name in query.about.names:
        stem = FILE_SUFFIX.sub("", name.rpartition("/")[2])
        told = " ".join(words_of(stem.replace("_", " ")))
        leaks = f" {told} " in text and not any(f" {told} " in caption for caption in captions)
        verbatim = stem.lower() in query.text.lower() and not stem.isalpha()
        if len(told) >= SHORT_NAME and (leaks or (verbatim and " " not in stem)):
            return f"it has the clip's name, '{stem}'"
    return None


# --- positive types ---


def length(query: Query) -> str | None:
    """Within two words of the caption that fits best.

    Key phrases have no small words: they may be shorter, as short as the caption without its own.
    """
    if query.best_caption is None:
        return "there is no caption to compare it with"
    wanted = query.about.lengths[query.best_caption]
    low, high = max(1, wanted - LENGTH_MARGIN), wanted + LENGTH_MARGIN
    if query.type == TAGGING:
        low = max(1, query.about.telling_lengths[query.best_caption] - LENGTH_MARGIN)
    count = len(query.words)
    if low <= count <= high:
        return None
    return f"it has {count} words; write {low} to {high}"


def new_words(query: Query) -> str | None:
    """No content that the captions do not have; a paraphrase may have a little."""
    foreign = [word for key, word in query.content.items() if key not in query.about.content]
    if not query.content:
        return "it names no sound"
    if len(foreign) / len(query.content) <= MAX_NEW[query.type]:
        return None
    return f"the captions do not say {_listed(foreign)}"


def lost_words(query: Query) -> str | None:
    """At least half of the content words of the caption that fits best."""
    if query.best_caption is None:
        return "there is no caption to compare it with"
    theirs = query.about.contents[query.best_caption]
    lost = [word for key, word in theirs.items() if key not in query.content]
    if query.share_kept(query.best_caption) >= MIN_KEPT:
        return None
    return f"it leaves out {_listed(lost)}"


# --- one type ---


def is_question(query: Query) -> str | None:
    """Ends with "?", starts as a question does, and is one sentence."""
    text = query.text.strip()
    if not text.endswith("?"):
        return "a question ends with '?'"
    if re.search(r"[.!?]\s", text):
        return "ask one question, in one sentence"
    if query.words[0] not in QUESTION_OPENERS:
        return (
            f"no question starts with '{query.words[0]}'; start like 'Can you find' or 'Is there'"
        )
    return None


def is_command(query: Query) -> str | None:
    """Starts with a verb that asks for a sound, perhaps after "please"."""
    if query.text.strip().endswith("?"):
        return "a command does not end with '?'"
    if re.search(r"[.!?]\s", query.text.strip()):
        return "give one command, in one sentence"
    words = query.words[1:] if query.words[:1] == ["please"] else query.words
    if len(words) < 2 or words[0] not in COMMANDS:
        first = words[0] if words else ""
        return f"no command starts with '{first}'; start with a verb like 'Find' or 'Play'"
    return None


def is_key_phrases(query: Query) -> str | None:
    """Phrases of a few words between commas, none of them a clause."""
    if query.text.strip().endswith(("?", "!", ".")):
        return "key phrases have no full stop and no question mark"
    phrases = [words_of(part) for part in query.text.split(",")]
    if not all(phrases):
        return "there is nothing between two commas"
    for words in phrases:
        said = " ".join(words)
        if len(words) > MAX_TAG_WORDS:
            return f"'{said}' is too long for a key phrase; at most {MAX_TAG_WORDS} words"
        if verb := _verb_of_a_clause(words):
            return f"'{said}' has a verb phrase ('{verb}'); write a noun phrase"
    if len({tuple(words) for words in phrases}) < len(phrases):
        return "a phrase comes twice"
    return None


def _verb_of_a_clause(words: Sequence[str]) -> str | None:
    """The word that makes a phrase a clause: a form of "be", a pronoun, a finite verb."""
    clause_words = AUXILIARIES | SUBORDINATORS | RELATIVES | SUBJECT_PRONOUNS
    if small := next((word for word in words if word in clause_words), None):
        # "coins in a can": the last word of a phrase is its noun.
        return small if (small, words[-1]) != ("can", "can") else None
    if words[0] in COMMANDS and words[0] in VERBS and len(words) > 1:
        return words[0]
    return next((word for word in words[1:] if is_only_verb(word)), None)


def is_restated(query: Query) -> str | None:
    """Neither question nor command, and not the words of a caption in their order."""
    if query.text.strip().endswith("?"):
        return "a paraphrase is no question"
    if query.words[0] in COMMANDS and query.words[0] not in query.about.content:
        return "a paraphrase is no command"
    if any(_told(query.words) == _told(words_of(text)) for text in query.about.captions):
        return "it repeats a caption word for word"
    return None


def _told(words: list[str]) -> list[str]:
    return [word for word in words if word not in ("a", "an", "the")]


# --- exclusions ---


def is_exclusion(query: Query) -> str | None:
    """Wants something and leaves something out."""
    if query.exclusion is None:
        return "leave something out, with 'without', 'no', 'not' or 'except'"
    wanted, left_out = query.exclusion
    if not words_of(wanted):
        return "say what is wanted before what is left out"
    if not words_of(left_out):
        return "say what is left out"
    return None


def names_target(query: Query) -> str | None:
    """Most of what is wanted is content of the target."""
    if query.exclusion is None:
        return None
    wanted = content_of(w for w in words_of(query.exclusion[0]) if w not in ASKING_WORDS)
    named = [key for key in wanted if key in query.about.content]
    if named and len(named) / len(wanted) >= MIN_NAMED:
        return None
    foreign = [word for key, word in wanted.items() if key not in query.about.content]
    said = f"; the captions do not say {_listed(foreign)}" if foreign else ""
    return f"before the exclusion, name what the target has{said}"


def excludes(query: Query) -> str | None:
    """Something left out is in the hard negative's captions and not in the target's."""
    if query.exclusion is None:
        return None
    if not query.about.negative_captions:
        return "there is no hard negative whose content it could leave out"
    excluded = {key for content in query.excluded_contents for key in content}
    theirs = set(query.about.negative_content) - set(query.about.content)
    if excluded & theirs:
        return None
    if not theirs:
        return "the hard negative's captions say nothing that the target's do not"
    others = [query.about.negative_content[key] for key in query.about.negative_content
              if key in theirs]  # fmt: skip
    return f"leave out what only the hard negative has: {_listed(others)}"


def spares_target(query: Query) -> str | None:
    """Every phrase that is left out has a word that the target's captions do not have."""
    for content in query.excluded_contents:
        if all(key in query.about.content for key in content):
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


@dataclass
class Seen:
    """The queries of a set, so that none comes twice."""

    _first: dict[tuple[str, ...], str] = field(default_factory=dict)

    def repeats(self, text: str) -> str | None:
        """Where the same words were used already (case and punctuation aside), or None."""
        return self._first.get(self._key(text))

    def add(self, text: str, where: str) -> Violation | None:
        """Note a query; the violation "repeated" where its words are known already."""
        earlier = self.repeats(text)
        if earlier is not None:
            return Violation(
                "repeated", f"the same words as the query of {earlier}; say it differently"
            )
        self._first[self._key(text)] = where
        return None

    def _key(self, text: str) -> tuple[str, ...]:
        return tuple(tokens_of(text.lower()))


def _listed(words: list[str]) -> str:
    shown = ", ".join(f"'{word}'" for word in words[:6])
    return shown + (" ..." if len(words) > 6 else "")
