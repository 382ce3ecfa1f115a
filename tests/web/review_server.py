"""`oea review` as a process of its own, and browsers that are nothing but HTTP requests."""

import http.client
import json
import queue
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import clean_environment

LINK = re.compile(r"http://\S+")


class ReviewServer:
    """The running program; `links` are those it has printed, each good for one browser."""

    def __init__(
        self, *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None
    ) -> None:
        """`env` sets a screen and a browser; without it none is opened."""
        option = [] if env else ["--no-browser"]
        command = [sys.executable, "-m", "oea_cli", "review", *option, *map(str, arguments)]
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**clean_environment(), "TMPDIR": str(cwd), **(env or {})},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.said: list[str] = []
        self._links: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.first_link = self.next_link()
        self.port = urlsplit(self.first_link).port or 0
        self.pid = self._process.pid

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said.append(line)
            if found := LINK.search(line):
                self._links.put(found[0])
        self._links.put(None)

    def next_link(self) -> str:
        """The next link that is printed."""
        link = self._links.get(timeout=60)
        assert link is not None, "".join(self.said)
        return link

    def stop(self, how: int = signal.SIGINT) -> int:
        """End it as Ctrl-C does, or by another signal; returns the exit code."""
        self._process.send_signal(how)
        code = self._process.wait(timeout=30)
        self._reader.join()
        assert self._process.stdout is not None
        assert self._process.stdout.read() == ""
        self._process.stdout.close()
        assert self._process.stderr is not None
        self._process.stderr.close()
        return code

    def __enter__(self) -> "ReviewServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.stop()


class Answer:
    """Status, headers and content of one response."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers = response.status, response.headers
        self.content = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Browser:
    """A cookie and nothing else; paths are sent exactly as they are given."""

    def __init__(self, server: ReviewServer, link: str | None = None) -> None:
        self.port, self.cookie = server.port, ""
        if link is not None:
            parts = urlsplit(link)
            answer = self.get(f"{parts.path}?{parts.query}")
            assert answer.status == 200, answer.content
            self.set_cookie = answer.headers["Set-Cookie"]
            self.cookie = self.set_cookie.partition(";")[0]

    def get(self, path: str, **headers: str) -> Answer:
        """GET a path; header names with _ for -."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """POST JSON as the page does, from the page's own origin."""
        own = {"Origin": f"http://127.0.0.1:{self.port}", "Content_Type": "application/json"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask("POST", path, content, {**own, **headers})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            sent.setdefault("Cookie", self.cookie)
        try:
            connection.request(method, path, body, sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text().splitlines()]
