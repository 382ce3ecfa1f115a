"""A real HTTP server with OpenAI's embeddings interface, for tests: it also fails, waits and lies.

What it does is chosen by the model's name.
"""

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.encoder.omni.prompts import PAD_TOKEN

DIM = 16


class EmbeddingsServer(ThreadingHTTPServer):
    """Counts what it is asked; `backbone` serves an encoder's pooled vectors as `tiny-omni`."""

    daemon_threads = True

    def __init__(self, backbone: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.backbone = load_encoder(str(backbone), device="cpu") if backbone else None
        self.lock = threading.Lock()
        self.keys: set[str] = set()
        self.bodies: list[dict[str, Any]] = []
        self.tries: Counter[str] = Counter()
        self.now = self.most_at_once = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: EmbeddingsServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        content = self.rfile.read(int(self.headers["Content-Length"]))
        with server.lock:
            server.now += 1
            server.most_at_once = max(server.most_at_once, server.now)
            server.keys.add(self.headers.get("Authorization", ""))
            server.bodies.append(json.loads(content))
            server.tries[content.decode()] += 1
            tries = server.tries[content.decode()]
        try:
            self.embed(json.loads(content), tries)
        finally:
            with server.lock:
                server.now -= 1

    def embed(self, body: dict[str, Any], tries: int) -> None:
        model = body["model"]
        if self.path != "/v1/embeddings":
            return self.answer(404, b"<html>no such page</html>")
        if model == "flaky" and tries == 1 and not body["input"][0].endswith("?"):
            return self.answer(429, b'{"error": {"message": "slow down"}}', {"Retry-After": "1"})
        if model == "down":
            return self.answer(
                500, b'{"error": {"message": "out of memory"}}', {"Retry-After": ".01"}
            )
        if model == "locked":
            key = self.headers["Authorization"].removeprefix("Bearer ")
            message = f"Incorrect API key provided: {key}"
            return self.answer(401, json.dumps({"error": {"message": message}}).encode())
        if model == "elsewhere":
            return self.answer(307, b"", {"Location": "http://127.0.0.1:9/v1/embeddings"})
        if model == "html":
            return self.answer(200, b"<html>hello</html>")
        if model == "strange":
            return self.answer(200, b'{"data": [1, 2]}')
        if model == "slow":
            time.sleep(0.2)
        vectors = self.vectors(body)
        if vectors is None:
            message = json.dumps({"error": {"message": f"The model `{model}` does not exist."}})
            return self.answer(404, message.encode())
        rows = [
            {"index": i, "embedding": encoded(row, body["encoding_format"])}
            for i, row in enumerate(vectors)
        ]
        if model == "few":
            rows = rows[:-1]
        # Out of order, as the interface allows.
        return self.answer(200, json.dumps({"data": rows[::-1]}).encode())

    def vectors(self, body: dict[str, Any]) -> np.ndarray | None:
        model = body["model"]
        if model == "tiny-omni":
            assert self.server.backbone is not None
            return pooled(self.server.backbone, body["messages"])
        if model not in {"words", "flaky", "slow", "nan", "grows", "few", "sounds"}:
            return None
        if "messages" in body:
            return vector_of(json.dumps(body["messages"]))[None]
        rows = np.stack([vector_of(text) for text in body["input"]])
        if model == "nan":
            rows[[text == "bad" for text in body["input"]]] = np.nan
        if model == "grows" and not body["input"][0].endswith("?"):
            rows = np.hstack([rows, rows])
        return rows[:, : body.get("dimensions")]

    def answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        kind = "text/html" if content.startswith(b"<") else "application/json"
        for name, value in {
            "Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})
        }.items():  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(backbone: Path | None = None) -> Iterator[EmbeddingsServer]:
    server = EmbeddingsServer(backbone)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def vector_of(text: str) -> np.ndarray:
    """A vector that only this text has, not of unit length."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
    return np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)


def encoded(row: np.ndarray, kind: str) -> str | list[float]:
    return base64.b64encode(row.tobytes()).decode() if kind == "base64" else row.tolist()


def pooled(encoder: Any, messages: list[dict[str, Any]]) -> np.ndarray:
    """What a pooling server answers: the normalised mean vector (1, hidden) of a chat."""
    import torch

    assert isinstance(encoder, OmniEncoder)
    system, user = messages
    content, front_end = user["content"], encoder.front_end
    assert system == {"role": "system", "content": front_end.settings.system_prompt}
    if isinstance(content, str):
        prompt = front_end.settings.text_prompt
        assert content.startswith(prompt)
        inputs = front_end.text_inputs([content.removeprefix(prompt)])
    else:
        (part,) = content
        wav = base64.b64decode(part["input_audio"]["data"])
        samples, rate = soundfile.read(BytesIO(wav), dtype="float32")
        assert rate == encoder.sample_rate and part["input_audio"]["format"] == "wav"
        inputs = front_end.audio_inputs([samples])
    assert PAD_TOKEN not in str(content)
    with torch.inference_mode():
        vectors = encoder.model.pool(inputs).numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
