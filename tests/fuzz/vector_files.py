"""Targets: the files of vectors and their records, which one process writes and another reads."""

from pathlib import Path

import numpy as np

from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from tests.fuzz.mutations import any_of, damaged_bytes, lying_json
from tests.fuzz.target import Target

ENCODER = "tiny:0123456789abcdef"


def batch(rows: int = 7, dim: int = 4) -> Batch:
    """Unit vectors (rows, dim) with records of several types, the same each time."""
    vectors = np.random.default_rng(0).standard_normal((rows, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    records = [
        {
            "id": f"clip-{row}.wav",
            "path": f"clip-{row}.wav",
            "captions": ["rain", "wind"][: row % 3],
        }
        for row in range(rows)
    ]
    return Batch(records, vectors, ENCODER)


def _written(folder: Path, name: str) -> list[str]:
    with open_writer(f"{folder}/{name}", encoder=ENCODER, shard_rows=3) as writer:
        writer.write(batch())
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _read_all(source: Path) -> None:
    for _ in read_embeddings(source):
        pass


def _target(name: str, output: str, suffix: str, weight: float = 1.0) -> Target:
    return Target(
        name,
        lambda folder: [one for one in _written(folder, output) if one.endswith(suffix)],
        lambda folder: _read_all(folder / output),
        any_of(damaged_bytes, lying_json) if suffix.endswith(".json") else damaged_bytes,
        weight,
    )


TARGETS = [
    _target("npy", "x.npy", ".npy", 2),
    _target("meta.json", "x.npy", ".meta.json"),
    _target("shards-manifest", "x/", "manifest.json"),
    _target("shards-npy", "x/", ".npy"),
    _target("shards-parquet", "x/", ".parquet", 2),
    _target("parquet-vectors", "x.parquet", ".parquet", 4),
]
