"""Run the blocks of a page in order, in one folder, and compare what they print with the page.

Standard output is a terminal of 80 columns, as for a person who types; standard error is a pipe, so
that no bar is drawn. A page may leave out what goes to standard error (counts, notices), or show
it before standard output.
"""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.matching import matches
from tests.docs.pages import Block, Command

STATUS = "echo $?"


@dataclass(slots=True)
class PageRun:
    """A page that is being run: its folder, its environment, the exit code of the last command."""

    folder: Path
    environment: Mapping[str, str]
    servers: Mapping[str, str] = field(default_factory=dict)
    status: int = 0

    def run(self, block: Block) -> None:
        """Run one block, or write it where it is the content of a file."""
        for name, text in block.notes:
            if name == "before":
                self._check(Command(text, ()), may_fail=False)
        if (file := block.note("file")) is not None:
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        if block.language == "console" and block.note("unrun") is None:
            self._run_commands(block)

    def _run_commands(self, block: Block) -> None:
        commands = list(block.commands())
        assert commands, f"line {block.line}: a console block without a command"
        server = self.servers.get(block.note("server") or "")
        for command, after in zip(commands, [*commands[1:], None], strict=True):
            if server:
                command = Command(command.text.replace("localhost:8000", server), command.output)
            self._check(command, may_fail=after is not None and after.text == STATUS)

    def _check(self, command: Command, *, may_fail: bool) -> None:
        text = f"(exit {self.status})\n{command.text}"
        self.status, stdout, stderr = run_in_terminal(text, self.folder, self.environment)
        both = f"$ {command.text}\n{stderr}{stdout}"
        assert may_fail or self.status == 0, f"exit code {self.status}:\n{both}"
        if command.output:
            shown = "\n".join(command.output)
            as_shown = matches(command.output, stdout.splitlines()) or matches(
                command.output, (stderr + stdout).splitlines()
            )
            assert as_shown, f"the page shows\n{shown}\n\nand the program printed\n{both}"


def run_in_terminal(
    command: str, folder: Path, environment: Mapping[str, str]
) -> tuple[int, str, str]:
    """Run a line of bash; its exit code, what it wrote to a terminal of 80 columns, to stderr."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=slave,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(slave)
    written: list[bytes] = []
    reader = threading.Thread(target=_read_terminal, args=(master, written))
    reader.start()
    _, stderr = process.communicate(timeout=300)
    reader.join()
    os.close(master)
    return process.returncode, b"".join(written).decode().replace("\r\n", "\n"), stderr.decode()


def _read_terminal(master: int, written: list[bytes]) -> None:
    while True:
        try:
            content = os.read(master, 65536)
        except OSError:  # nobody holds the other end any longer
            return
        if not content:
            return
        written.append(content)
