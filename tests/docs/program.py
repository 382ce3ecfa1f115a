"""`oea` for the console blocks: real processes with real pipes, that need not import torch again.

One process imports what the verbs import and listens at a socket: `python -m tests.docs.program
SOCKET`. The `oea` on the blocks' PATH is a client: it hands over its arguments, folder, environment
and standard streams, and a fork of the listening process runs the verb with them.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.docs.pages import REPOSITORY

PRELOADED = [
    "oea_cli.main",
    "peft",
    "polars",
    "torch",
    "transformers.models.qwen2_5_omni.modeling_qwen2_5_omni",
]
CLIENT = """#!{python} -IS
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [b"x"], [0, 1, 2])
server.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
server.shutdown(socket.SHUT_WR)
process = int.from_bytes(server.recv(4), "little")
for number in signal.SIGINT, signal.SIGTERM:
    signal.signal(number, lambda number, _: os.kill(process, number))
status = server.recv(1)
os._exit(status[0] if status else 137)
"""
PLAIN = """#!/bin/sh
exec "{python}" -m oea_cli "$@"
"""


@contextlib.contextmanager
def program(folder: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """A folder for PATH that holds `oea`; its processes live until the context ends."""
    address = str(folder / "socket")
    client = folder / "bin" / "oea"
    client.parent.mkdir()
    forks = sys.platform == "linux"  # libraries of other systems may not survive a fork
    client.write_text((CLIENT if forks else PLAIN).format(python=sys.executable, address=address))
    client.chmod(0o755)
    if not forks:
        yield client.parent
        return
    command = [sys.executable, "-m", "tests.docs.program", address]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=dict(environment), stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None and server.stdout.readline() == b"ready\n"
        try:
            yield client.parent
        finally:
            server.terminate()


def serve(address: str) -> None:
    """Import what is slow, then run a verb in a fork for each client."""
    for name in PRELOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # finished forks need nobody to wait for them
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _run_verb(client)
        client.close()


def _run_verb(client: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _, streams, _, _ = socket.recv_fds(client, 1, 3)
    words, folder, environment = json.loads(client.makefile("rb").read())
    client.sendall(os.getpid().to_bytes(4, "little"))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["oea", *words]
    status = _status_of_verb()
    client.sendall(bytes([status]))
    os._exit(status)


def _status_of_verb() -> int:
    from oea_cli.main import app

    try:
        app()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
    return status


if __name__ == "__main__":
    serve(sys.argv[1])
