"""One model on a server with OpenAI's embeddings interface, asked through the openai client.

The key in OEA_API_KEY or OPENAI_API_KEY goes to the address given, and nowhere else: it is in no
name, no artefact and no message, and redirections are not followed.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from oea_cli.encoder.omni.settings import prompted
from oea_cli.errors import OeaError
from oea_cli.records.secrets import key_from, redacted

TEXTS_PER_REQUEST = 64
RETRIES = 5  # the client waits as long as Retry-After says, else twice as long each time
TIMEOUT = 120.0  # seconds for an answer

Content = str | list[dict[str, Any]]


@dataclass(frozen=True)
class RequestStyle:
    """How texts and sounds are sent to a server."""

    texts: str = "input"
    audio: str = "none"
    encoding: str = "base64"
    wav: str = "float"
    system_prompt: str | None = None  # None leaves it to the server's chat template
    dimensions: int | None = None


class Endpoint:
    """One model on one server, asked through the openai client."""

    def __init__(self, address: str, model: str, style: RequestStyle) -> None:
        import openai

        from oea_cli.encoder.others import openai_client

        self.address, self.model, self.style = address, model, style
        self._key = key_from("OEA_API_KEY", "OPENAI_API_KEY")
        self._openai, self._message = openai, openai_client.message_of
        self._is_timeout = openai_client.is_timeout
        self._client = openai_client.open_client(
            address, self._key, timeout=TIMEOUT, retries=RETRIES
        )

    def probe(self, text: str) -> np.ndarray:
        """(1, d), the vector of a text; waits for a busy server, not for one that is down."""
        try:
            return self._rows(
                [self._text_request([text])], 1, self._client.with_options(max_retries=0)
            )
        except OeaError as error:
            busy = self._openai.RateLimitError, self._openai.InternalServerError
            if not isinstance(error.__cause__, busy):
                raise
        return self._rows([self._text_request([text])], 1)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) of n texts, prompted already."""
        if self.style.texts == "messages":
            return self._rows([self._chat(text) for text in texts], len(texts))
        parts = range(0, len(texts), TEXTS_PER_REQUEST)
        requests = [self._text_request(texts[i : i + TEXTS_PER_REQUEST]) for i in parts]
        return self._rows(requests, len(texts))

    def sounds(self, wavs: Sequence[bytes], prompt: str) -> np.ndarray:
        """(n, d) of n sounds, each one a WAV file."""
        return self._rows([self._chat(_audio_content(wav, prompt)) for wav in wavs], len(wavs))

    def _rows(self, requests: list[dict[str, Any]], count: int, client: Any = None) -> np.ndarray:
        rows = [row for request in requests for row in self._ask(client or self._client, request)]
        if len(rows) != count:
            raise OeaError(f"{self.address}: sent {len(rows)} vectors for {count} inputs")
        if len({len(row) for row in rows}) > 1:
            raise OeaError(f"{self.address}: sent vectors of different lengths")
        return np.stack(rows)

    def _text_request(self, texts: Sequence[str]) -> dict[str, Any]:
        if self.style.texts == "messages":
            return self._chat(texts[0])
        return {"input": list(texts)}

    def _chat(self, content: Content) -> dict[str, Any]:
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if self.style.system_prompt is not None:
            messages.insert(0, {"role": "system", "content": self.style.system_prompt})
        return {"messages": messages}

    def _ask(self, client: Any, request: dict[str, Any]) -> list[np.ndarray]:
        body = {"model": self.model, "encoding_format": self.style.encoding, **request}
        if self.style.dimensions:
            body["dimensions"] = self.style.dimensions
        try:
            answer = client.post("/embeddings", cast_to=str, body=body)
        except self._openai.OpenAIError as error:
            raise OeaError(f"{self.address}: {self._reason(error)}") from error
        try:
            data = json.loads(answer)["data"]
            return [_vector(item["embedding"]) for item in sorted(data, key=_index)]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise OeaError(
                f"{self.address}: the answer contains no embeddings; is it the address of an "
                "OpenAI-compatible server, which mostly ends in /v1?"
            ) from error

    def _reason(self, error: Exception) -> str:
        """What went wrong, in one line, without the key."""
        kinds = self._openai
        if isinstance(error, kinds.AuthenticationError | kinds.PermissionDeniedError):
            status = error.status_code
            return (
                f"refuses the key ({status})"
                if self._key
                else (f"needs a key ({status}); set OEA_API_KEY or OPENAI_API_KEY")
            )
        if self._is_timeout(error):
            return f"no answer within {TIMEOUT:.0f} s"
        if isinstance(error, kinds.APIConnectionError):
            return f"cannot be reached ({self._message(error.__cause__ or error)})"
        if not isinstance(error, kinds.APIStatusError):
            return self._message(error)
        if 300 <= error.status_code < 400:
            target = redacted(error.response.headers.get("location", "elsewhere"))
            return f"redirects to {target}, which is not followed; give that address yourself"
        if isinstance(error, kinds.NotFoundError):
            return f"has no model '{self.model}', or no such address (404: {self._message(error)})"
        return f"answered {error.status_code}: {self._message(error)}"


def _audio_content(wav: bytes, prompt: str) -> list[dict[str, Any]]:
    encoded = {"data": base64.b64encode(wav).decode(), "format": "wav"}
    sound = {"type": "input_audio", "input_audio": encoded}
    before, _, after = prompted(prompt, "\0").partition("\0")
    around = [{"type": "text", "text": text} if text else None for text in (before, after)]
    return [part for part in (around[0], sound, around[1]) if part]


def _vector(embedding: Any) -> np.ndarray:
    """A list of numbers, or the bytes of little-endian float32 in base64."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4")
    vector = np.asarray(embedding, np.float64)  # null becomes NaN
    if vector.ndim != 1 or not len(vector):
        raise ValueError("not a vector")
    return vector


def _index(item: dict[str, Any]) -> int:
    return int(item.get("index", 0))
