"""Verbs in forked children: a start costs milliseconds, as everything is imported already.

The parent computes nothing, so that no thread of a library is there when it forks.
"""

import json
import os
import resource
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WAIT = 120.0  # seconds after which a child counts as hung


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code, or minus the signal; seconds; what it said on stderr."""

    code: int
    seconds: float
    said: str


def run_verb(
    words: Sequence[str],
    folder: Path,
    *,
    end: signal.Signals | None = None,
    after: float = 0.0,
    file_bytes: int | None = None,
    output: Path | None = None,
) -> Ended:
    """Run `oea WORDS` in a folder, and send it a signal after so many seconds.

    `file_bytes` is the size at which every file meets a full disk; `output` takes stdout.
    """
    said = folder.parent / f"{folder.name}.stderr"
    began = time.monotonic()
    if not (child := os.fork()):
        _be_the_program(words, folder, said, output, file_bytes)
    if end is not None:
        time.sleep(after)
        os.kill(child, end)
    code = _waited(child)
    return Ended(code, time.monotonic() - began, said.read_text(errors="replace"))


def in_child(work: Callable[[], Any]) -> Any:
    """What a function returns in a child, as JSON brings it back; raises RuntimeError for none."""
    heard, told = os.pipe()
    if not (child := os.fork()):
        os.close(heard)
        code = 1
        try:
            os.write(told, json.dumps(work()).encode())
            code = 0
        except BaseException:
            os.write(told, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(told)
    with os.fdopen(heard, "rb") as stream:
        content = stream.read()
    if _waited(child):
        raise RuntimeError(content.decode(errors="replace").strip())
    return json.loads(content)


def _waited(child: int) -> int:
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -999


def _be_the_program(
    words: Sequence[str], folder: Path, said: Path, output: Path | None, file_bytes: int | None
) -> None:
    """Become the verb; does not return."""
    code = 1
    try:
        _redirect(0, Path(os.devnull), os.O_RDONLY)
        _redirect(1, output or Path(os.devnull), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        _redirect(2, said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.chdir(folder)
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
        import sys

        from oea_cli.__main__ import main

        sys.argv = ["oea", *words]
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _redirect(number: int, path: Path, flags: int) -> None:
    opened = os.open(path, flags, 0o666)
    os.dup2(opened, number)
    os.close(opened)
