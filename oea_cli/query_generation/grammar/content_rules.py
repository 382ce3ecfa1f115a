"""Rules of content: a query compared with the captions of its clip and its hard negative.

A rule takes a candidate and returns what is wrong, in words that a writer can act on, or None.
"""

from collections.abc import Mapping

from oea_cli.clips.query_types import IMPERATIVE, PARAPHRASE, QUESTION, TAGGING
from oea_cli.query_generation.grammar.candidates import (
    LENGTH_MARGIN,
    MIN_KEPT,
    Candidate,
    asking_words,
)
from oea_cli.query_generation.grammar.words import content_of, words_of

MAX_NEW = {QUESTION: 0.0, IMPERATIVE: 0.0, TAGGING: 0.0, PARAPHRASE: 1 / 3}
"""Share of a query's content words that no caption may have; synonyms count as the same word."""
MIN_NAMED = 0.5
"""Share of the content words before an exclusion that the target's captions have."""
MAX_LISTED = 6


# --- positive types ---


def length(candidate: Candidate) -> str | None:
    """Within two words of the caption that fits best.

    Key phrases have no small words: they may be shorter, as short as the caption without its own.
    """
    if candidate.best_caption is None:
        return "there is no caption to compare it with"
    target = candidate.about.lengths[candidate.best_caption]
    low, high = max(1, target - LENGTH_MARGIN), target + LENGTH_MARGIN
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


# --- exclusions ---


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


def _listed(words: list[str]) -> str:
    listed = ", ".join(f"'{word}'" for word in words[:MAX_LISTED])
    return listed + (" ..." if len(words) > MAX_LISTED else "")
