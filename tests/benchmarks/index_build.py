"""An index of 100,000 x 512 built exact from an .npy, against writing the same bytes.

Writing means: the matrix from memory into a file by np.save, then fsync, as the index does with
its own files. Building means: reading the .npy and its records, checking the vectors, writing the
index folder. In turn, the best of several rounds. Run from the repository root:

    python tests/benchmarks/index_build.py                          # goal: ratio under 1.5
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from oea_cli.embeddings import Batch, open_writer, read_embeddings
from oea_cli.vector_index import build_index

DIM = 512


def make_vectors(path: Path, count: int) -> np.ndarray:
    """Write what `oea embed -o X.npy` would: the matrix, and a record per row."""
    rows = np.random.default_rng(0).standard_normal((count, DIM), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    records = [
        {"id": f"clips/{n:06}.wav", "path": f"clips/{n:06}.wav", "captions": ["rain", "it rains"]}
        for n in range(count)
    ]
    with open_writer(str(path), encoder="mini:0123456789ab") as writer:
        writer.write(Batch(records, rows))
    return rows


def write_bytes(path: Path, rows: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, rows, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def build(source: Path, folder: Path) -> None:
    reader = read_embeddings(source)
    build_index(folder, reader, dim=reader.dim, encoder=reader.encoder, kind="exact")


def seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="on which disk [default: the temporary folder]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        rows = make_vectors(folder / "v.npy", options.rows)
        writing, building = [], []
        for number in range(options.rounds):
            # New files every round: replacing old ones would be measured, too.
            plain, index = folder / f"{number}.npy", folder / f"{number}.oea"
            writing.append(seconds(lambda path=plain: write_bytes(path, rows)))
            building.append(seconds(lambda path=index: build(folder / "v.npy", path)))
            plain.unlink()
        print(f"{options.rows} x {DIM} float32")
        print(f"writing   {min(writing):.2f} s (median {np.median(writing):.2f})")
        print(f"building  {min(building):.2f} s (median {np.median(building):.2f})")
        print(
            f"ratio     {min(building) / min(writing):.2f} "
            f"(medians {np.median(building) / np.median(writing):.2f})"
        )


if __name__ == "__main__":
    main()
