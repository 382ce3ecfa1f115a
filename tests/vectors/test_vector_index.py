"""The index folder on random vectors: exactness, ties, filters, changes, crashes, two writers.

Run: pytest tests/test_vector_index.py
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from oea_cli.errors import OeaError, UsageError
from oea_cli.records.where.evaluation import Condition
from oea_cli.vectors.index.building import build_index, compact_index, delete_records, extend_index
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.index.manifest import read_manifest, writing
from oea_cli.vectors.index.storage import RowFile, decode_rows, encode_rows
from tests.conftest import REPOSITORY

DIM = 24
STAMP = "mini:0123456789ab"


@dataclass(frozen=True)
class Vectors:
    records: list[dict[str, Any]]
    vectors: np.ndarray


def unit(rng: np.random.Generator, count: int, dim: int = DIM) -> np.ndarray:
    vectors = rng.standard_normal((count, dim), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def batches(vectors: np.ndarray, first: int = 0, size: int = 64) -> Iterator[Vectors]:
    for start in range(0, len(vectors), size):
        part = vectors[start : start + size]
        numbers = range(first + start, first + start + len(part))
        records = [
            {"id": f"c{n}", "duration": n % 10, "tags": ["a"] if n % 2 else n} for n in numbers
        ]
        yield Vectors(records, part)


def build(folder: Path, vectors: np.ndarray, **options: Any) -> VectorIndex:
    build_index(folder, batches(vectors), dim=vectors.shape[1], encoder=STAMP, **options)
    return VectorIndex.open(folder)


def sorted_whole(scores: np.ndarray, k: int) -> np.ndarray:
    """The reference: every score sorted, ties by row."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


# --- storage


@pytest.mark.parametrize(("storage", "least"), [("f32", 1.0), ("f16", 0.99999), ("i8", 0.9999)])
def test_storage_keeps_directions(rng: np.random.Generator, storage: str, least: float) -> None:
    vectors = unit(rng, 100, 512)
    back = decode_rows(encode_rows(vectors, storage), storage, 512)
    assert back.dtype == np.float32
    cosines = (vectors.astype(np.float64) * back).sum(axis=1) / np.linalg.norm(back, axis=1)
    assert cosines.min() >= least - 1e-7
    assert np.allclose(np.linalg.norm(back, axis=1), 1, atol=1e-3)


def test_bits_are_signs_at_any_dimension(rng: np.random.Generator) -> None:
    vectors = unit(rng, 10, 13)
    back = decode_rows(encode_rows(vectors, "b1"), "b1", 13)
    assert np.array_equal(back > 0, vectors > 0)
    assert np.allclose(np.linalg.norm(back, axis=1), 1)


def test_row_file_grows_and_is_plain_npy(tmp_path: Path, rng: np.random.Generator) -> None:
    vectors = unit(rng, 1000)
    file = RowFile(tmp_path / "rows.npy", DIM, "f32")
    for start in range(0, 1000, 300):
        file.write(vectors[start : start + 300])
    assert np.array_equal(file.read(999)[0], vectors[999])
    file.close()
    assert np.array_equal(np.load(tmp_path / "rows.npy", allow_pickle=False), vectors)


# --- search


@pytest.mark.parametrize("storage", ["f32", "f16", "i8", "b1"])
def test_search_equals_sorting_every_score(
    tmp_path: Path, rng: np.random.Generator, storage: str
) -> None:
    vectors, queries = unit(rng, 3000), unit(rng, 40)
    index = build(tmp_path / "x.oea", vectors, storage=storage)
    rows, scores = index.search(queries, 10)
    stored = decode_rows(encode_rows(vectors, storage), storage, DIM)
    whole = (queries.astype(np.float64) @ stored.T.astype(np.float64)).astype(np.float32)
    expected = sorted_whole(whole, 10)
    assert np.allclose(np.take_along_axis(whole, expected, 1), scores, atol=1e-6)
    assert (rows == expected).mean() > 0.999
    assert np.allclose(index.scores_for(queries), whole, atol=1e-5)


