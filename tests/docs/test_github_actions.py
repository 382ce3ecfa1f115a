"""The example of a workflow is one by GitHub's schema, and its steps do what they say."""

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import REPOSITORY

WORKFLOW = REPOSITORY / "shell_examples" / "github_actions.yaml"
STEPS: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text())["jobs"]["eval"]["steps"]


def test_the_workflow_keeps_githubs_schema() -> None:
    schema = ["--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *schema, str(WORKFLOW)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_it_installs_an_extra_that_exists() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    name, _, extra = _step("Install").removeprefix("pip install ").strip("'").partition("[")
    assert name == project["name"] and extra.rstrip("]") in project["optional-dependencies"]


def test_steps_run_without_and_with_a_baseline(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    summary = tmp_path / "summary.md"
    github = {**environment, "GITHUB_STEP_SUMMARY": str(summary)}
    _run("Index the sounds", tmp_path, github)
    first = _run("Measure", tmp_path, github)
    assert "pass: r@10" in first and "max-drop" not in first
    _run("Make the results the new baseline", tmp_path, github)
    second = _run("Measure", tmp_path, github)
    assert "--max-drop r@10=0.01" in second and "--max-drop hnsr=0.05" in second
    assert summary.read_text().count("R@10") >= 2
    for name in next(
        step["with"]["path"] for step in STEPS if step.get("if") == "always()"
    ).split():
        assert (tmp_path / name).is_file(), name


@pytest.mark.parametrize("name", ["Index the sounds", "Measure"])
def test_a_step_that_fails_ends_the_job(
    name: str, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    (tmp_path / "sounds").write_text("where the demo's folder should be")
    assert _bash(name, tmp_path, environment).returncode != 0


def _run(name: str, folder: Path, environment: Mapping[str, str]) -> str:
    done = _bash(name, folder, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _bash(
    name: str, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a step as a GitHub runner does with `shell: bash`."""
    script = folder / "step.sh"
    script.write_text(_step(name))
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=folder, env=dict(environment), capture_output=True, text=True, check=False,
    )  # fmt: skip


def _step(name: str) -> str:
    return next(step["run"].strip() for step in STEPS if step.get("name") == name)
