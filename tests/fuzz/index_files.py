"""Targets: the files of an index, with sums (as written now) and without (as older ones are)."""

from pathlib import Path

import numpy as np
import orjson

from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index, delete_records, extend_index
from oea_cli.vectors.index.index import SCAN_ROWS, VectorIndex
from tests.fuzz.mutations import any_of, changed_bytes, damaged_bytes, lying_json
from tests.fuzz.target import Target
from tests.fuzz.vector_files import ENCODER, batch

INDEX = "x.oea"


def _build(folder: Path) -> None:
    """Two segments, one with a deleted row."""
    first, second = batch(5), batch(7)
    build_index(folder / INDEX, [first], dim=4, encoder=ENCODER)
    new = Batch([{"id": f"new-{row}"} for row in range(7)], second.vectors, ENCODER)
    extend_index(folder / INDEX, [new], dim=4, encoder=ENCODER)
    delete_records(folder / INDEX, ["clip-1.wav"])


def _make_new(folder: Path) -> list[str]:
    _build(folder)
    return [f"{INDEX}/{path.name}" for path in sorted((folder / INDEX).iterdir())]


def _make_old(folder: Path) -> list[str]:
    _build(folder)
    without_sums(folder / INDEX)
    return [f"{INDEX}/{path.name}" for path in sorted((folder / INDEX).iterdir())]


def _make_json(folder: Path) -> list[str]:
    _build(folder)
    return [f"{INDEX}/index.json"]


def _make_graph(folder: Path) -> list[str]:
    rows = SCAN_ROWS
    vectors = np.random.default_rng(1).standard_normal((rows, 2)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    whole = Batch([{"id": str(row)} for row in range(rows)], vectors, ENCODER)
    build_index(folder / INDEX, [whole], dim=2, encoder=ENCODER, kind="hnsw")
    without_sums(folder / INDEX)
    return [f"{INDEX}/graph-0001.usearch"]


def without_sums(folder: Path) -> None:
    """Turn an index into one of format 1, whose files have no sums."""
    content = orjson.loads((folder / "index.json").read_bytes())
    content["format"] = "oea-index/1"
    for segment in content["segments"]:
        del segment["sums"]
    (folder / "index.json").write_bytes(orjson.dumps(content))


def _read(folder: Path) -> None:
    index = VectorIndex.open(folder / INDEX)
    queries = np.eye(max(index.dim, 1), dtype=np.float32)[:2]
    rows, _ = index.search(queries, 5)
    index.records(rows[0][rows[0] >= 0])
    index.info()
    assert len(index.row_of) == len(index)


def _read_graph(folder: Path) -> None:
    index = VectorIndex.open(folder / INDEX)
    queries = np.array([[1, 0], [0, 1], [-0.6, 0.8]], np.float32)
    index.search(queries, 5)
    index.search(queries[:1], 50)


TARGETS = [
    Target("index", _make_new, _read),
    Target("index-old", _make_old, _read, any_of(damaged_bytes, changed_bytes), 2),
    Target("index.json", _make_json, _read, any_of(lying_json, lying_json, damaged_bytes), 2),
    Target("graph", _make_graph, _read_graph, any_of(changed_bytes, damaged_bytes), 0.5),
]
