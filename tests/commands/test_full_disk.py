"""A disk that is full: the file is named, and nothing of it is left."""

import re
import resource
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands.in_process import run

WRITING = """
eval --run here.run --qrels here.txt -o x.json
eval --run here.run --qrels here.txt -M r@1 --report x.html
mine-negatives here.jsonl -o x.jsonl
mine-negatives here.jsonl --stats x.json
gen-queries here.jsonl -o x.jsonl
embed --text rain -o x.npy
embed --text rain -o x.jsonl
embed --text rain -o x.parquet
embed --text rain -o x/
"""


@contextmanager
def room_for(num_bytes: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes: writing fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = (
        '{"id": "a", "captions": ["rain falls on a roof"], "embedding": [1, 0]}\n'
        '{"id": "b", "captions": ["a dog barks at a car"], "embedding": [0.8, 0.6]}\n'
    )
    (tmp_path / "here.jsonl").write_text(rows)
    (tmp_path / "here.txt").write_text("q 0 a 1\n")
    (tmp_path / "here.run").write_text("q Q0 a 1 1.0 t\n")
    return tmp_path


@pytest.mark.parametrize("line", WRITING.strip().splitlines())
def test_the_file_is_named_and_nothing_is_left(line: str, folder: Path) -> None:
    with room_for(200):
        done = run(shlex.split(line), cwd=folder)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"oea [a-z-]+: x[.a-z/]*: File too large", said)
    assert not [path for path in folder.rglob("x*") if path.is_file()]


def test_a_demo_removes_what_it_made(tmp_path: Path) -> None:
    with room_for(1000):
        done = run(["demo", "sounds", "--scenes", "3"], cwd=tmp_path)
    assert done.returncode == 1 and ".ogg: File too large" in done.stderr
    assert not list(tmp_path.iterdir())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / ".keep").write_text("a note")
    with room_for(1000):
        assert run(["demo", "mine", "--scenes", "3"], cwd=tmp_path).returncode == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", ".keep"]
