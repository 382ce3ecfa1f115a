"""Queries from a server that speaks OpenAI's protocol: hosted, or vLLM, llama.cpp, Ollama.

The `openai` client repeats what may succeed later (429, 408, 409, 5xx, a lost connection, a
timeout), waits as long as the server's Retry-After says (up to two minutes), and otherwise twice
as long each time.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oea_cli.errors import OeaError
from oea_cli.query_generation.models.answers import Answer
from oea_cli.query_generation.models.prompts import Message
from oea_cli.query_generation.models.writers import WriterError, WriterStoppedError, plain_text
from oea_cli.records.secrets import key_from, redacted

if TYPE_CHECKING:
    from openai import OpenAI

KEY_VARIABLES = ("OEA_LLM_KEY", "OPENAI_API_KEY")
MAX_TOKENS = 500
"""A query takes 30; the rest is for models that think first. It bounds what a call can cost."""


class EndpointWriter:
    """A model behind an address such as http://localhost:8000/v1."""

    def __init__(
        self, address: str, model: str, *, workers: int, timeout: float, retries: int, seed: int
    ) -> None:
        """Remember the server; the client is made by `open`."""
        self.name = model
        self.server = server_of(address)
        self.max_workers = workers
        self._address = address
        self._seed = seed
        self._timeout, self._retries = timeout, retries
        self._client: OpenAI | None = None

    def open(self) -> None:
        """Make the client; sends nothing yet. Raises OeaError where openai is not installed."""
        self._opened()

    def _opened(self) -> "OpenAI":
        if self._client is None:
            self._client = _client(self._address, self._timeout, self._retries)
        return self._client

    def request(self, messages: Sequence[Message]) -> dict[str, Any]:
        """The body of the request."""
        return {
            "model": self.name,
            "messages": list(messages),
            "max_completion_tokens": MAX_TOKENS,
            "seed": self._seed,
        }

    def answer(self, request: dict[str, Any]) -> Answer:
        """Call the server; the client repeats what may succeed later, this method bad JSON."""
        for _ in range(self._retries):
            try:
                return self._call(request)
            except ValueError:
                continue
        try:
            return self._call(request)
        except ValueError as error:
            raise WriterError(f"{self._address}: the answer is not JSON") from error

    def _call(self, request: dict[str, Any]) -> Answer:
        import openai

        from oea_cli.encoder.others.openai_client import is_timeout, message_of

        try:
            reply = self._opened().chat.completions.create(**request)
        except (
            openai.AuthenticationError,
            openai.PermissionDeniedError,
            openai.NotFoundError,
            openai.BadRequestError,
        ) as error:
            raise WriterStoppedError(f"{self._address}: {message_of(error)}") from error
        except openai.APIConnectionError as error:
            if is_timeout(error):
                raise WriterError(f"{self._address}: no answer in time") from error
            reason = message_of(error.__cause__ or error)
            raise WriterError(f"{self._address}: no connection ({reason})") from error
        except openai.OpenAIError as error:
            raise WriterError(f"{self._address}: {message_of(error)}") from error
        answer = _read(reply)
        if not answer.text:
            raise WriterError(f"{self._address}: {_emptiness(reply.choices[0])}", answer)
        return answer


def _read(reply: Any) -> Answer:
    """The answer in a reply, which may be empty; raises ValueError where there is no message."""
    try:
        text = reply.choices[0].message.content
    except (AttributeError, IndexError, TypeError) as error:
        raise ValueError("no message in it") from error
    usage = reply.usage  # some servers do not count tokens
    tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    # A server may answer with the request it got, its key included.
    plain = redacted(plain_text(text)) if isinstance(text, str) else ""
    return Answer(plain, tokens[0] or 0, tokens[1] or 0)


def _emptiness(choice: Any) -> str:
    """What an answer without text holds instead."""
    message = choice.message
    thoughts = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
    text = message.content if isinstance(message.content, str) else ""
    if choice.finish_reason == "length":
        return f"the answer is empty: its {MAX_TOKENS} tokens went into thinking"
    if thoughts or text.strip():
        return "the answer is empty: the model only thought"
    return "the answer is empty"


def server_of(address: str) -> str:
    """Which server an address means: without the password and the key that it may hold."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _client(address: str, timeout: float, retries: int) -> "OpenAI":
    try:
        from oea_cli.encoder.others.openai_client import check_address, open_client
    except ImportError as error:
        raise OeaError(f"{address}: needs openai; pip install 'oea[llm]'") from error
    check_address(address, KEY_VARIABLES[0])
    return open_client(address, key_from(*KEY_VARIABLES), timeout=timeout, retries=retries)
