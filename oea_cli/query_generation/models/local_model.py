"""Queries from a language model on this machine: a folder, or a name on the Hugging Face hub."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oea_cli.query_generation.models.answers import Answer
from oea_cli.query_generation.models.prompts import Message
from oea_cli.query_generation.models.writers import WriterError, plain_text

if TYPE_CHECKING:
    from oea_cli.query_generation.models.text_generation import TextGenerator

MAX_NEW_TOKENS = 60


class LocalWriter:
    """A causal language model, with greedy decoding: the same conversation gives the same query."""

    max_workers = 1
    server = ""

    def __init__(self, name: str, device: str) -> None:
        """`name` is a model's id or folder; it is loaded at its first call."""
        self.name = name
        self._device = device
        self._model: TextGenerator | None = None

    def open(self) -> None:
        """Nothing: the model is loaded at its first call."""

    def request(self, messages: Sequence[Message]) -> dict[str, Any]:
        """All that decides the answer."""
        return {"model": self.name, "messages": list(messages), "max_new_tokens": MAX_NEW_TOKENS}

    def answer(self, request: dict[str, Any]) -> Answer:
        """The first line of what the model writes.

        Raises OeaError where it cannot be loaded, WriterError where it writes nothing.
        """
        if self._model is None:
            from oea_cli.query_generation.models.text_generation import load_text_generator

            self._model = load_text_generator(self.name, self._device)
        answer = self._model.answer(request["messages"], request["max_new_tokens"])
        text = plain_text(answer.text)
        if not text:
            raise WriterError(f"hf:{self.name}: the answer is empty", answer)
        return replace(answer, text=plain_text(text.splitlines()[0]))