def test_a_hit_does_not_depend_on_the_other_queries(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    index = build(tmp_path / "x.oea", unit(rng, 3000))
    queries = unit(rng, 30)
    rows, scores = index.search(queries, 7)
    for number in range(30):
        alone = index.search(queries[number : number + 1], 7)
        assert np.array_equal(alone[0][0], rows[number])
        assert np.array_equal(alone[1][0], scores[number])


def test_equal_vectors_come_in_the_order_of_their_rows(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    vectors = unit(rng, 500)
    vectors[[3, 77, 401]] = vectors[250]
    index = build(tmp_path / "x.oea", vectors)
    rows, scores = index.search(vectors[250:251], 4)
    assert rows.tolist() == [[3, 77, 250, 401]]
    assert len(set(scores[0].tolist())) == 1


def test_more_hits_than_rows(tmp_path: Path, rng: np.random.Generator) -> None:
    index = build(tmp_path / "x.oea", unit(rng, 5))
    rows, scores = index.search(unit(rng, 2), 100)
    assert rows.shape == scores.shape == (2, 5)
    assert all(sorted(row) == [0, 1, 2, 3, 4] for row in rows.tolist())
    mask = np.array([True, False, False, True, False])
    rows, scores = index.search(unit(rng, 2), 100, mask=mask)
    assert all(sorted(row) == [-1, -1, -1, 0, 3] for row in rows.tolist())
    assert np.isneginf(scores[rows == -1]).all() and (rows[:, :2] >= 0).all()


def test_mask_and_penalty(tmp_path: Path, rng: np.random.Generator) -> None:
    vectors, queries = unit(rng, 2000), unit(rng, 5)
    index = build(tmp_path / "x.oea", vectors)
    mask = rng.random(2000) < 0.3
    penalty = rng.random(2000).astype(np.float32)
    rows, scores = index.search(queries, 10, mask=mask, penalty=penalty)
    whole = np.where(mask, queries @ vectors.T - penalty, -np.inf)
    assert np.array_equal(rows, sorted_whole(whole, 10))
    assert np.allclose(scores, np.take_along_axis(whole, rows, 1), atol=1e-6)


def test_wrong_queries_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    index = build(tmp_path / "x.oea", unit(rng, 5))
    with pytest.raises(OeaError, match=r"24-dimensional vectors, the query has 3"):
        index.search(unit(rng, 1, 3), 1)
    with pytest.raises(OeaError, match="not finite"):
        index.search(np.full((1, DIM), np.nan, np.float32), 1)


def test_graph_finds_nearly_everything_and_filters(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oea_cli.vectors.index.index.SCAN_ROWS", 1000)
    monkeypatch.setattr("oea_cli.vectors.index.segment_writer.SCAN_ROWS", 1000)
    vectors = unit(rng, 2000, 16)
    index = build(tmp_path / "x.oea", vectors, kind="hnsw", storage="f16")
    assert index.segments[0].graph is not None
    queries = unit(rng, 50, 16)
    rows, scores = index.search(queries, 10)
    exact_rows, exact_scores = index.search(queries, 10, exact=True)
    assert np.mean([np.isin(a, b).mean() for a, b in zip(rows, exact_rows, strict=True)]) > 0.95
    # The graph is linked by several threads and may miss a row; what it finds it scores alike.
    same = rows[:, :, None] == exact_rows[:, None, :]  # (queries, found, true)
    query, place, true_place = np.nonzero(same)
    assert np.array_equal(scores[query, place], exact_scores[query, true_place])
    mask = np.arange(2000) % 12 != 0  # enough rows left for the graph to be used
    rows, _ = index.search(queries, 10, mask=mask)
    assert mask[rows].all() and (rows >= 0).all()
    described = index.info()
    assert described["segments"][0]["graph"] and 0.9 < described["recall@10"] <= 1


# --- records


def test_records_come_back_untouched(tmp_path: Path, rng: np.random.Generator) -> None:
    odd = [
        {"id": "a", "x": 1, "captions": ["ein Hund", "ein Häuschen"], "none": None},
        {"id": "b", "x": [1, {"y": 2.5}], "path": "weird name.wav"},
        {"id": "c", "x": 2**53 + 1, "end": 1e-7},
    ]
    build_index(tmp_path / "x.oea", [Vectors(odd, unit(rng, 3))], dim=DIM, encoder=None)
    index = VectorIndex.open(tmp_path / "x.oea")
    assert index.records(np.array([2, 0, 1, 0])) == [odd[2], odd[0], odd[1], odd[0]]
    assert index.encoder is None


def test_where(tmp_path: Path, rng: np.random.Generator) -> None:
    index = build(tmp_path / "x.oea", unit(rng, 100))
    mask = index.where(Condition.parse("duration < 3 AND id LIKE 'c1%'"))
    chosen = [record["id"] for record in index.records(np.flatnonzero(mask))]
    assert chosen == ["c1", "c10", "c11", "c12"]
    assert index.where(Condition.parse("1 = 1")).all()
    assert not index.where(Condition.parse("duration IS NULL")).any()


def test_unknown_id_names_its_neighbours(tmp_path: Path, rng: np.random.Generator) -> None:
    records = [{"id": "long.wav#t=0,10"}, {"id": "long.wav#t=10,20"}, {"id": "other.wav"}]
    build_index(tmp_path / "x.oea", [Vectors(records, unit(rng, 3))], dim=DIM, encoder=None)
    index = VectorIndex.open(tmp_path / "x.oea")
    with pytest.raises(OeaError, match=r"did you mean long\.wav#t=0,10"):
        index.vector_of("long.wav")
    with pytest.raises(OeaError, match=r"did you mean other\.wav"):
        index.vector_of("othr.wav")


# --- changes


def test_append_equals_building_at_once(tmp_path: Path, rng: np.random.Generator) -> None:
    vectors, queries = unit(rng, 300), unit(rng, 9)
    whole = build(tmp_path / "whole.oea", vectors)
    build(tmp_path / "parts.oea", vectors[:100])
    for start in (100, 200):
        part = batches(vectors[start : start + 100], start)
        change = extend_index(tmp_path / "parts.oea", part, dim=DIM, encoder=STAMP)
        assert (change.added, change.total) == (100, start + 100)
    parts = VectorIndex.open(tmp_path / "parts.oea")
    assert len(parts.segments) == 3
    for a, b in zip(whole.search(queries, 12), parts.search(queries, 12), strict=True):
        assert np.array_equal(a, b)
    rows = np.array([0, 150, 299])
    assert whole.records(rows) == parts.records(rows)


def test_appending_the_same_again_changes_nothing(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    vectors = unit(rng, 50)
    build(folder, vectors)
    before = (folder / "index.json").read_bytes()
    noise = vectors + rng.uniform(-1e-7, 1e-7, vectors.shape).astype(np.float32)
    change = extend_index(folder, batches(noise), dim=DIM, encoder=STAMP)
    assert (change.added, change.unchanged, change.total) == (0, 50, 50)
    assert (folder / "index.json").read_bytes() == before


def test_another_vector_for_an_id_is_an_error_and_changes_nothing(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    folder = tmp_path / "x.oea"
    vectors = unit(rng, 50)
    build(folder, vectors)
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(OeaError, match=r"id 'c0' is in .*x\.oea with another vector; --replace"):
        extend_index(folder, batches(-vectors), dim=DIM, encoder=STAMP)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert len(VectorIndex.open(folder)) == 50


def test_replace_lets_the_newer_win(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    vectors = unit(rng, 50)
    build(folder, vectors)
    newer = vectors[:10].copy()
    newer[:5] *= -1
    newer_batches = [*batches(newer), Vectors([{"id": "new"}], unit(rng, 1))]
    change = extend_index(folder, newer_batches, dim=DIM, encoder=STAMP, newer_wins=True)
    assert (change.replaced, change.unchanged, change.added, change.total) == (5, 5, 1, 51)
    index = VectorIndex.open(folder)
    assert np.array_equal(index.vector_of("c2"), newer[2])
    rows, _ = index.search(vectors[:5], 51)
    found = [record["id"] for record in index.records(rows[0])]
    assert len(found) == len(set(found)) == 51


def test_replace_takes_a_changed_record_too(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    vectors = unit(rng, 3)
    build(folder, vectors)
    record = {"id": "c1", "category": "dog"}
    batch = Vectors([record], vectors[1:2])
    change = extend_index(folder, [batch], dim=DIM, encoder=STAMP, newer_wins=True)
    assert change.replaced == 1
    index = VectorIndex.open(folder)
    assert index.records(np.array([index.find("c1")])) == [record]


def test_an_id_twice_in_one_input(tmp_path: Path, rng: np.random.Generator) -> None:
    vectors = unit(rng, 2)
    twice = [Vectors([{"id": "a"}, {"id": "a"}], vectors[[0, 0]])]
    assert build_index(tmp_path / "same.oea", twice, dim=DIM, encoder=None).total == 1
    other = [Vectors([{"id": "a"}, {"id": "a"}], vectors)]
    with pytest.raises(OeaError, match="id 'a' occurs twice with different vectors"):
        build_index(tmp_path / "other.oea", other, dim=DIM, encoder=None)
    assert not (tmp_path / "other.oea").exists()
    change = build_index(tmp_path / "n.oea", other, dim=DIM, encoder=None, newer_wins=True)
    assert (change.total, change.replaced) == (1, 1)
    assert np.array_equal(VectorIndex.open(tmp_path / "n.oea").vector_of("a"), vectors[1])


def test_delete_and_compact(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    vectors = unit(rng, 60)
    build(folder, vectors[:40])
    extend_index(folder, batches(vectors[40:], 40), dim=DIM, encoder=STAMP)
    delete_records(folder, ["c0", "c41"])
    delete_records(folder, ["c1"])
    index = VectorIndex.open(folder)
    assert len(index) == 57 and index.info()["deleted"] == 3
    assert not {0, 1, 41} & set(index.search(vectors[:2], 57)[0].ravel().tolist())
    with pytest.raises(OeaError, match="no record with id 'c0'"):
        delete_records(folder, ["c5", "c0"])
    compact_index(folder)
    compacted = VectorIndex.open(folder)
    assert (len(compacted), compacted.num_rows, len(compacted.segments)) == (57, 57, 1)
    assert np.array_equal(compacted.vector_of("c59"), vectors[59])
    assert index.records(np.array([2])) == compacted.records(np.array([0])), "old readers live on"
    assert len(list(folder.glob("vectors-*"))) == 1, "what is no longer named is removed"


@pytest.mark.parametrize("storage", ["f16", "i8", "b1"])
def test_compacting_to_another_storage(
    tmp_path: Path, rng: np.random.Generator, storage: str
) -> None:
    folder = tmp_path / "x.oea"
    vectors = unit(rng, 200)
    build(folder, vectors)
    compact_index(folder, storage=storage)
    index = VectorIndex.open(folder)
    assert index.storage == storage and index.info()["recall@10"] <= 1
    assert (index.search(vectors, 1)[0][:, 0] == np.arange(200)).mean() > 0.95


def test_many_appends_are_compacted(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oea_cli.vectors.index.building.MAX_SEGMENTS", 3)
    folder = tmp_path / "x.oea"
    vectors = unit(rng, 9)
    build(folder, vectors[:1])
    for number in range(1, 9):
        part = batches(vectors[number : number + 1], number)
        extend_index(folder, part, dim=DIM, encoder=STAMP)
    index = VectorIndex.open(folder)
    assert len(index) == 9 and len(index.segments) <= 3
    assert np.array_equal(index.search(vectors, 1)[0][:, 0], np.arange(9))


def test_another_encoder_or_dimension_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    build(folder, unit(rng, 5))
    with pytest.raises(OeaError, match=r"made with mini:0123456789ab, the new vectors with clap:f"):
        extend_index(folder, batches(unit(rng, 1), 9), dim=DIM, encoder="clap:f")
    with pytest.raises(OeaError, match="holds 24-dimensional vectors, but the new ones have 3"):
        extend_index(folder, batches(unit(rng, 1, 3), 9), dim=3, encoder=STAMP)


def test_rebuilding_replaces_the_whole_index(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    build(folder, unit(rng, 50))
    vectors = unit(rng, 5, 8)
    index = build(folder, vectors, storage="f16")
    assert (len(index), index.dim, index.storage) == (5, 8, "f16")
    assert sorted(p.name for p in folder.iterdir() if p.name[0] != ".") == [
        "index.json",
        "records-0002-00.parquet",
        "vectors-0002.npy",
    ]


def test_unknown_kind_and_storage(tmp_path: Path, rng: np.random.Generator) -> None:
    with pytest.raises(UsageError, match="--storage must be one of f32, f16, i8, b1; got 'f8'"):
        build(tmp_path / "x.oea", unit(rng, 5), storage="f8")
    with pytest.raises(UsageError, match="kind must be one of auto, exact, hnsw; got 'ivf'"):
        build(tmp_path / "x.oea", unit(rng, 5), kind="ivf")
    assert not (tmp_path / "x.oea").exists()


# --- what is on the disk


def test_the_folder_is_plain_files(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    vectors = unit(rng, 20)
    build(folder, vectors)
    assert np.array_equal(np.load(folder / "vectors-0001.npy", allow_pickle=False), vectors)
    frame = pl.read_parquet(folder / "records-0001-00.parquet")
    assert frame.columns == ["id", "duration", "tags", "record"] and frame["id"][3] == "c3"
    head = orjson.loads((folder / "index.json").read_bytes())
    assert (head["format"], head["count"], head["encoder"]) == ("oea-index/2", 20, STAMP)


def test_what_is_no_index_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    (tmp_path / "wavs").mkdir()
    (tmp_path / "wavs" / "a.wav").touch()
    for name, words in [
        ("nope", "no such index; build one with"),
        ("wavs", r"not an index \(a folder without index.json\)"),
        ("wavs/a.wav", "a file, not an index folder"),
    ]:
        with pytest.raises(OeaError, match=words):
            VectorIndex.open(tmp_path / name)
    with pytest.raises(OeaError, match=r"contains other files \(a\.wav\)"):
        build(tmp_path / "wavs", unit(rng, 1))
    assert (tmp_path / "wavs" / "a.wav").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "cannot be read"),
        (b"[]", "no JSON object"),
        (
            b'{"format": "oea-index/9"}',
            r"written by a newer oea \(format 9; this one reads up to 2\); upgrade oea",
        ),
        (b'{"format": "oea-index/1"}', "damaged"),
    ],
)
def test_damaged_manifests_are_one_line(
    tmp_path: Path, rng: np.random.Generator, content: bytes, words: str
) -> None:
    build(tmp_path / "x.oea", unit(rng, 5))
    (tmp_path / "x.oea" / "index.json").write_bytes(content)
    with pytest.raises(OeaError, match=words):
        VectorIndex.open(tmp_path / "x.oea")
    assert len(build(tmp_path / "x.oea", unit(rng, 6))) == 6, "building again mends it"
    assert len(list((tmp_path / "x.oea").glob("vectors-*"))) == 1


def test_an_empty_index_says_so(tmp_path: Path, rng: np.random.Generator) -> None:
    build_index(tmp_path / "x.oea", [], dim=0, encoder=None)
    with pytest.raises(OeaError, match="the index is empty"):
        VectorIndex.open(tmp_path / "x.oea").search(unit(rng, 1), 1)


def test_a_lost_file_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    build(tmp_path / "x.oea", unit(rng, 5))
    (tmp_path / "x.oea" / "vectors-0001.npy").unlink()
    with pytest.raises(OeaError, match=r"damaged: .*vectors-0001\.npy is missing"):
        VectorIndex.open(tmp_path / "x.oea")


def test_a_failing_input_leaves_no_trace(tmp_path: Path, rng: np.random.Generator) -> None:
    def breaks() -> Iterator[Vectors]:
        yield from batches(unit(rng, 100))
        raise OeaError("vectors.jsonl:101: cut off")

    with pytest.raises(OeaError, match="cut off"):
        build_index(tmp_path / "x.oea", breaks(), dim=DIM, encoder=STAMP)
    assert not (tmp_path / "x.oea").exists()
    build(tmp_path / "x.oea", unit(rng, 5))
    before = sorted(path.name for path in (tmp_path / "x.oea").iterdir())
    with pytest.raises(OeaError, match="cut off"):
        build_index(tmp_path / "x.oea", breaks(), dim=DIM, encoder=STAMP)
    assert sorted(path.name for path in (tmp_path / "x.oea").iterdir()) == before
    assert len(VectorIndex.open(tmp_path / "x.oea")) == 5


def test_one_writer_at_a_time(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    build(folder, unit(rng, 5))
    with writing(folder), pytest.raises(OeaError, match="another `oea index` is writing it"):
        build(folder, unit(rng, 6))
    assert len(VectorIndex.open(folder)) == 5
    assert len(build(folder, unit(rng, 6))) == 6


SLOW_BUILD = """
import sys, time
import numpy as np
from oea_cli.vectors.index.building import build_index
from tests.vectors.test_vector_index import (batches, unit)

def slow():
    for batch in batches(unit(np.random.default_rng(0), 200)):
        yield batch
        print("written", flush=True)
        time.sleep(60)

build_index(__import__("pathlib").Path(sys.argv[1]), slow(), dim=24, encoder=None)
"""


def start_slow_build(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_BUILD, str(folder)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "written\n"
    return process


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_writer_leaves_the_old_index(
    tmp_path: Path, rng: np.random.Generator, how: signal.Signals
) -> None:
    folder = tmp_path / "x.oea"
    build(folder, unit(rng, 5))
    process = start_slow_build(folder)
    try:
        assert (folder / "vectors-0002.npy").exists()
        os.kill(process.pid, how)
    finally:
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()
    assert len(VectorIndex.open(folder)) == 5
    assert (folder / "vectors-0002.npy").exists() == (how == signal.SIGKILL)
    assert len(build(folder, unit(rng, 6))) == 6, "the lock went with the process"
    assert len(list(folder.glob("vectors-*"))) == 1, "and what it left is removed"


def test_readers_never_meet_a_half_written_index(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = tmp_path / "x.oea"
    build(folder, unit(rng, 10))
    code = (
        "import numpy as np, sys, pathlib\n"
        "from tests.vectors.test_vector_index import build, unit\n"
        "for n in range(12): build(pathlib.Path(sys.argv[1]), unit(np.random.default_rng(n), 10))"
    )
    command = [sys.executable, "-c", code, str(folder)]
    process = subprocess.Popen(command, cwd=REPOSITORY)
    num_reads = 0
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        index = VectorIndex.open(folder)
        assert len(index.records(np.arange(10))) == len(index) == 10
        num_reads += 1
    assert process.wait(timeout=30) == 0
    assert num_reads > 10 and read_manifest(folder).next_number > 12
