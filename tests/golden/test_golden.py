"""The program as its users see it, against stored answers: `pytest tests/golden`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import clean_environment
from tests.golden.answers import differences, read
from tests.golden.cases import CASES
from tests.golden.conftest import ANSWERS, Check


@pytest.mark.parametrize("case", CASES)
def test_answers_have_not_changed(case: str, check: Check) -> None:
    check(case, CASES[case])


def test_every_stored_answer_has_its_case() -> None:
    assert {path.stem for path in ANSWERS.glob("*.json")} == set(CASES)


def test_a_real_shell_gives_the_same(folder: Path) -> None:
    """The main job as it is typed: three processes and a pipe."""
    oea = f"{sys.executable} -m oea_cli"
    script = (
        f"set -o pipefail; {oea} embed clips.jsonl -q | {oea} index -o piped.oea -q && "
        f"{oea} search --like a/03.wav -i piped.oea -f trec"
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, env=clean_environment(),
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    steps = json.loads((ANSWERS / "search-by-sound.json").read_text(encoding="utf-8"))
    assert list(differences(steps[-1]["out"], read("", done.stdout))) == []
