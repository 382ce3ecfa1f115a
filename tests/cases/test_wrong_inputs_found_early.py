"""A wrong input is found before a model is loaded, and told in one line with what it holds."""

import sys
from pathlib import Path

import pytest

from tests.commands.in_process import run

PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_bytes(PICTURE)
    Path("w.csv").write_text("filename,label\n" + "a.wav,rain\n" * 9)
    Path("run.txt").write_text("q1 Q0 a 1 0.9 x\n")
    Path("qrels.txt").write_text("q1 0 a 1\n")
    Path("clips.jsonl").write_text('{"id":"a","captions":["rain falls on a roof"]}\n')


@pytest.mark.parametrize(
    "args",
    [
        ["embed", "p.csv"],
        ["embed", "--text", "p.csv"],
        ["eval", "--run", "run.txt", "--qrels", "p.csv"],
        ["eval", "--run", "p.csv", "--qrels", "qrels.txt"],
        ["eval", "--run", "run.txt", "--queries", "p.csv"],
        ["eval", "--run", "run.txt", "--qrels", "qrels.txt", "--baseline", "p.csv"],
        ["gen-queries", "p.csv"],
        ["gen-queries", "clips.jsonl", "--hard-negatives", "p.csv"],
        ["mine-negatives", "p.csv"],
        ["embed", "--files-from", "p.csv"],
    ],
)
def test_a_picture_is_the_same_everywhere(args: list[str]) -> None:
    done = run([*args, "-m", "nothing"] if args[0] == "embed" else args)
    assert done.returncode == 1, done.stdout
    assert done.stderr.splitlines()[-1].endswith(
        "p.csv: expected lines or records; got a picture"
    ), done.stderr


@pytest.mark.parametrize("args", [["embed", "w.csv", "-m", "nothing"], ["gen-queries", "w.csv"]])
def test_a_table_of_other_columns_is_one_line(args: list[str]) -> None:
    lines = run(args).stderr.splitlines()
    assert len(lines) == 2
    assert "w.csv: none of its 9 rows can be used: no 'path' and no 'text'" in lines[0]
    assert "'filename', 'label'" in lines[0]


def test_rows_without_captions_are_one_line() -> None:
    Path("c.csv").write_text("path,label\n" + "a.wav,rain\n" * 9)
    lines = run(["gen-queries", "c.csv"]).stderr.splitlines()
    assert "c.csv: none of its 9 rows can be used: no 'captions'" in lines[0]
    assert "'path', 'label'" in lines[0]


def test_an_estimate_needs_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)  # as where it is not installed
    monkeypatch.delitem(sys.modules, "oea_cli.encoder.others.openai_client", raising=False)
    args = ["gen-queries", "clips.jsonl", "--llm", "http://localhost:9/v1", "--llm-model", "m"]
    done = run([*args, "--dry-run"])
    assert done.returncode == 0 and "queries" in done.stdout, done.stderr
    done = run(args)
    assert done.returncode == 1
    assert "http://localhost:9/v1: needs openai" in done.stderr
