"""The runner sees a wrong answer, and only that."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.matching import matches
from tests.docs.pages import Block, Command
from tests.docs.running import PageRun

TABLE = ["   score             path", "1  ███████▎   0.723  dog.ogg"]


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (TABLE, ["   score           path", "1  ███████▎ 0.724  dog.ogg"]),
        (["...", "done"], ["a", "b", "done"]),
        (["...", "done"], ["done"]),
        (["mini:... of 2"], ["mini:3f2e of 2"]),
        (["a", "", "b"], ["a", "b"]),
    ],
)
def test_what_varies_is_no_difference(expected: list[str], actual: list[str]) -> None:
    assert matches(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (TABLE, [TABLE[0], "1  ███████▎   0.726  dog.ogg"]),
        (TABLE, [TABLE[0], "1  ███████▎   0.723  cat.ogg"]),
        (TABLE, TABLE[:1]),
        (["100 clips"], ["101 clips"]),
        (["done"], ["done", "and more"]),
        (["...", "done"], ["done", "and more"]),
    ],
)
def test_anything_else_is_one(expected: list[str], actual: list[str]) -> None:
    assert not matches(expected, actual)


def test_commands_and_their_output_are_told_apart() -> None:
    lines = ("$ a | \\", "    b", "one", "$ c")
    commands = list(Block("console", lines, 1, ()).commands())
    assert commands == [Command("a | \\\n    b", ("one",)), Command("c", ())]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["$ echo one", "two"], "the page shows"),
        (["$ false"], "exit code 1"),
        (["$ false | cat"], "exit code 1"),
        (["$ false", "$ echo $?", "0"], "the page shows"),
        (["no command"], "without a command"),
    ],
)
def test_a_block_that_is_wrong_fails(lines: list[str], complaint: str, tmp_path: Path) -> None:
    run = PageRun(tmp_path, _path())
    with pytest.raises(AssertionError, match=complaint):
        run.run(Block("console", tuple(lines), 1, ()))


def test_files_and_exit_codes_last_from_block_to_block(tmp_path: Path) -> None:
    run = PageRun(tmp_path, _path())
    run.run(Block("text", ("hello",), 1, (("file", "a/b.txt"),)))
    run.run(Block("console", ("$ cat a/b.txt", "hello", "$ false", "$ echo $?", "1"), 4, ()))


def _path() -> Mapping[str, str]:
    return {"PATH": "/usr/bin:/bin"}
