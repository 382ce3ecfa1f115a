"""Golden answers: what the program gave for the same inputs when they were stored.

    pytest tests/golden                   # compare
    pytest tests/golden --write-golden    # store anew, after a change that is meant; read the diff

A case is a few lines of shell; its answer is `answers/CASE.json`. `artefacts/` is different: what
an earlier version wrote, and what must stay readable. It is never written anew.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.commands.in_process import run
from tests.golden.answers import differences, lines_of
from tests.golden.judgments import write_judgments
from tests.golden.shell import run_lines
from tests.golden.sounds import write_sounds
from tests.golden.vectors import write_vectors

HERE = Path(__file__).parent
ANSWERS = HERE / "answers"
ARTEFACTS = HERE / "artefacts"
Check = Callable[[str, Sequence[str]], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-golden", action="store_true", help="store the answers of tests/golden anew"
    )


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds, and vectors of eight dimensions; nothing that a model has made."""
    folder = tmp_path_factory.mktemp("golden")
    write_sounds(folder)
    (folder / "v").mkdir()
    write_vectors(folder / "v")
    write_judgments(folder)
    return folder


@pytest.fixture(scope="session")
def embedded(inputs: Path) -> Path:
    """The same with `sounds.jsonl`, the vectors of all clips, and `sounds.oea`, their index."""
    done = run(["embed", "clips.jsonl", "-o", "sounds.jsonl"], cwd=inputs)
    assert done.returncode == 0, done.stderr
    done = run(["index", "sounds.jsonl", "-o", "sounds.oea"], cwd=inputs)
    assert done.returncode == 0, done.stderr
    return inputs


@pytest.fixture
def folder(tmp_path: Path, embedded: Path) -> Path:
    """A copy of the inputs for one test, with what earlier versions wrote in `artefacts`."""
    shutil.copytree(embedded, tmp_path, dirs_exist_ok=True)
    shutil.copytree(ARTEFACTS, tmp_path / "artefacts")
    return tmp_path


@pytest.fixture
def check(folder: Path, request: pytest.FixtureRequest) -> Check:
    """Run the lines of a case and compare with its answer; or store it, if that is asked for."""

    def compare(case: str, lines: Sequence[str]) -> None:
        steps = run_lines(lines, folder)
        path = ANSWERS / f"{case}.json"
        if request.config.getoption("--write-golden", default=False):
            path.write_text(lines_of(steps), encoding="utf-8")
        expected = json.loads(path.read_text(encoding="utf-8"))
        found = json.loads(lines_of(steps))
        changes = [f"{step['$']}{line}" for step, other in zip(expected, found, strict=True)
                for line in differences(step, other)]  # fmt: skip
        assert not changes, "\n".join(changes[:40])

    return compare
