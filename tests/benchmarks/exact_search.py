"""Exact search of 1,000 queries over 200,000 x 512, against the bare matrix product.

Both sides use the same memory-mapped rows, in turn, and the best of several rounds counts; the
product writes into memory that is there already. Run from the repository root:

    python tests/benchmarks/exact_search.py            # goal: ratio at most 1.3 at k = 10
    python tests/benchmarks/exact_search.py --rows 50000 --storage i8
"""

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--storage", default="f32")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.oea"
        build_index(
            path, batches(options.rows), dim=DIM, encoder=None, kind="exact",
            storage=options.storage,
        )  # fmt: skip
        index = VectorIndex.open(path)
        rows = index.vectors(np.arange(options.rows))
        queries = unit_rows(np.random.default_rng(1), options.queries)
        product = np.zeros((options.queries, options.rows), np.float32)
        work: dict[str, Callable[[], object]] = {
            "matrix product": lambda: np.matmul(queries, rows.T, out=product),
            "search, k = 10": lambda: index.search(queries, 10),
            "search, k = 100": lambda: index.search(queries, 100),
        }
        rounds = [{name: seconds(job) for name, job in work.items()} for _ in range(options.rounds)]
        best = {
            name: [min(times[name][kind] for times in rounds) for kind in (0, 1)] for name in work
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
