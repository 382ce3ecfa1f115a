"""The pipelines under shell_examples/ run as they stand."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY, clean_environment

EXAMPLES = sorted((REPOSITORY / "shell_examples").glob("*.sh"))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A PATH whose `oea` is the code under test, installed or not."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "oea"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m oea_cli "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    search_path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**clean_environment(), "PATH": search_path, "RECIPES": str(REPOSITORY / "recipes")}


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path: Path, tmp_path: Path, environment: dict[str, str]) -> None:
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


def test_github_actions_run_what_the_example_runs() -> None:
    folder = REPOSITORY / "shell_examples"
    workflow = yaml.safe_load((folder / "github_actions.yaml").read_text())
    steps = workflow["jobs"]["eval"]["steps"]
    commands = [line for step in steps for line in step.get("run", "").splitlines()]
    ours = [command for command in commands if command.startswith("oea ")]
    example = (folder / "gate_in_ci.sh").read_text().splitlines()
    assert len(ours) == 3 and set(ours) <= set(example)


def next_need(path: Path) -> str | None:
    """The program that the example says it needs in a line `# needs: NAME`."""
    for line in path.read_text().splitlines():
        if line.startswith("# needs: "):
            return line.removeprefix("# needs: ").strip()
    return None
