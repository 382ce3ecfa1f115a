"""Rules of form: what a query of each type looks like, whatever its clip sounds like.

A rule takes a candidate and returns what is wrong, in words that a writer can act on, or None.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from oea_cli.query_generation.grammar.candidates import Candidate, asking_words
from oea_cli.query_generation.grammar.lexicon import Words, lexicon
from oea_cli.query_generation.grammar.parts_of_speech import is_only_verb
from oea_cli.query_generation.grammar.words import words_of

MAX_TAG_WORDS = 5

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
    if small := next((word for word in words if word in _words_of_clauses()), None):
        # "coins in a can": the last word of a phrase is its noun.
        return small if (small, words[-1]) != ("can", "can") else None
    is_command_verb = words[0] in asking_words().command_verbs and words[0] in english.verbs
    if is_command_verb and len(words) > 1:
        return words[0]
    return next((word for word in words[1:] if is_only_verb(word)), None)


@cache
def _words_of_clauses() -> Words:
    english = lexicon()
    of_clauses = english.auxiliaries | english.subordinators | english.relatives
    return of_clauses | english.subject_pronouns


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
