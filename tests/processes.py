"""The program in a process whose streams are closed, full, unread or of another encoding."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conftest import clean_environment


def in_shell(
    args: Sequence[str | Path],
    redirections: str,
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `oea ARGS REDIRECTIONS`, such as `<&- 2>/dev/full`, as a shell does."""
    words = [sys.executable, "-m", "oea_cli", *map(str, args)]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", *words],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        env={**clean_environment(), **(env or {})},
        timeout=120,
        check=False,
    )


def without_reader(args: Sequence[str | Path], *, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run `oea ARGS` into a pipe whose reader has left, as `| head -1` does."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-m", "oea_cli", *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=clean_environment(),
            timeout=120,
            check=False,
        )
    finally:
        os.close(writing)
