"""The Python blocks of docs/python.md, run as they stand, one after the other."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Completed

PAGE = REPOSITORY / "docs" / "python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BEFORE = re.compile(r"^<!-- before: oea (.*) -->$", re.MULTILINE)


@pytest.mark.slow
def test_every_block_runs(
    tmp_path: Path, oea: Callable[..., Completed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    for command in BEFORE.findall(page):
        assert oea(shlex.split(command), cwd=tmp_path).returncode == 0
    blocks = list(BLOCK.finditer(page))
    assert len(blocks) > 5
    names: dict[str, object] = {}
    for block in blocks:
        line = page.count("\n", 0, block.start(1))
        code = compile("\n" * line + block[1], str(PAGE), "exec")
        exec(code, names)
