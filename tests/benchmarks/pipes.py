"""How many vectors a second go into a pipe and come out of one, in every form a pipe carries.

    python tests/benchmarks/pipes.py [VECTORS] [DIMENSIONS]

Each side runs in a process of its own, against `cat`, so that neither waits for the other; the
last column is both sides together, writer | reader. Vectors per second of processor time (first
columns, what the side costs) and of wall time (what the machine gave). `bare` is the same work
without checks, records and pipes: orjson.dumps of the rows, orjson.loads and numpy.array of the
lines, in turn with ours; a ratio of 1.0 means that nothing is added.
"""

import io
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from oea_cli.vectors.arrays import unit_rows
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings

ROWS = 1000
RUNS = 3
FORMS: dict[str, dict[str, Any]] = {
    "JSON": {"encoding": "json"},
    "JSON, f16": {"encoding": "json", "storage": "f16"},
    "base64": {"encoding": "base64"},
}


def made(count: int, dim: int) -> Iterator[Batch]:
    """Batches of random unit vectors with records as `oea embed` makes them."""
    rng = np.random.default_rng(0)
    for start in range(0, count, ROWS):
        records = [
            {"id": f"rain/{row}.wav", "path": f"sounds/rain/{row}.wav", "captions": ["rain falls"]}
            for row in range(start, min(start + ROWS, count))
        ]
        vectors = rng.standard_normal((len(records), dim), dtype=np.float32)
        yield Batch(records, unit_rows(vectors, records, "made"))


def clocks() -> tuple[float, float]:
    """Processor and wall seconds."""
    return time.process_time(), time.perf_counter()


def write(form: str, count: int, dim: int) -> None:
    """Write to stdout and say on stderr what it took, the making of the vectors not counted."""
    cpu = wall = 0.0
    with open_writer("-", encoder="mini:0123456789ab", **FORMS[form]) as writer:
        for batch in made(count, dim):
            before = clocks()
            writer.write(batch)
            after = clocks()
            cpu, wall = cpu + after[0] - before[0], wall + after[1] - before[1]
    print(cpu, wall, file=sys.stderr)


def read() -> None:
    """Read stdin to its end and say on stderr what it took from the first byte on."""
    select.select([sys.stdin], [], [])
    before = clocks()
    for _ in read_embeddings("-"):
        pass
    after = clocks()
    print(after[0] - before[0], after[1] - before[1], file=sys.stderr)


def seconds(process: "subprocess.Popen[bytes]") -> tuple[float, float]:
    """The two numbers that a finished side says on stderr."""
    said = process.communicate()[1].split()
    if process.returncode:
        raise SystemExit(b" ".join(said).decode())
    return float(said[0]), float(said[1])


def start(*arguments: str, **streams: Any) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, **streams)


def writing_side(form: str, count: int, dim: int) -> tuple[float, float]:
    drain = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    taken = seconds(start("write", form, str(count), str(dim), stdout=drain.stdin))
    drain.stdin.close()  # type: ignore[union-attr]
    drain.wait()
    return taken


def reading_side(path: Path) -> tuple[float, float]:
    source = subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE)
    taken = seconds(start("read", stdin=source.stdout))
    source.stdout.close()  # type: ignore[union-attr]
    source.wait()
    return taken


def both_sides(form: str, count: int, dim: int) -> float:
    writer = start("write", form, str(count), str(dim), stdout=subprocess.PIPE)
    reader = start("read", stdin=writer.stdout)
    writer.stdout.close()  # type: ignore[union-attr]
    _, wall = seconds(reader)
    writer.communicate()
    return wall


def bare_writing(batches: list[Batch]) -> float:
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    before = time.process_time()
    sink = io.BytesIO()
    for batch in batches:
        for vector in batch.vectors:
            sink.write(orjson.dumps(vector, option=options))
        sink.seek(0)
    return time.process_time() - before


def bare_reading(lines: list[bytes]) -> float:
    before = time.process_time()
    for line in lines:
        np.array(orjson.loads(line)["embedding"], dtype=np.float32)
    return time.process_time() - before


def best(measure: Callable[[], Any]) -> Any:
    """The fastest of a few runs: other programs only ever make it slower."""
    return min(measure() for _ in range(RUNS))


def matrix_file(folder: Path, count: int, dim: int) -> Path:
    path = folder / "matrix.npy"
    np.save(path, np.concatenate([batch.vectors for batch in made(count, dim)]))
    return path


def main(count: int, dim: int) -> None:
    """Measure every form and print a table."""
    print(f"{count} vectors of {dim} float32, vectors per second")
    print(f"{'':<10} {'write cpu':>10} {'wall':>8} {'read cpu':>10} {'wall':>8} {'both wall':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMS:
            path = Path(folder) / "lines.jsonl"
            with path.open("wb") as stream:
                start("write", form, str(count), str(dim), stdout=stream).communicate()
            written = best(lambda form=form: writing_side(form, count, dim))
            found = best(lambda path=path: reading_side(path))
            both = best(lambda form=form: both_sides(form, count, dim))
            rates = [count / value for value in (*written, *found, both)]
            print(f"{form:<10} " + "{:10,.0f} {:8,.0f} {:10,.0f} {:8,.0f} {:10,.0f}".format(*rates))
            if form == "JSON":
                ours = (written[0], found[0])
                bare = (
                    best(lambda: bare_writing(list(made(count, dim)))),
                    best(lambda path=path: bare_reading(path.read_bytes().splitlines())),
                )
        found = best(lambda: reading_side(matrix_file(Path(folder), count, dim)))
        print(f"{'.npy':<10} {'':>10} {'':>8} {count / found[0]:10,.0f} {count / found[1]:8,.0f}")
    print(f"JSON against bare: write {ours[0] / bare[0]:.2f}, read {ours[1] / bare[1]:.2f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", form, count, dim]:
            write(form, int(count), int(dim))
        case ["read"]:
            read()
        case numbers:
            main(*([int(number) for number in numbers] + [20_000, 512][len(numbers) :]))
