"""An index of 100,000 x 512 built exact from a file of vectors, against writing the same bytes.

Writing means: the matrix from memory into a file by np.save, then fsync, as the index does with
its own files. Building means: reading the vectors and their records (clip id, path, two captions),
checking them, writing the index folder. In turn, the best of several rounds; before each step the
disk is left to finish what earlier steps owe it, deletions among them, which whoever waits for it
first would pay for. The goal is about the .npy. Run from the repository root:

    python tests/benchmarks/index_build.py                          # goal: ratio under 1.5

Writing waits for the disk and building needs the processor, too: on a machine whose cores are all
taken by other programs the ratio grows. Processor time tells what the work itself costs.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from oea_cli.vectors.index.building import build_index

DIM = 512
SOURCES = ("v.npy", "v.parquet")


def make_vectors(path: Path, count: int) -> np.ndarray:
    """Write what `oea embed -o` would: the matrix, and a record per row."""
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


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and processor seconds, on a disk that owes nothing."""
    os.sync()
    started = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started[0], time.process_time() - started[1]


def measure(folder: Path, rows: np.ndarray, rounds: int) -> dict[str, np.ndarray]:
    """(rounds, 2) seconds of every step."""
    taken: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        plain = folder / "plain.npy"
        taken.setdefault("writing", []).append(seconds(lambda path=plain: write_bytes(path, rows)))
        plain.unlink()
        for name in SOURCES:
            index = folder / "v.oea"
            step = seconds(lambda name=name, index=index: build(folder / name, index))
            taken.setdefault(name, []).append(step)
            shutil.rmtree(index)
    return {name: np.array(values) for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="on which disk [default: the temporary folder]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for source in SOURCES:
            rows = make_vectors(Path(name) / source, options.rows)
        taken = measure(Path(name), rows, options.rounds)
    print(
        f"{options.rows} x {DIM} float32, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    writing = taken["writing"][:, 0]
    for step, values in taken.items():
        wall, processor = values.T
        ratio = wall.min() / writing.min(), np.median(wall) / np.median(writing)
        print(
            f"{step:<10} {wall.min():.2f} s (median {np.median(wall):.2f}, processor "
            f"{processor.min():.2f})  ratio {ratio[0]:.2f} (medians {ratio[1]:.2f})"
        )


if __name__ == "__main__":
    main()
