"""SIGTERM, SIGHUP, Ctrl-C: what is done is saved, a line says how to go on, nothing is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import polars as pl
import pytest

from oea_cli.vectors.files.formats import read_embeddings
from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment

ENDS = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}


def rows(count: int) -> bytes:
    return b"".join(
        orjson.dumps({"id": f"t{n}", "text": f"a dog barks {n}"}) + b"\n" for n in range(count)
    )


def ended_by(
    end: signal.Signals, args: list[str | Path], given: bytes, folder: Path, seconds: float = 0
) -> Completed:
    """A verb that has read `given` from an open pipe and is then asked to end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "oea_cli", *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**clean_environment(), "OMP_NUM_THREADS": "1"},
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.write(given)
    process.stdin.flush()
    until = time.monotonic() + 60
    while not list(folder.rglob(".*.tmp")) + list(folder.rglob(".part*")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    time.sleep(seconds)
    os.kill(process.pid, end)
    said = process.stderr.read().decode()  # stdin stays open: nobody else ends it
    process.wait(timeout=60)
    process.stdin.close()
    out = process.stdout.read().decode()
    process.stdout.close()
    process.stderr.close()
    return subprocess.CompletedProcess([], process.returncode, out, said)


@pytest.mark.slow
@pytest.mark.parametrize(("end", "code"), ENDS.items(), ids=lambda value: str(value))
def test_a_folder_keeps_what_is_done(
    tiny_encoder: Path, tmp_path: Path, end: signal.Signals, code: int
) -> None:
    """No shard is full; what is encoded is stored, also of groups that were not finished."""
    args = ["embed", "--text", "-", "-m", tiny_encoder, "-o", "out/", "--shard", "1/2", "-b", "2"]
    done = ended_by(end, args, rows(100), tmp_path, seconds=4)
    assert done.returncode == code, done.stderr
    assert done.stderr == (
        "oea embed: interrupted; the same command goes on after what is in out/\n"
    )
    assert not list(tmp_path.rglob(".*")), "something is left behind"
    stored = [pl.read_parquet(path)["id"] for path in tmp_path.glob("out/metadata/*.parquet")]
    # Groups of eight: two have come out, two are encoded, two wait to be read on.
    assert sum(map(len, stored)) >= 24
    args[2] = "rows.jsonl"
    (tmp_path / "rows.jsonl").write_bytes(rows(100))
    for part in ("1/2", "2/2"):
        args[args.index("--shard") + 1] = part
        assert run(args, cwd=tmp_path).returncode == 0
    ids = [record["id"] for batch in read_embeddings(tmp_path / "out") for record in batch.records]
    assert sorted(ids) == sorted(f"t{n}" for n in range(100))


@pytest.mark.slow
@pytest.mark.parametrize("output", ["v.npy", "v.jsonl", "v.parquet"])
def test_a_file_is_whole_or_not_there(tiny_encoder: Path, tmp_path: Path, output: str) -> None:
    args = ["embed", "--text", "-", "-m", tiny_encoder, "-o", output]
    done = ended_by(signal.SIGTERM, args, rows(50), tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (143, []), done.stderr
    assert done.stderr == "oea embed: interrupted; the same command starts again\n"


@pytest.mark.slow
def test_what_a_killed_job_left_is_swept(tiny_encoder: Path, tmp_path: Path) -> None:
    args = ["embed", "--text", "-", "-m", tiny_encoder, "-o", "v.npy"]
    done = ended_by(signal.SIGKILL, args, rows(50), tmp_path)
    assert done.returncode == -signal.SIGKILL
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == 2 and all(name.startswith(".v.") for name in left)
    stranger = tmp_path / ".v.npy.notes.tmp"
    stranger.touch()
    assert run(args, input=rows(5), cwd=tmp_path).returncode == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"v.npy", "v.jsonl", "v.meta.json", stranger.name}


EARLY = """
import signal, sys
from oea_cli.commands.console.interrupts import handle_interrupts, watch_interrupts
handle_interrupts()
import early  # which is interrupted
print("imported", flush=True)
watch_interrupts()
print("lost")
"""


@pytest.mark.parametrize("end", ENDS)
def test_a_signal_during_the_first_imports_is_not_lost(tmp_path: Path, end: signal.Signals) -> None:
    (tmp_path / "early.py").write_text(f"import signal\nsignal.raise_signal({int(end)})\n")
    path = os.pathsep.join([str(tmp_path), clean_environment()["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, "-c", EARLY],
        capture_output=True,
        text=True,
        env={**clean_environment(), "PYTHONPATH": path},
        timeout=60,
        check=False,
    )
    assert done.stdout == "imported\n"
    assert done.stderr.splitlines()[-1].startswith(("KeyboardInterrupt", "oea_cli.errors.Stopped"))


IN_A_DESTRUCTOR = """
import signal, sys, time
from oea_cli.commands.console.interrupts import handle_interrupts, watch_interrupts
class Closing:
    def __del__(self):
        signal.raise_signal(int(sys.argv[1]))
handle_interrupts()
watch_interrupts()
try:
    Closing()
    time.sleep(10)
except KeyboardInterrupt as interrupt:
    print(getattr(interrupt, "exit_code", 130))
"""


@pytest.mark.parametrize(("end", "code"), ENDS.items(), ids=lambda value: str(value))
def test_a_signal_inside_a_destructor_is_not_lost(end: signal.Signals, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_DESTRUCTOR, str(int(end))],
        capture_output=True,
        text=True,
        env=clean_environment(),
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{code}\n", "")
