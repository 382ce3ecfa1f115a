"""A FIFO, a socket or a device with a sound's name is named at once; the other sounds are done."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_audio
from oea_cli.encoder.streaming.decoding import decoded
from oea_cli.encoder.streaming.inputs import EncoderInput
from oea_cli.errors import Failure
from oea_cli.records.inputs import read_records
from tests.commands.in_process import run


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


PROBLEMS = [
    "./p.wav: is a FIFO, not a file",
    "./s.flac: is a socket, not a file",
    "./zero.mp3: is a device, not a file",
]


def heard(*inputs: str, files_from: str | None = None) -> tuple[list[str], list[str]]:
    """The ids that were decoded, and what was said of the others."""
    said: list[str] = []
    ids = []
    for record in read_records(
        inputs, files_from=files_from, report=lambda failure: said.append(str(failure))
    ):
        (event,) = decoded(record, 16_000, 10.0)
        if isinstance(event, Failure):
            said.append(str(event))
        elif isinstance(event, EncoderInput):
            ids.append(event.record["id"])
    return ids, said


def test_embed_names_them_and_does_the_rest(folder: Path, tiny_encoder: Path) -> None:
    done = run(["embed", ".", "-m", tiny_encoder, "-o", "x.jsonl"])
    assert done.returncode == 3
    lines = [line.removeprefix("oea embed: ") for line in done.stderr.splitlines()]
    *named, summary, end = lines
    assert (named, end) == (PROBLEMS, "3 of 4 inputs failed, 1 done")
    assert summary.startswith("1 sound in ")
    assert '"id":"a.wav"' in Path("x.jsonl").read_text()


def test_by_name(folder: Path) -> None:
    problems = [line.removeprefix("./") for line in PROBLEMS]
    assert heard("p.wav", "a.wav", "s.flac", "zero.mp3") == (["a.wav"], problems)


def test_in_a_list_a_pattern_and_a_record(folder: Path) -> None:
    problem = ["p.wav: is a FIFO, not a file"]
    Path("list").write_text("p.wav\na.wav\n")
    assert heard(files_from="list") == (["a.wav"], problem)
    assert heard("**/*.wav") == (["a.wav"], ["./p.wav: is a FIFO, not a file"])
    assert heard("*.wav") == (["a.wav"], problem)
    Path("clips.jsonl").write_text('{"path": "p.wav"}\n{"path": "a.wav"}\n')
    assert heard("clips.jsonl") == (["a.wav"], problem)


def test_with_a_writer_that_waits_it_is_not_read_either(folder: Path) -> None:
    keeper = os.open("p.wav", os.O_RDWR)
    try:
        with pytest.raises(AudioError, match=r"^is a FIFO, not a file$"):
            read_audio("p.wav", 16_000)
    finally:
        os.close(keeper)
