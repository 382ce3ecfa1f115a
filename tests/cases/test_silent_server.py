"""Sounds from a server that never answers, stops in the middle or lies: one line, in time."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_audio
from oea_cli.records import web_files
from tests.audio.damaged import RATE, encoded, tone
from tests.conftest import clean_environment

# http.client leaves the socket of an answer that it cannot read to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SOUND = encoded(tone(1.0), "WAV")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n"


@contextmanager
def server(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that accepts, reads the request and then does as `answer` does."""
    done = threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                answer(connection)
                if answer in (silent, half):
                    done.wait(60)

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/rain.wav"
        done.set()
        listening.shutdown(socket.SHUT_RDWR)


def silent(_: socket.socket) -> None:
    """Accepts and never answers."""


def half(connection: socket.socket) -> None:
    """Stops in the middle, and keeps the connection open."""
    connection.sendall(HEAD + b"Content-Length: 32044\r\n\r\n" + SOUND[:9_000])


def whole(connection: socket.socket) -> None:
    connection.sendall(HEAD + f"Content-Length: {len(SOUND)}\r\n\r\n".encode() + SOUND)


def without_length(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Connection: close\r\n\r\n" + SOUND)


def broken_off(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 32044\r\n\r\n" + SOUND[:9_000])


def broken_chunks(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5000\r\n" + SOUND[:900])


def nonsense(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n")


def gone(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def forbidden(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("answer", [whole, without_length])
def test_a_server_that_answers(answer: Callable[[socket.socket], object]) -> None:
    with server(answer) as address:
        np.testing.assert_array_equal(read_audio(address, RATE), tone(1.0))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (silent, "cannot be fetched (the server has sent nothing for 0.3 s)"),
        (half, "cannot be fetched (the server has sent nothing for 0.3 s)"),
        (broken_off, "cannot be fetched (the server broke off, 23,044 bytes before the end)"),
        (broken_chunks, "cannot be fetched (the server broke off"),
        (nonsense, "cannot be fetched (no answer that can be read"),
        (gone, "no such file"),
        (forbidden, "cannot be fetched (the server answers 403 Forbidden)"),
    ],
)
def test_a_server_that_does_not(
    answer: Callable[[socket.socket], object], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_files, "SILENT_SECONDS", 0.3)
    start = time.monotonic()
    with server(answer) as address, pytest.raises(AudioError) as caught:
        read_audio(address, RATE)
    assert str(caught.value).startswith(problem) and "\n" not in str(caught.value)
    assert time.monotonic() - start < 5


def test_nobody_listens() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(AudioError, match=r"^cannot be fetched \(Connection refused\)$"):
        read_audio(f"http://127.0.0.1:{port}/a.wav", RATE)


@pytest.mark.slow
def test_ctrl_c_does_not_wait_for_it(tiny_encoder: Path, tmp_path: Path) -> None:
    asked = threading.Event()

    def answer(_: socket.socket) -> None:
        asked.set()
        time.sleep(30)

    with server(answer) as address:
        (tmp_path / "clips.jsonl").write_text(f'{{"path": "{address}"}}\n')
        command = [sys.executable, "-m", "oea_cli", "embed", "clips.jsonl", "-m", tiny_encoder]
        process = subprocess.Popen(
            [*map(str, command), "-o", "x.jsonl"],
            cwd=tmp_path,
            env=clean_environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert asked.wait(120)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        assert time.monotonic() - start < 15
        assert "Traceback" not in said
