"""Ctrl-C while a verb waits for more of its input."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import clean_environment

# The reader is back from one read and waits, for up to half a second, until the busy thread lets it
# go on: a signal that comes then interrupts no read.
BUSY = """
import os, sys, threading
from oea_cli.commands.console.standard_input import make_stdin_interruptible
from oea_cli.main import app
import oea_cli.records.pipes, oea_cli.vectors.index.building
def spin():
    while True:
        pass
sys.setswitchinterval(0.5)
print("ready", flush=True)
threading.Thread(target=spin, daemon=True).start()
"""
WAITS = {
    "a reader": """
make_stdin_interruptible()
try:
    sys.stdin.buffer.readline()
except KeyboardInterrupt:
    os._exit(130)
""",
    "a verb": """
try:
    app(["index", "-o", sys.argv[1]])
except SystemExit as end:
    os._exit(end.code)
""",
}


@pytest.mark.parametrize(
    "wait",
    [
        pytest.param(code, id=name, marks=[pytest.mark.slow] if name == "a reader" else [])
        for name, code in WAITS.items()
    ],
)
def test_an_interrupt_between_two_reads_is_handled(wait: str, tmp_path: Path) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-c", BUSY + wait, tmp_path / "x.oea"],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with reader:
        assert reader.stdin is not None and reader.stdout is not None
        assert reader.stdout.readline() == b"ready\n"
        time.sleep(3)
        reader.stdin.write(b"half a line")
        reader.stdin.flush()
        time.sleep(0.1)
        os.kill(reader.pid, signal.SIGINT)
        try:
            assert reader.wait(timeout=20) == 130
        finally:
            reader.kill()


def test_what_comes_in_is_the_same() -> None:
    code = (
        "import sys\nfrom oea_cli.commands.console import standard_input\n"
        "for _ in range(2):\n    standard_input.make_stdin_interruptible()\n"
        "sys.stdout.buffer.write(sys.stdin.buffer.read())\n"
        "assert sys.stdin.fileno() == 0 and not sys.stdin.isatty()"
    )
    sent = os.urandom(300_000) + "\n\N{SNOWMAN}\r\n".encode()
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(), input=sent, capture_output=True
    )
    assert done.stdout == sent, done.stderr
