"""Ctrl-C at any moment: exit code 130 and one line, never a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cases.streams import inputs
from tests.conftest import clean_environment

__all__ = ["inputs"]


def interrupted(words: list[str], after: float, folder: Path, *, times: int = 1) -> str:
    """stderr of a verb that gets SIGINT after some seconds and ends with 130 for it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "oea_cli", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=clean_environment(),
    )
    with process:
        time.sleep(after)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
        try:
            code = process.wait(timeout=30)
        finally:
            process.kill()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert code == 130, said
    assert len(said.splitlines()) == 1 and ": interrupted" in said
    return said


LATER = [pytest.param(seconds, marks=pytest.mark.slow) for seconds in (0.2, 0.5, 1)]


@pytest.mark.parametrize("after", [0.3, *LATER])
@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_in_the_first_second(after: float, times: int, tmp_path: Path) -> None:
    interrupted(["index", "-o", "x.oea"], after, tmp_path, times=times)


@pytest.mark.slow
@pytest.mark.parametrize("after", [2.0, 3.0, 4.0, 6.0])
def test_while_torch_is_imported(after: float, tmp_path: Path) -> None:
    interrupted(["embed", "-", "-o", "x.npy"], after, tmp_path)


def test_while_a_fifo_is_opened_after_polars_took_the_signal(inputs: Path) -> None:
    os.mkfifo(inputs / "fifo")
    interrupted(["search", "--queries", "fifo", "-i", "v.oea"], 4, inputs)


def test_a_process_that_ignores_it_goes_on(inputs: Path) -> None:
    words = ["index", "--info", "v.oea", "-f", "json"]
    done = subprocess.run(
        [
            "sh",
            "-c",
            'trap "" INT; (sleep 0.3; kill -INT $$) & exec "$@"',
            "sh",
            sys.executable,
            "-m",
            "oea_cli",
            *words,
        ],
        capture_output=True,
        cwd=inputs,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == 0 and b'"count": 3' in done.stdout, done.stderr


def test_a_background_job_of_a_script_can_be_ended(tmp_path: Path) -> None:
    """Shells start those with Ctrl-C ignored; SIGTERM must reach a main thread that waits."""
    script = 'trap "" INT; exec "$@"'
    words = [sys.executable, "-m", "oea_cli", "index", "-o", "x.oea"]
    with subprocess.Popen(
        ["sh", "-c", script, "sh", *words],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=clean_environment(),
    ) as process:
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout=30)  # stdin is open until here
        finally:
            process.kill()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert code == 143 and ": interrupted" in said, said


SWALLOWED = """
import os, sys, time
from oea_cli.commands.console.boundary import exit_code_of
from oea_cli.commands.console.interrupts import handle_interrupts
def work(running):
    try:
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(10)
    except BaseException:
        pass
    raise ValueError("could not determine the shape of an object")
handle_interrupts()
sys.exit(exit_code_of(work))
"""


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_of_which_a_library_makes_an_error_of_its_own(end: signal.Signals, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWED, str(int(end))],
        capture_output=True,
        text=True,
        env=clean_environment(),
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "oea: interrupted\n")
