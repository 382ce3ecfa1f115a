"""The prompts for a model: one query for one clip, with the rules for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from oea_cli.clips.query_types import NEGATIVE
from oea_cli.query_generation.grammar.agreement import by_agreement
from oea_cli.query_generation.grammar.candidates import LENGTH_MARGIN
from oea_cli.query_generation.grammar.exclusions import excludable
from oea_cli.query_generation.grammar.form_rules import MAX_TAG_WORDS
from oea_cli.query_generation.grammar.rules import Violation
from oea_cli.query_generation.grammar.word_lists import read_toml
from oea_cli.query_generation.grammar.words import words_of
from oea_cli.query_generation.tasks import Task

TEXTS = Path(__file__).with_name("prompts.toml")
MAX_EXCLUDABLE = 6

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A text from a writer, and the rules that it breaks."""

    text: str
    violations: Sequence[Violation]


@cache
def prompts() -> Mapping[str, str]:
    """The texts of `prompts.toml`, by name, each in one line."""
    return {name: " ".join(text.split()) for name, text in read_toml(TEXTS).items()}


def messages_for(task: Task, attempts: Sequence[Attempt]) -> list[Message]:
    """The conversation up to the next query: the task, then each attempt and what is wrong."""
    messages = [
        {"role": "system", "content": prompts()["system"]},
        {"role": "user", "content": _first_message(task)},
    ]
    for attempt in attempts:
        reasons = "; ".join(violation.reason for violation in attempt.violations)
        messages += [
            {"role": "assistant", "content": attempt.text},
            {"role": "user", "content": prompts()["again"].format(reasons=reasons)},
        ]
    return messages


def _first_message(task: Task) -> str:
    captions = by_agreement(task.about) or list(task.about.captions)
    lines = ["Captions of the recording:", *(f"- {caption}" for caption in captions)]
    request = prompts()[task.type].format(max_tag_words=MAX_TAG_WORDS)
    if task.type == NEGATIVE:
        return "\n".join([*lines, *_other_recording(task), request])
    num_words = len(words_of(captions[0]))
    low, high = max(2, num_words - LENGTH_MARGIN), num_words + LENGTH_MARGIN
    return "\n".join([*lines, request, f"Use {low} to {high} words."])


def _other_recording(task: Task) -> list[str]:
    lines = ["Captions of the other recording:"]
    lines += [f"- {caption}" for caption in task.about.negative_captions]
    only = ", ".join(map(str, excludable(task.about)[:MAX_EXCLUDABLE]))
    return [*lines, f"Only the other recording has: {only}"] if only else lines
