"""The writers of queries: a grammar, a server, a local model; and which query each one writes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from oea_cli.query_generation.models.answers import Answer
from oea_cli.query_generation.models.prompts import Message
from oea_cli.query_generation.tasks import Task

RULES_NAME = "rules"


class WriterError(Exception):
    """One query failed: the server failed, or its answer cannot be read."""


class WriterStoppedError(Exception):
    """All further queries would fail: the key is refused, the model unknown."""


class ModelWriter(Protocol):
    """A model that answers a conversation."""

    name: str
    max_workers: int

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


def plain_text(content: str) -> str:
    """A model's answer without what models put around one: white space, quotation marks."""
    text = content.strip()
    if len(text) > 1 and text[0] in "\"“'" and text[-1] in "\"”'" and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text
