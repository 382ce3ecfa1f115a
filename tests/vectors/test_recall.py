"""`recall@10` of an index: by rows that are left out, against a count by hand."""

from pathlib import Path

import numpy as np
import pytest

from oea_cli.commands.console.index_table import index_table
from oea_cli.vectors.arrays import Floats
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index, compact_index, extend_index
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.index.recall import CHOSEN_FROM, NUM_QUERIES, RecallSample
from oea_cli.vectors.index.storage import decode_rows, encode_rows

DIM = 16


def unit(count: int, seed: int = 0) -> Floats:
    vectors = np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def built(folder: Path, vectors: Floats, batch_rows: int = 300, **options: str) -> VectorIndex:
    ids = [{"id": f"c{row}"} for row in range(len(vectors))]
    starts = range(0, len(vectors), batch_rows)
    parts = [slice(start, start + batch_rows) for start in starts]
    batches = [Batch(ids[part], vectors[part]) for part in parts]
    build_index(folder, batches, dim=DIM, encoder=None, **options)
    return VectorIndex.open(folder)


def nearest(queries: Floats, rows: Floats, hidden: np.ndarray) -> list[set[int]]:
    """The ten nearest rows of each query, those hidden from it (Q, N) left out."""
    scores = np.where(hidden, -np.inf, queries.astype(np.float64) @ rows.T.astype(np.float64))
    return [set(row[:10].tolist()) for row in np.argsort(-scores, axis=1, kind="stable")]


def asking(count: int) -> np.ndarray:
    last = min(count, CHOSEN_FROM) - 1
    return np.unique(np.linspace(0, last, NUM_QUERIES).astype(int))


@pytest.mark.parametrize("storage", ["f16", "i8", "b1"])
@pytest.mark.parametrize("count", [30, 2000])
def test_a_scan_of_rows_that_lost_precision(tmp_path: Path, storage: str, count: int) -> None:
    vectors = unit(count)
    index = built(tmp_path / "x.oea", vectors, storage=storage)
    rows = asking(count)
    own = np.zeros((len(rows), count), bool)
    own[np.arange(len(rows)), rows] = True
    stored = decode_rows(encode_rows(vectors, storage), storage, DIM)
    true, found = nearest(vectors[rows], vectors, own), nearest(vectors[rows], stored, own)
    share = np.mean([len(t & f) / 10 for t, f in zip(true, found, strict=True)])
    assert index.info()["recall@10"] == pytest.approx(share, abs=1e-3)
    assert index.info()["recall_queries"] == len(rows)


def test_rows_that_ask_are_not_in_the_graph_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oea_cli.vectors.index.index.SCAN_ROWS", 1000)
    monkeypatch.setattr("oea_cli.vectors.index.segment_writer.SCAN_ROWS", 1000)
    asked: list[tuple[int, np.ndarray]] = []
    measure = RecallSample.share_of_graph

    def noted(self: RecallSample, index: VectorIndex) -> float | None:
        graph = index.segments[0].graph
        assert graph is not None
        asked.append((len(graph), np.array([key in graph for key in self.rows.tolist()])))
        return measure(self, index)

    monkeypatch.setattr(RecallSample, "share_of_graph", noted)
    for storage in ("f32", "i8"):
        index = built(tmp_path / f"{storage}.oea", unit(3000), kind="hnsw", storage=storage)
        size, inside = asked.pop()
        assert size == 3000 - NUM_QUERIES and not inside.any()
        graph = index.segments[0].graph
        assert graph is not None and len(graph) == 3000, "and all are, in the end"
        assert 0.5 < index.info()["recall@10"] <= 1
        assert index.info()["recall_queries"] == NUM_QUERIES
        assert index.search(unit(3000)[:1], 1)[0][0, 0] == 0


def test_an_exact_index_and_one_without_rows(tmp_path: Path) -> None:
    index = built(tmp_path / "x.oea", unit(50))
    assert (index.info()["recall@10"], index.info()["recall_queries"]) == (1.0, None)
    assert "recall@10   1.000, searches are exact" in index_table(index.info())
    one = built(tmp_path / "y.oea", unit(1), storage="i8")
    assert one.info()["recall@10"] == 1.0


def test_what_was_asked_is_said(tmp_path: Path) -> None:
    index = built(tmp_path / "x.oea", unit(500), storage="b1")
    folder, said = index.folder, index_table(index.info())
    assert "of an exact search on the vectors as they came, by 100 of them, left out" in said
    more = Batch([{"id": f"d{row}"} for row in range(40)], unit(40, seed=1))
    extend_index(folder, [more], dim=DIM, encoder=None)
    assert VectorIndex.open(folder).info()["recall_queries"] == 140
    compact_index(folder)
    assert VectorIndex.open(folder).info()["recall_queries"] == 100
