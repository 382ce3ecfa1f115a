"""A recipe whose few lines stand for more than any memory, or that extends what has no end."""

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.commands.in_process import run

LEVELS = "abcdefghi"
BOMB = "\n".join(
    [
        "a: &a [x,x,x,x,x,x,x,x,x,x]",
        *(
            f"{level}: &{level} [{','.join([f'*{below}'] * 10)}]"
            for below, level in pairwise(LEVELS)
        ),
    ]
)
LAST = "name: x\nmodel: *i\nstages: []\n"
MERGES = "\n".join(
    [
        "a: &a {x: 1}",
        *(
            f"{level}: &{level} {{<<: [{','.join([f'*{below}'] * 10)}]}}"
            for below, level in pairwise(LEVELS)
        ),
    ]
)
ALIASES = "its aliases stand for more than 100,000 values"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f"{BOMB}\n{LAST}", ALIASES),  # the reported one
        (f"{MERGES}\n{LAST}", ALIASES),
        ("name: &loop [*loop]\nstages: []\n", ALIASES),
        (f"{BOMB}\nname: x\nextends: *i\n", ALIASES),
        ("[" * 50_000, "not YAML"),
        ("name: 2026-13-45\n", "not YAML"),
        (f"name: x\nseed: {'9' * 5000}\n", "not YAML"),
        ("name: !!timestamp x\n", "not YAML"),
        ("name: x\nextends: /dev/zero\n", "extends: must be the name of a file; got '/dev/zero'"),
        ("name: x\nextends: bad.yaml\n", "extends itself"),
        ("name: x\nextends: folder\n", "extends: must be the name of a file; got 'folder'"),
        ("name: x\nextends: pipe\n", "extends: must be the name of a file; got 'pipe'"),
        ('name: x\nextends: "a\\0b"\n', "it contains a NUL character"),
        (f"name: x\nextends: {'n' * 5000}\n", "File name too long"),
        ("name: x\nextends: ~nobody-at-home/x\n", "not a path"),
    ],
)
@pytest.mark.parametrize("verb", ["train", "eval"])
def test_refused_at_once(tmp_path: Path, verb: str, content: str, why: str) -> None:
    (tmp_path / "bad.yaml").write_text(content)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    start = time.monotonic()
    done = run([verb, "bad.yaml", "-o", "x"], cwd=tmp_path)
    assert time.monotonic() - start < 5
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr) < 2_000
    if verb == "train" or "extends" not in content:
        assert why in done.stderr


def test_ordinary_aliases_are_read(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: &a {x: 1}\nname: [*a, *a]\n<<: *a\n")
    done = run(["train", "bad.yaml", "-o", "x"], cwd=tmp_path)
    assert "x: unknown key" in done.stderr and "name: must be a text" in done.stderr
