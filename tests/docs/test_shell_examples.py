"""The pipelines under shell_examples/ run as they stand."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.pages import REPOSITORY

EXAMPLES = sorted((REPOSITORY / "shell_examples").glob("*.sh"))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path: Path, tmp_path: Path, environment: Mapping[str, str]) -> None:
    if (needs := next_need(path)) and not shutil.which(needs):
        pytest.skip(f"{path.name} needs {needs}")
    done = subprocess.run(
        ["bash", str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_bash_and_explains_itself(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash" and lines[1].startswith("# ")
    assert "set -euo pipefail" in lines
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0


def next_need(path: Path) -> str | None:
    """The program that the example says it needs in a line `# needs: NAME`."""
    for line in path.read_text().splitlines():
        if line.startswith("# needs: "):
            return line.removeprefix("# needs: ").strip()
    return None
