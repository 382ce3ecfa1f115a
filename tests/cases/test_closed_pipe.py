"""A pipe closed downstream is no error, whatever was written to it."""

from pathlib import Path

import pytest

from tests.cases.streams import inputs
from tests.processes import without_reader

__all__ = ["inputs"]

MORE = [
    ["--help"],
    ["search", "--help"],
    ["search", "--like", "r1", "-i", "v.oea", "-f", "jsonl"],
    ["eval", "--run", "run.txt", "--qrels", "qrels.txt", "-M", "r@1", "-f", "table"],
    ["index", "--info", "v.oea", "-f", "json"],
]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["search", "--like", "r1", "-i", "v.oea", "-f", "table"],
        *(pytest.param(words, marks=pytest.mark.slow) for words in MORE),
    ],
)
def test_it_ends_in_silence(inputs: Path, arguments: list[str]) -> None:
    done = without_reader(arguments, cwd=inputs)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.slow
def test_the_encoders_too(inputs: Path) -> None:
    done = without_reader(["models", "list"], cwd=inputs)
    assert (done.returncode, done.stderr) == (0, b"")
