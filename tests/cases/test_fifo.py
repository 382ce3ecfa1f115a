"""A FIFO, a socket or a device with a sound's name is named at once; the other sounds are done."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_audio
from tests.commands.in_process import run
from tests.conftest import Completed


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """A program that waits for a writer fails the test instead of hanging it."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def folder(tmp_path: Path, tone: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One sound, and a FIFO, a socket and a device of such names."""
    tone(tmp_path / "w" / "a.wav", seconds=0.3)  # type: ignore[operator]
    os.mkfifo(tmp_path / "w" / "p.wav")
    monkeypatch.chdir(tmp_path / "w")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.flac")
    Path("zero.mp3").symlink_to("/dev/zero")
    os.mkfifo("notes.txt")
    return tmp_path / "w"


def embedded(tiny_encoder: Path, *inputs: str) -> Completed:
    return run(["embed", *inputs, "-m", tiny_encoder, "-o", "x.jsonl"])


def ids() -> list[str]:
    return [json.loads(line)["id"] for line in Path("x.jsonl").read_text().splitlines()]


PROBLEMS = [
    "oea embed: ./p.wav: is a FIFO, not a file",
    "oea embed: ./s.flac: is a socket, not a file",
    "oea embed: ./zero.mp3: is a device, not a file",
]


def test_in_a_folder(folder: Path, tiny_encoder: Path) -> None:
    done = embedded(tiny_encoder, ".")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [*PROBLEMS, "oea embed: 3 of 4 inputs failed, 1 done"]
    assert ids() == ["a.wav"]


def test_by_name(folder: Path, tiny_encoder: Path) -> None:
    done = embedded(tiny_encoder, "p.wav", "a.wav", "s.flac", "zero.mp3")
    assert done.returncode == 3
    assert done.stderr.splitlines()[:3] == [line.replace("./", "") for line in PROBLEMS]
    assert ids() == ["a.wav"]


def test_in_a_list_and_in_a_pattern(folder: Path, tiny_encoder: Path) -> None:
    Path("list").write_text("p.wav\na.wav\n")
    done = run(["embed", "--files-from", "list", "-m", tiny_encoder, "-o", "x.jsonl"])
    assert (done.returncode, ids()) == (3, ["a.wav"])
    done = embedded(tiny_encoder, "**/*.wav")
    assert (done.returncode, ids()) == (3, ["a.wav"])
    assert "p.wav: is a FIFO, not a file" in done.stderr


def test_in_a_record(folder: Path, tiny_encoder: Path) -> None:
    Path("clips.jsonl").write_text('{"path": "p.wav"}\n{"path": "a.wav"}\n')
    done = embedded(tiny_encoder, "clips.jsonl")
    assert (done.returncode, ids()) == (3, ["a.wav"])


def test_with_a_writer_that_waits_it_is_not_read_either(folder: Path) -> None:
    keeper = os.open("p.wav", os.O_RDWR)
    try:
        with pytest.raises(AudioError, match="^is a FIFO, not a file$"):
            read_audio("p.wav", 16_000)
    finally:
        os.close(keeper)
