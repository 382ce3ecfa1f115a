"""Exact search of 1,000 queries over 200,000 x 512, against the bare matrix product.

Both sides use the same memory-mapped rows, in turn, each in a process of its own, and the best of
several rounds counts; the product writes into memory that is there already. Run from the
repository root:

    python tests/benchmarks/exact_search.py            # goal: 1.3 x at k = 10, 1.4 x at k = 100
    python tests/benchmarks/exact_search.py --rows 50000 --storage i8
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index
from oea_cli.vectors.index.index import VectorIndex

DIM = 512


def unit_rows(rng: np.random.Generator, count: int) -> np.ndarray:
    rows = rng.standard_normal((count, DIM), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def batches(num_rows: int) -> Iterator[Batch]:
    rng = np.random.default_rng(0)
    for start in range(0, num_rows, 8192):
        count = min(8192, num_rows - start)
        yield Batch([{"id": str(start + n)} for n in range(count)], unit_rows(rng, count))


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def product(folder: Path, options: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """The bare product, with as many threads as BLAS likes."""
    rows = VectorIndex.open(folder).vectors(np.arange(options.rows))
    queries = unit_rows(np.random.default_rng(1), options.queries)
    scores = np.full((options.queries, options.rows), 0, np.float32)
    return {"matrix product": seconds(lambda: np.matmul(queries, rows.T, out=scores))}


def search(folder: Path, options: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """Our search, its rows read once before; the verb leaves the threads to it in the same way."""
    index = VectorIndex.open(folder)
    queries = unit_rows(np.random.default_rng(1), options.queries)
    index.search(queries[:1], 1)
    return {f"search, k = {k}": seconds(lambda k=k: index.search(queries, k)) for k in (10, 100)}


def in_child(name: str, folder: Path) -> dict[str, list[float]]:
    """Run one of the two in a process of its own; what it prints last is JSON."""
    own = {"OPENBLAS_NUM_THREADS": "1"} if name == "search" else {}
    path = os.pathsep.join([str(Path.cwd()), *sys.path[1:]])
    done = subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--only", name, "--folder", str(folder)],
        capture_output=True, text=True, check=True, env={**os.environ, **own, "PYTHONPATH": path},
    )  # fmt: skip
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--storage", default="f32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("product", "search"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        work = product if options.only == "product" else search
        print(json.dumps(work(options.folder, options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.oea"
        build_index(
            path, batches(options.rows), dim=DIM, encoder=None, kind="exact",
            storage=options.storage,
        )  # fmt: skip
        rounds = [
            {**in_child("product", path), **in_child("search", path)} for _ in range(options.rounds)
        ]
    best = {
        name: [min(times[name][kind] for times in rounds) for kind in (0, 1)] for name in rounds[0]
    }
    bare = best["matrix product"]
    print(f"{options.queries} queries x {options.rows} rows x {DIM}, {options.storage}")
    for name, (wall, processor) in best.items():
        print(
            f"{name:16} {wall:6.2f} s, {processor:6.2f} s of processor; "
            f"{wall / bare[0]:.2f} and {processor / bare[1]:.2f} x the product"
        )


if __name__ == "__main__":
    main()
