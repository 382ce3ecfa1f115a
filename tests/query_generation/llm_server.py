"""A real server of OpenAI's chat protocol on 127.0.0.1: answers, fails, stalls and dies as told.

It counts what it is asked, by question: the proof that nothing is paid twice.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Answer = Callable[[str, int], "Reply"]
"""What to say to a question, the how-manieth time it is asked."""


@dataclass
class Reply:
    """A status, a text, and what goes wrong with it."""

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    body: bytes | None = None
    cut_at: int | None = None


@dataclass
class Service:
    """A running server: where it is, what it was asked, when, and by which key."""

    address: str
    asked: Counter[str]
    answered: Counter[str]
    times: list[float]
    bodies: list[dict[str, Any]]
    keys: set[str]
    busiest: list[int]
    stop: Callable[[], None]


@contextmanager
def llm_server(answer: Answer, address: str | None = None) -> Iterator[Service]:
    """Serve `answer` on a free port, or where an earlier server was."""
    lock = threading.Lock()
    busy = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            nonlocal busy
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            question = json.dumps(body["messages"])
            with lock:
                busy += 1
                service.busiest.append(busy)
                service.asked[question] += 1
                service.times.append(time.monotonic())
                service.bodies.append(body)
                service.keys.add(self.headers.get("authorization", ""))
                reply = answer(question, service.asked[question])
            try:
                self.send(reply, question)
            finally:
                with lock:
                    busy -= 1

        def send(self, reply: Reply, question: str) -> None:
            time.sleep(reply.seconds)
            content = reply.body if reply.body is not None else completion(reply)
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: reply.cut_at])
            self.wfile.flush()
            if reply.cut_at is not None:
                self.close_connection = True
            elif reply.status == 200 and reply.body is None:
                service.answered[question] += 1

    port = 0 if address is None else urlsplit(address).port or 0
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    down = threading.Event()

    def stop() -> None:
        if not down.is_set():
            down.set()
            server.shutdown()
            server.server_close()

    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    service = Service(address, Counter(), Counter(), [], [], set(), [], stop)
    try:
        yield service
    finally:
        stop()
        thread.join()


def completion(reply: Reply) -> bytes:
    """The body of an answer, or of an error."""
    if reply.status != 200:
        return json.dumps({"error": {"message": reply.text or "no"}}).encode()
    message = {"role": "assistant", "content": reply.text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice],
         "usage": usage}
    ).encode()  # fmt: skip
