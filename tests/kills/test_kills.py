"""A few ends of every verb; `python -m tests.kills --runs 150` makes as many as one likes."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY, clean_environment


@pytest.mark.slow
def test_every_verb_ended_once() -> None:
    """In a process of its own, which forks before any library has started a thread."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", "--runs", "17", "--seed", "5"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=clean_environment(),
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines()[2:]]
    assert len(rows) == 18 and int(rows[-1][1]) == 17
    assert [int(cell) for cell in rows[-1][3:]] == [0] * 5
