"""A limit of memory ends a verb in one line and exit code 1, whichever library meets it."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from oea_cli.commands.console.memory_limit import is_out_of_memory
from tests.conftest import clean_environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit holds on Linux")
MEGABYTES = (120, 200, 250, 320, 400, 500, 700)


def limited(megabytes: int, *words: str, cwd: Path) -> "subprocess.Popen[str]":
    size = megabytes << 20
    return subprocess.Popen(
        [sys.executable, "-m", "oea_cli", *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=clean_environment(),
    )


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", MEGABYTES)
@pytest.mark.parametrize("words", [("index", "v.npy", "-o", "x.oea", "-q"),
                                   ("embed", "--text", "a", "-o", "e.npy", "-q")])  # fmt: skip
def test_one_line_or_the_result(tmp_path: Path, words: tuple[str, ...], megabytes: int) -> None:
    np.save(tmp_path / "v.npy", np.eye(500, 64, dtype=np.float32) + 0.1)
    process = limited(megabytes, *words, cwd=tmp_path)
    out, said = process.communicate(timeout=120)
    assert process.returncode in (0, 1) and out == ""
    if process.returncode:
        assert said.count("\n") == 1 and "not enough memory under the limit of" in said
        # Of an index the folder may be there already; index.json, which comes last, is not.
        assert not (tmp_path / words[-2]).is_file()
        assert not (tmp_path / words[-2] / "index.json").exists()
    else:
        assert said == "" and (tmp_path / words[-2]).exists()


def test_its_line_is_an_object_where_that_is_asked_for(tmp_path: Path) -> None:
    words = ("embed", "--text", "a", "-o", "e.npy", "--errors-format", "json")
    process = limited(60, *words, cwd=tmp_path)
    _, said = process.communicate(timeout=60)
    told = json.loads(said)
    assert process.returncode == told["code"] == 1
    assert told["reason"] == "not enough memory under the limit of 60 MB" and told["hint"]


def test_exit_codes_pass_through(tmp_path: Path) -> None:
    for words, code in ((("--version",), 0), (("index", "--nonsense"), 2)):
        process = limited(2000, *words, cwd=tmp_path)
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said.count("\n")) == (code, 1 if code else 0), said


@pytest.mark.parametrize(("end", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_reaches_the_work(tmp_path: Path, end: signal.Signals, code: int) -> None:
    with limited(2000, "gen-queries", "-", cwd=tmp_path) as process:
        assert process.stderr is not None
        while not _catches(_child_of(process.pid), end):
            time.sleep(0.02)
        process.send_signal(end)
        process.wait(timeout=60)
        said = process.stderr.read()  # stdin is open until here
    assert process.returncode == code
    assert said in ("oea gen-queries: interrupted\n", "oea: interrupted\n")


def _child_of(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()


def _catches(pid: str, end: signal.Signals) -> bool:
    """Whether a process has a handler of its own."""
    if not pid:
        return False
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (caught,) = [line.split()[1] for line in status if line.startswith("SigCgt")]
    handlers = int(caught, 16)
    return bool(handlers >> (signal.SIGTERM - 1) & 1 and handlers >> (end - 1) & 1)


def test_what_counts_as_memory() -> None:
    assert is_out_of_memory(MemoryError()) and is_out_of_memory(OSError(12, "no"))
    try:
        try:
            np.empty(1 << 56)
        except MemoryError as error:
            raise ValueError("a library's own") from error
    except ValueError as outer:
        assert is_out_of_memory(outer)
    assert not is_out_of_memory(ImportError("no module named x"))
    assert not is_out_of_memory(RuntimeError("out of memory"))  # its words count under a limit only
