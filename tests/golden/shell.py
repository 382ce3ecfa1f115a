"""Lines of shell, read by this process: `oea` by its own application, and cat, `|`, `>` and `<`.

Importing torch once for each command would take minutes. One test gives a real shell the same.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.commands.in_process import run
from tests.golden.answers import read


def run_lines(lines: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """Run every line in a folder; what the last command of each wrote, and its exit code."""
    return [run_line(line, folder) for line in lines]


def run_line(line: str, folder: Path) -> dict[str, Any]:
    """Run one line: commands between `|`, of which the last may end in `> FILE`."""
    content, code, name = b"", 0, ""
    for command in line.split(" | "):
        words = shlex.split(command)
        words, target = (words[:-2], words[-1]) if ">" in words else (words, None)
        words, source = (words[:-2], words[-1]) if "<" in words else (words, None)
        content = (folder / source).read_bytes() if source else content
        if words[0] == "cat":
            name = str(folder / words[1])
            content = Path(name).read_bytes()
        else:
            done = run(words[1:], input=content, cwd=folder)
            content, code, name = done.stdout.encode(), done.returncode, ""
            assert "Traceback" not in done.stderr, done.stderr
        if target:
            (folder / target).write_bytes(content)
            content = b""
    return {"$": line, "exit": code, "out": read(name, content)}
