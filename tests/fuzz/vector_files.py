"""Targets: the files of vectors and their records, which one process writes and another reads."""

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.records.tables import read_table
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from tests.fuzz.mutations import any_of, changed_bytes, damaged_bytes, lying_json
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


def _foreign(folder: Path) -> list[str]:
    """Parquet files as other programs write them, of each encoding and compression."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = batch(60)
    table = pa.table(
        {
            "id": whole.ids,
            "n": [None if row % 5 == 0 else row for row in range(60)],
            "captions": [record["captions"] for record in whole.records],
            "audio": [{"bytes": None, "path": name} for name in whole.ids],
            "embedding": pa.array(whole.vectors.tolist(), pa.list_(pa.float32())),
        }
    )
    for name, options in _WAYS.items():
        pq.write_table(table, folder / f"{name}.parquet", **options)
    return [f"{name}.parquet" for name in _WAYS]


_WAYS: dict[str, dict[str, Any]] = {
    "plain": {"compression": "none", "use_dictionary": False},
    "snappy": {"compression": "snappy"},
    "zstd2": {"compression": "zstd", "data_page_version": "2.0", "version": "2.6"},
    "gzip": {"compression": "gzip", "row_group_size": 20},
    "plain2": {"compression": "none", "data_page_version": "2.0", "data_page_size": 64},
    "delta": {
        "compression": "none",
        "use_dictionary": False,
        "column_encoding": {"n": "DELTA_BINARY_PACKED", "id": "DELTA_BYTE_ARRAY"},
    },
}


def _read_foreign(folder: Path) -> None:
    for path in sorted(folder.glob("*.parquet")):
        if path.read_bytes() != _whole_foreign(path.name):
            rows = sum(map(len, read_embeddings(path))), len(list(read_table(path)))
            assert rows == (60, 60), f"{rows} rows of 60"


@cache
def _whole_foreign(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        _foreign(Path(place))
        return Path(place, name).read_bytes()


def _go_on(folder: Path) -> None:
    """Continue an interrupted run, on a copy: what is there is adopted and completed."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder / "x", copy)
    try:
        with open_writer(f"{copy}/", encoder=ENCODER, shard_rows=3) as writer:
            writer.write(Batch([{"id": "new"}], batch(1).vectors, ENCODER))
        _read_all(copy)
    finally:
        shutil.rmtree(copy)


TARGETS = [
    Target(
        "shards-resumed",
        lambda folder: [one for one in _written(folder, "x/") if one.endswith(".parquet")],
        _go_on,
        weight=0.2,
    ),
    Target("parquet-foreign", _foreign, _read_foreign, any_of(damaged_bytes, changed_bytes), 6),
    _target("npy", "x.npy", ".npy", 2),
    _target("meta.json", "x.npy", ".meta.json"),
    _target("shards-manifest", "x/", "manifest.json"),
    _target("shards-npy", "x/", ".npy"),
    _target("shards-parquet", "x/", ".parquet", 2),
    _target("parquet-vectors", "x.parquet", ".parquet", 4),
]
