"""Shorthands of the tests that write and read vectors."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors, unit_rows
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings

FILES = ["v.jsonl", "v.npy", "v.parquet"]
OUTPUTS = [*FILES, "v/"]
STAMP = "mini:0123456789ab"


def unit(rows: int, dim: int = 16, seed: int = 0) -> Vectors:
    """(rows, dim) float32 rows of length 1."""
    vectors = np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def named(rows: int) -> list[Record]:
    return [{"id": f"d/{row}.wav", "path": f"w/d/{row}.wav"} for row in range(rows)]


def generated(number: int, rows: int = 500, dim: int = 512) -> Iterator[Batch]:
    """The same batches in every process."""
    rng = np.random.default_rng(5)
    for start in range(0, number * rows, rows):
        records = [{"id": f"é/{row}.wav", "n": row} for row in range(start, start + rows)]
        vectors = rng.standard_normal((rows, dim)).astype(np.float32)
        yield Batch(records, unit_rows(vectors, records, "made"))


def write(output: str, records: list[Record], vectors: Vectors, **options: Any) -> None:
    options = {"encoder": STAMP, **options}
    with open_writer(output, **options) as writer:
        half = len(records) // 2
        writer.write(Batch(records[:half], vectors[:half]))
        writer.write(Batch(records[half:], vectors[half:]))


def read(source: Any, **options: Any) -> tuple[list[Record], Vectors]:
    batches = list(read_embeddings(source, **options))
    records = [record for batch in batches for record in batch.records]
    for batch in batches:
        assert batch.vectors.dtype == np.float32
        assert batch.vectors.flags.c_contiguous and batch.vectors.flags.writeable
        assert len(batch.records) == len(batch.vectors)
    return records, np.concatenate([batch.vectors for batch in batches])


def bits(vectors: Vectors) -> np.ndarray:
    return vectors.view(np.uint32)
