"""The writers of queries: a grammar, a server, a local model; and which query each one writes."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from oea_cli.query_generation.models.answers import Answer
from oea_cli.query_generation.models.prompts import Message
from oea_cli.query_generation.tasks import Task

RULES_NAME = "rules"


class WriterError(Exception):
    """One query failed: the server failed, or its answer cannot be read. `paid` is an answer that
    says nothing, with the tokens that it took all the same."""

    def __init__(self, reason: str, paid: Answer | None = None) -> None:
        super().__init__(reason)
        self.paid = paid


class WriterStoppedError(Exception):
    """All further queries would fail: the key is refused, the model unknown."""


class ModelWriter(Protocol):
    """A model that answers a conversation; `server` is where, empty for this machine."""

    name: str
    server: str
    max_workers: int

    def open(self) -> None:
        """Make ready for calls, before the first; raises OeaError where something is missing."""

    def request(self, messages: Sequence[Message]) -> dict[str, Any]:
        """All that decides the answer: model, messages and settings."""

    def answer(self, request: dict[str, Any]) -> Answer:
        """The model's answer; raises WriterError or WriterStoppedError."""


@dataclass(frozen=True, slots=True)
class WriterAssignment:
    """Assigns tasks to writers evenly: a task has the same writer in every run.

    A writer that is named twice gets two shares.
    """

    names: Sequence[str]
    seed: int

    def writer_of(self, task: Task) -> str:
        """The name of the writer of a task."""
        digest = hashlib.sha256(f"{self.seed}/{task.id}".encode()).digest()
        return self.names[int.from_bytes(digest[:8], "big") % len(self.names)]


_THOUGHTS = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[\w-]*\n(.*?)\n?```", re.DOTALL)
_LABEL = re.compile(r"(?:search )?query:\s*", re.IGNORECASE)
_MARKS = (("**", "**"), ("`", "`"), ('"', '"'), ("'", "'"), ("\u201c", "\u201d"))


def plain_text(content: str) -> str:
    """A model's answer without what models put before and around one: thoughts, a code fence, a
    label, quotation marks. Empty where nothing else is left."""
    text = _THOUGHTS.sub("", content)
    # Where the prompt opened the thoughts, the answer only closes them.
    text = text.rpartition("</think>")[2].strip()
    if fenced := _FENCE.fullmatch(text):
        text = fenced[1].strip()
    text = _only_text(text)
    text = text[label.end() :] if (label := _LABEL.match(text)) else text
    for first, last in _MARKS:
        inside = text[len(first) : -len(last)]
        if text.startswith(first) and text.endswith(last) and inside and first not in inside:
            text = inside.strip()
    return text


def _only_text(text: str) -> str:
    """The text of a JSON object that holds nothing else; any other text as it is."""
    if not text.startswith("{"):
        return text
    try:
        values = list(orjson.loads(text).values())
    except orjson.JSONDecodeError:
        return text
    return values[0].strip() if len(values) == 1 and isinstance(values[0], str) else text
