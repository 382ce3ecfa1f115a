"""stdout in an encoding without block characters: people's text is drawn in it, data stay UTF-8."""

import json
from pathlib import Path

import pytest

from tests.cases.streams import inputs
from tests.processes import in_shell

__all__ = ["inputs"]
SEARCH = ["search", "--like", "r1", "-i", "v.oea", "-k", "1"]


@pytest.mark.parametrize(
    ("encoding", "caption"),
    [
        ("cp1252", "a dog — “barks”"),
        ("ascii", 'a dog - "barks"'),
        pytest.param("latin-1", 'a dog - "barks"', marks=pytest.mark.slow),
        pytest.param("utf-8", "a dog — “barks”", marks=pytest.mark.slow),
    ],
)
def test_the_table_of_hits_fits(inputs: Path, encoding: str, caption: str) -> None:
    done = in_shell([*SEARCH, "-f", "table"], "", cwd=inputs, env={"PYTHONIOENCODING": encoding})
    assert done.returncode == 0, done.stderr
    table = done.stdout.decode(encoding)
    assert caption in table
    assert ("█" if encoding == "utf-8" else "########") in table


@pytest.mark.slow
def test_hits_stay_utf_8(inputs: Path) -> None:
    done = in_shell([*SEARCH, "-f", "jsonl"], "", cwd=inputs, env={"PYTHONIOENCODING": "cp1252"})
    assert json.loads(done.stdout.decode())["captions"] == ["a dog — “barks”"]


def test_the_table_of_results_fits(inputs: Path) -> None:
    rows = [
        {"id": "q1", "text": "x", "target": "a", "type": "naïve雨"},
        {"id": "q2", "text": "y", "target": "b", "type": "other"},
    ]
    (inputs / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["eval", "--run", "run.txt", "--queries", "q.jsonl", "-M", "r@1", "-f", "table"]
    done = in_shell(arguments, "", cwd=inputs, env={"PYTHONIOENCODING": "cp1252"})
    assert done.returncode == 0, done.stderr
    assert "naïve?" in done.stdout.decode("cp1252")


@pytest.mark.slow
def test_what_is_said_on_stderr_fits(inputs: Path) -> None:
    done = in_shell(
        ["search", "--like", "é雨", "-i", "v.oea"],
        "",
        cwd=inputs,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 1 and done.stderr.decode("ascii").count("\n") == 1
