"""Streams that a daemon closed, or that are full: the work is done, or one line says otherwise."""

import json
from pathlib import Path

import pytest

from tests.cases.streams import inputs
from tests.processes import in_shell

__all__ = ["inputs"]

EVAL = ["eval", "--run", "run.txt", "--qrels", "qrels.txt", "-M", "r@1"]
SEARCH = ["search", "--like", "r1", "-i", "v.oea"]


SLOW = pytest.mark.slow  # each case is a process; the others show the same one by one


@pytest.mark.parametrize(
    "closed",
    [">&-", *(pytest.param(one, marks=SLOW) for one in ("<&-", "2>&-")), "<&- >&- 2>&-"],
)
def test_what_goes_into_a_file_is_written(inputs: Path, closed: str) -> None:
    done = in_shell([*EVAL, "-o", "r.json"], closed, cwd=inputs)
    assert done.returncode == 0, done.stderr
    assert json.loads((inputs / "r.json").read_text())["metrics"]["r@1"] == 0.5
    assert not done.stderr


@SLOW
def test_no_file_takes_the_place_of_a_closed_stream(inputs: Path) -> None:
    done = in_shell(["index", "v.jsonl", "-o", "new.oea"], "<&- >&- 2>&-", cwd=inputs)
    assert done.returncode == 0
    described = in_shell(["index", "--info", "new.oea", "-f", "json"], "", cwd=inputs)
    assert json.loads(described.stdout)["count"] == 3


@pytest.mark.parametrize(
    "arguments",
    [SEARCH, *(pytest.param(one, marks=SLOW) for one in ([*SEARCH, "-f", "table"], EVAL))],
)
def test_a_result_that_only_stdout_has_is_not_lost_in_silence(
    inputs: Path, arguments: list[str]
) -> None:
    done = in_shell(arguments, ">&-", cwd=inputs)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and b"stdout: is closed" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *(
            pytest.param(one, marks=SLOW)
            for one in (SEARCH, [*SEARCH, "-f", "table"], EVAL, ["index", "--info", "v.oea"])
        ),
    ],
)
def test_a_full_stdout_is_one_line(inputs: Path, arguments: list[str]) -> None:
    done = in_shell(arguments, ">/dev/full", cwd=inputs)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and b"No space left on device" in done.stderr


@SLOW
def test_a_full_stderr_does_not_end_the_work(inputs: Path) -> None:
    done = in_shell(["index", "v.jsonl", "-o", "new.oea"], "2>/dev/full", cwd=inputs)
    assert done.returncode == 1, "what it had to say was lost"
    assert (inputs / "new.oea" / "index.json").is_file()
    assert in_shell(SEARCH, "2>/dev/full", cwd=inputs).returncode == 0, "it had nothing to say"


def test_nothing_comes_from_a_closed_stdin(inputs: Path) -> None:
    done = in_shell(["index", "-o", "new.oea"], "<&-", cwd=inputs)
    assert done.returncode == 1
    assert done.stderr.startswith(b"oea index: stdin: no vectors in it")


@pytest.mark.slow
def test_embed_needs_no_stdin(inputs: Path) -> None:
    done = in_shell(["embed", "--text", "hello", "-o", "t.jsonl", "-q"], "<&-", cwd=inputs)
    assert done.returncode == 0, done.stderr
    assert len((inputs / "t.jsonl").read_text().splitlines()) == 1
