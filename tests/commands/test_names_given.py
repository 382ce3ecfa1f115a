"""An empty name is refused, and so is a file that a verb reads to write to."""

from pathlib import Path

import pytest

from tests.commands.in_process import run

EMPTY = [
    (["embed", ""], "INPUTS"),
    (["embed", "x", "-o", ""], "--output"),
    (["index", "x.npy", "-o", ""], "--output"),
    (["search", "x", "-i", ""], "--index"),
    (["eval", "--run", "r.txt", "--qrels", ""], "--qrels"),
    (["demo", ""], "DIR"),
    (["train", "r.yaml", "-o", ""], "--output"),
]


@pytest.mark.parametrize(("words", "name"), EMPTY)
def test_an_empty_name(words: list[str], name: str, tmp_path: Path) -> None:
    done = run(words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith(f": {name} must not be empty\n") and done.stderr.count("\n") == 1


SAME = [
    ["embed", "x.jsonl", "-o", "x.jsonl"],
    ["embed", "x.jsonl", "-o", "x.npy"],
    ["embed", "x.jsonl", "-o", "./sub/../x.jsonl"],
    ["embed", "x.jsonl", "--errors", "x.jsonl", "-o", "y.jsonl"],
    ["embed", "--files-from", "x.jsonl", "-o", "x.jsonl"],
    ["mine-negatives", "x.jsonl", "-o", "x.jsonl"],
    ["mine-negatives", "x.jsonl", "-o", "link.jsonl"],
    ["gen-queries", "x.jsonl", "-o", "x.jsonl"],
    ["gen-queries", "x.jsonl", "--rejects", "x.jsonl"],
    ["eval", "--run", "x.txt", "--qrels", "q.txt", "-o", "x.txt"],
    ["mine-negatives", "x.jsonl", "-o", "p.jsonl", "--qrels", "p.jsonl"],
    ["mine-negatives", "x.npy", "-o", "x.jsonl"],
    ["mine-negatives", "x.npy", "-o", "p.jsonl", "--stats", "x.meta.json"],
    ["eval", "--run", "x.txt", "--qrels", "q.txt", "--baseline", "b.json", "-o", "b.json"],
    ["index", "x.npy", "--ids", "x.txt", "-o", "x.txt"],
]


@pytest.mark.parametrize("words", SAME, ids=" ".join)
def test_a_file_that_is_read_is_not_written(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("x.jsonl", "x.txt", "q.txt", "x.npy", "x.meta.json", "b.json"):
        (tmp_path / name).write_text('{"id":"a","captions":["rain"]}\n')
    (tmp_path / "link.jsonl").symlink_to("x.jsonl")
    done = run(words, cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert "another name" in done.stderr
    assert (tmp_path / "x.jsonl").read_text() == '{"id":"a","captions":["rain"]}\n'
