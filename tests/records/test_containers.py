"""Patterns of addresses: what matches keeps the whole address, the container included."""

import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from oea_cli.records.folders import is_pattern
from tests.commands.in_process import run
from tests.reading import ids, strictly


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("scheme", ["tar", "zip"])
def test_the_sounds_of_an_archive(
    scheme: str, tone: Callable[..., Path], tiny_encoder: Path
) -> None:
    for name, hz in (("a", 300), ("b", 900)):
        tone(Path(f"w/{name}.wav"), hz)
    with tarfile.open("x.tar", "w") as tar, zipfile.ZipFile("x.zip", "w") as zipped:
        for name in ("w/a.wav", "w/b.wav"):
            tar.add(name)
            zipped.write(name)
    pattern = f"{scheme}://w/*.wav::x.{scheme}"
    names = [f"{scheme}://w/{name}.wav::x.{scheme}" for name in "ab"]
    assert ids(strictly(pattern)) == names
    done = run(["embed", pattern, "-m", tiny_encoder, "-q"])
    packed = [json.loads(line)["embedding"] for line in done.stdout.splitlines()]
    done = run(["embed", "w", "-m", tiny_encoder, "-q"])
    assert packed == [json.loads(line)["embedding"] for line in done.stdout.splitlines()]


def test_a_question_mark_in_a_web_address_is_no_pattern() -> None:
    assert not is_pattern("https://example.org/a.wav?token=1")
    assert is_pattern("https://example.org/*.wav") and is_pattern("s3://bucket/a?.wav")
