"""The Python blocks of docs/python.md, run as they stand, one after the other."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Completed
from tests.docs.pages import read_blocks

PAGE = REPOSITORY / "docs" / "python.md"


@pytest.mark.slow
def test_every_block_runs(
    tmp_path: Path, oea: Callable[..., Completed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = [block for block in read_blocks(PAGE) if block.language == "python"]
    assert len(blocks) > 5
    names: dict[str, object] = {}
    for block in blocks:
        for note, command in block.notes:
            assert note == "before"
            assert oea(shlex.split(command)[1:], cwd=tmp_path).returncode == 0
        code = compile("\n" * block.line + block.text, str(PAGE), "exec")
        exec(code, names)
