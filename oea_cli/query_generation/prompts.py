"""What a model is asked: one query, of one clip, by rules that it is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from oea_cli.clips.query_types import IMPERATIVE, NEGATIVE, PARAPHRASE, QUESTION, TAGGING
from oea_cli.query_generation.grammar import by_agreement, excludable
from oea_cli.query_generation.rules import LENGTH_MARGIN, MAX_TAG_WORDS, Violation
from oea_cli.query_generation.tasks import Task
from oea_cli.query_generation.words import words_of

Message = dict[str, str]

SYSTEM = (
    "You write search queries that people would type to find a sound recording. You are given "
    "captions of one recording. Use the words of the captions and add no sound that they do not "
    "name. Never mention captions, files or names. Answer with the query alone: one line, no "
    "quotation marks, no explanation."
)
WANTED = {
    QUESTION: "Write a question that asks for this recording, such as 'Can you find ...?' or "
    "'Is there a recording of ...?'. It ends with a question mark.",
    IMPERATIVE: "Write a command that asks for this recording. It starts with a verb, such as "
    "'Find', 'Locate' or 'Play'.",
    TAGGING: "Write key phrases for this recording: short noun phrases between commas, such as "
    "'dog barking, heavy rain, metal roof'. No phrase is a sentence or longer than "
    f"{MAX_TAG_WORDS} words.",
    PARAPHRASE: "Say the first caption differently, as a statement: change its order or its "
    "grammar, keep its words where you can.",
    NEGATIVE: "Write a query that describes this recording and leaves out what only another, "
    "similar recording has, such as '..., without ...' or '... but no ...'. Leave out nothing that "
    "this recording has.",
}


@dataclass(frozen=True)
class Attempt:
    """A query that was handed in, and the rules that it breaks."""

    text: str
    violations: Sequence[Violation]


def messages_for(task: Task, attempts: Sequence[Attempt]) -> list[Message]:
    """The conversation up to the next query: the task, then each attempt and what is wrong."""
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": _task(task)},
    ]
    for attempt in attempts:
        reasons = "; ".join(violation.reason for violation in attempt.violations)
        messages += [
            {"role": "assistant", "content": attempt.text},
            {"role": "user", "content": f"Not yet: {reasons}. Write it again, the query alone."},
        ]
    return messages


def _task(task: Task) -> str:
    about = task.about
    captions = by_agreement(about) or list(about.captions)
    lines = ["Captions of the recording:", *(f"- {caption}" for caption in captions)]
    if task.type == NEGATIVE:
        lines += ["Captions of the other recording:"]
        lines += [f"- {caption}" for caption in about.negative_captions]
        only = ", ".join(str(phrase) for phrase in excludable(about)[:6])
        lines += [f"Only the other recording has: {only}"] if only else []
        return "\n".join([*lines, WANTED[task.type]])
    count = len(words_of(captions[0]))
    low, high = max(2, count - LENGTH_MARGIN), count + LENGTH_MARGIN
    return "\n".join([*lines, WANTED[task.type], f"Use {low} to {high} words."])
