"""Real pipes between real processes: the bits that arrive, closed pipes, cut-off writers."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import clean_environment
from tests.vectors.batches import generated

MAKE = """
import sys
import numpy as np
from oea_cli.vectors.files.formats import open_writer
from tests.vectors.batches import generated
"""
WRITE = (
    MAKE
    + """
with open_writer("-", encoder="m:1", encoding=sys.argv[1], storage=sys.argv[2]) as writer:
    for batch in generated(int(sys.argv[3])):
        writer.write(batch)
"""
)
SAVE = (
    MAKE
    + """
matrix = np.concatenate([batch.vectors for batch in generated(int(sys.argv[1]))])
np.save(sys.stdout.buffer, matrix)
"""
)
READ = """
import hashlib, resource, sys
from oea_cli.vectors.files.formats import read_embeddings
from oea_cli.errors import OeaError
digest = hashlib.sha256()
count = 0
try:
    reader = read_embeddings("-", batch_rows=300)
    for batch in reader:
        digest.update(batch.vectors.tobytes())
        last = batch.records[-1]
        count += len(batch.records)
except OeaError as error:
    sys.exit(f"said: {error}")
print(reader.encoder, reader.dim, count, last, digest.hexdigest())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def start(code: str, *arguments: str, **streams: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**clean_environment(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        **streams,
    )


def through_a_pipe(code: str, *arguments: str) -> tuple[str, int]:
    """What the reader says of the writer's stream, and the reader's peak memory in MiB."""
    writer = start(code, *arguments, stdout=subprocess.PIPE)
    reader = start(READ, stdin=writer.stdout.fileno(), stdout=subprocess.PIPE)  # type: ignore[union-attr]
    writer.stdout.close()  # type: ignore[union-attr]
    said, _ = reader.communicate(timeout=120)
    assert (writer.wait(), reader.returncode) == (0, 0)
    line, memory = said.decode().splitlines()
    return line, int(memory)


def digest_of(number: int) -> str:
    return hashlib.sha256(b"".join(b.vectors.tobytes() for b in generated(number))).hexdigest()


@pytest.mark.parametrize("encoding", ["json", "base64"])
def test_every_bit_arrives(encoding: str) -> None:
    line, _ = through_a_pipe(WRITE, encoding, "f32", "3")
    assert line == f"m:1 512 1500 {{'id': 'é/1499.wav', 'n': 1499}} {digest_of(3)}"


def test_a_bare_matrix_arrives() -> None:
    line, _ = through_a_pipe(SAVE, "3")
    assert line == f"None 512 1500 {{'id': '1499'}} {digest_of(3)}"


@pytest.mark.slow
def test_half_precision_means_the_same_in_both_encodings() -> None:
    said = {through_a_pipe(WRITE, encoding, "f16", "1")[0] for encoding in ("json", "base64")}
    assert len(said) == 1


@pytest.mark.slow
@pytest.mark.parametrize("code", [WRITE, SAVE])
def test_memory_does_not_grow_with_the_stream(code: str) -> None:
    sizes = ("2", "80")
    arguments = (
        [("base64", "f32", size) for size in sizes]
        if code is WRITE
        else [(size,) for size in sizes]
    )
    small, large = (through_a_pipe(code, *each)[1] for each in arguments)
    assert large < small + 20, "40,000 vectors of 2 kB are 80 MB"


@pytest.mark.parametrize(("code", "arguments"), [(WRITE, ("json", "f32", "20"))])
def test_a_closed_pipe_reaches_the_boundary(code: str, arguments: tuple[str, ...]) -> None:
    writer = start(code, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline().startswith(b'{"id":"\xc3\xa9/0.wav"')
    writer.stdout.close()
    _, errors = writer.communicate(timeout=60)
    assert b"BrokenPipeError" in errors
    assert writer.returncode != 0


@pytest.mark.parametrize(
    ("code", "arguments", "said"),
    [
        (
            SAVE,
            ("1",),
            b"said: stdin: ends before its 500 vectors are complete; the writer was cut off",
        ),
        (WRITE, ("json", "f32", "1"), b"said: stdin:31: not JSON ("),
    ],
)
def test_a_writer_that_is_cut_off(code: str, arguments: tuple[str, ...], said: bytes) -> None:
    content = start(code, *arguments, stdout=subprocess.PIPE).communicate()[0]
    lines = content.split(b"\n")
    cut = len(b"\n".join(lines[:30])) + 100 if code is WRITE else len(content) - 1000
    done = subprocess.run(
        [sys.executable, "-c", READ],
        input=content[:cut],
        capture_output=True,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(said)


def test_lines_are_there_before_the_writer_ends(tmp_path: Path) -> None:
    code = (
        MAKE
        + """
with open_writer("-", encoder="m:1") as writer:
    for batch in generated(2, rows=2):  # the last row waits for the next one, or the end
        writer.write(batch)
        sys.stdin.readline()
"""
    )
    writer = start(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout is not None and writer.stdin is not None
    assert writer.stdout.readline().startswith(b'{"id"')
    writer.stdin.write(b"go on\n")
    writer.stdin.flush()
    assert writer.stdout.readline().startswith(b'{"id"')
    writer.communicate(b"\n", timeout=60)
    assert writer.returncode == 0
