"""What a shell is offered when Tab is pressed, asked for as bash does."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from oea_cli.metrics.metrics import DEFINITIONS, parse_metric
from tests.commands.in_process import run
from tests.conftest import clean_environment
from tests.encoder.test_plug_ins import offer

HEAVY = {"numpy", "polars", "torch", "transformers", "yaml", "soundfile"}
CODE = """
import sys
from oea_cli.main import app
try:
    app(prog_name='oea')
finally:
    print(sorted(sys.modules), file=sys.stderr)
"""


def complete(line: str, cwd: Path, path: str = "") -> list[str]:
    """The words offered to bash at the end of the line; checks that nothing heavy is loaded."""
    number = len(line.split(" ")) - 1
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(number), "_OEA_COMPLETE": "complete_bash"}
    environment = clean_environment()
    environment["PYTHONPATH"] = f"{path}:{environment['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**environment, **asked},
    )
    assert not HEAVY & set(ast.literal_eval(done.stderr.splitlines()[-1]))
    return done.stdout.split()


def test_models(tmp_path: Path) -> None:
    for name in ("runs/mine", "other"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "encoder.json").write_text("{}")
    (tmp_path / "packages").mkdir()
    offer(tmp_path / "packages", "poor-thing", "ours", "poor_module", "raise SystemError")
    packages = str(tmp_path / "packages")
    offered = complete("oea embed -m ", tmp_path, packages)
    assert {"mini", "oea-qwen3b", "ours", "clap:", "https://", "runs/mine", "other"} <= set(offered)
    assert complete("oea search --model o", tmp_path, packages)[-3:] == ["ours", "omni:", "other"]
    assert complete("oea models info runs/", tmp_path) == ["runs/mine"]
    assert complete("oea embed -m sounds/", tmp_path) == [], "the shell then offers files"


def test_metrics_and_formats(tmp_path: Path) -> None:
    offered = complete("oea eval -M ", tmp_path)
    assert {"r@10", "ndcg@10", "mrr", "hnsr@10", "delta-rank"} <= set(offered)
    assert {parse_metric(name).name for name in offered} == set(DEFINITIONS)
    assert complete("oea eval -f j", tmp_path) == ["json", "junit"]
    assert complete("oea embed --errors-format j", tmp_path) == ["json"]
    assert complete("oea help models co", tmp_path) == ["convert"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [("oea se", ["search"]), ("oea models c", ["convert", "check"]), ("oea embed sou", [])],
)
def test_verbs_and_files(tmp_path: Path, line: str, offered: list[str]) -> None:
    assert complete(line, tmp_path) == offered


def test_the_script_for_a_shell_can_be_had() -> None:
    page = run(["--help"]).stdout
    assert "--install-completion" in page and "--show-completion" in page
