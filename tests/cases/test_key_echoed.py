"""A server that repeats the request makes no key appear on stderr, in a file, or in an answer."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from oea_cli.encoder.loading import load_encoder
from oea_cli.errors import OeaError
from tests.commands.in_process import run

KEY = "sk-SECRET/with+signs=1"
Echo = Callable[[str], str]
ECHOES: dict[str, Echo] = {
    "as it is": str,
    "percent-encoded": lambda header: quote(header, safe=""),
    "in base64": lambda header: base64.b64encode(f"x{header}yz".encode()).decode(),
    "over lines": lambda header: "\n".join(header[i : i + 5] for i in range(0, len(header), 5)),
}


@contextmanager
def echoing(echo: Echo, status: int) -> Iterator[str]:
    """A server that answers with what it was sent: as an error, or (200) as the model's words."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = f"you sent {echo(str(self.headers['Authorization']))}"
            message = {"role": "assistant", "content": said}
            body = (
                {"error": {"message": said}}
                if status != 200
                else {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            )
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()


def no_part_of_the_key(text: str) -> None:
    forms = (KEY, quote(KEY, safe=""), "SECRET", base64.b64encode(KEY.encode()).decode()[4:-4])
    flat = "".join(text.split()).replace("\\n", "")
    assert not [form for form in forms if form in flat], text


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("status", [401, 200])
def test_a_server_of_queries(echo: Echo, status: int, tmp_path: Path) -> None:
    (tmp_path / "clips.jsonl").write_text('{"id":"a","captions":["a dog barks"]}\n')
    words = ["gen-queries", "clips.jsonl", "-t", "question", "--llm-model", "m", "-v"]
    words += ["--errors", "e.jsonl", "--rejects", "r.jsonl", "-o", "out.jsonl", "--ask-again", "0"]
    with echoing(echo, status) as address:
        done = run([*words, "--llm", address], cwd=tmp_path, env={"OEA_LLM_KEY": KEY})
    assert done.returncode == 1
    said = done.stderr if status == 401 else (tmp_path / "out.jsonl.answers.jsonl").read_text()
    assert "you sent" in said
    no_part_of_the_key(done.stdout + done.stderr)
    for path in tmp_path.iterdir():
        no_part_of_the_key(path.read_text())


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_server_of_vectors(echo: Echo, tmp_path: Path) -> None:
    with echoing(echo, 400) as address:
        words = ["embed", "--text", "x", "-m", f"{address}?model=m", "-o", "x.npy", "-v"]
        done = run(words, cwd=tmp_path, env={"OEA_API_KEY": KEY})
    assert done.returncode == 1 and "you sent" in done.stderr
    no_part_of_the_key(done.stderr)


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_an_error_in_python(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever catches it may log it: nothing else hides the key there."""
    monkeypatch.setenv("OEA_API_KEY", KEY)
    with echoing(echo, 400) as address, pytest.raises(OeaError, match="you sent") as caught:
        load_encoder(f"{address}?model=m")
    no_part_of_the_key(str(caught.value))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["gen-queries", "c.jsonl", "--llm-model", "m", "--llm", "http://me:SECRET@host/v1"], 2),
        (["gen-queries", "c.jsonl", "--llm-model", "m", "--llm", "http://h/v1?api_key=SECRET"], 2),
        (["embed", "--text", "x", "-m", "http://me:SECRET@host/v1?model=m"], 2),
        (["embed", "--text", "x", "-m", "http://host/v1?model=m&api_key=SECRET"], 2),
    ],
)
def test_a_password_in_an_address(words: list[str], code: int, tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"id":"a","captions":["a dog barks"]}\n')
    done = run([*words, "-v", "--errors", "e.jsonl"], cwd=tmp_path)
    assert done.returncode == code
    no_part_of_the_key(done.stdout + done.stderr)
    for path in tmp_path.glob("e.jsonl"):
        no_part_of_the_key(path.read_text())


def test_a_server_that_only_holds_the_connection_ends_by_time(tmp_path: Path) -> None:
    import socket

    (tmp_path / "c.jsonl").write_text('{"id":"a","captions":["a dog barks"]}\n')
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        words = ["gen-queries", "c.jsonl", "-t", "question", "--llm", address, "--llm-model", "m"]
        done = run([*words, "--timeout", "0.3", "--retries", "0"], cwd=tmp_path)
    assert done.returncode == 1 and "no answer in time" in done.stderr
