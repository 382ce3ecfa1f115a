"""Bytes of an index's files are changed: the file is named and exit is 1, never a signal.

A graph's links are followed without a look: one that leads nowhere ends the process. index.json is
believed even less: names, counts and numbers in it may be anything.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from oea_cli.errors import OeaError
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index import checking
from oea_cli.vectors.index.building import build_index, extend_index
from oea_cli.vectors.index.index import SCAN_ROWS, VectorIndex
from tests.commands.in_process import run
from tests.fuzz.index_files import without_sums


def _batch(rows: int, first: int = 0) -> Batch:
    angles = np.arange(first, first + rows) * 0.01
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Batch([{"id": f"c{first + row}"} for row in range(rows)], vectors)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with a graph."""
    folder = tmp_path_factory.mktemp("graph") / "x.oea"
    build_index(folder, [_batch(SCAN_ROWS + 1)], dim=2, encoder=None, kind="hnsw")
    return folder


@pytest.fixture
def graph(built: Path, tmp_path: Path) -> Path:
    """The graph of a copy of it."""
    return shutil.copytree(built, tmp_path / "x.oea") / "graph-0001.usearch"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An index of two segments of five rows."""
    build_index(tmp_path / "x.oea", [_batch(5)], dim=2, encoder=None)
    extend_index(tmp_path / "x.oea", [_batch(5, 5)], dim=2, encoder=None)
    return tmp_path / "x.oea"


def _flip(path: Path, *places: int) -> None:
    content = bytearray(path.read_bytes())
    for place in places:
        content[place] ^= 0xFF
    path.write_bytes(content)


def _search(folder: Path) -> Any:
    np.save(folder.parent / "q.npy", np.array([[1, 0]], np.float32))
    words = ["search", "--queries", folder.parent / "q.npy", "-k", 3, "-i", folder, "-f", "trec"]
    return run(words)


def test_whole(graph: Path) -> None:
    done = _search(graph.parent)
    assert [line.split()[2] for line in done.stdout.splitlines()] == ["c0", "c1885", "c3770"]


@pytest.mark.parametrize("with_sums", [True, False])
@pytest.mark.parametrize("place", [-3, -50_000, 100_000, 45, 130])
def test_a_changed_byte_of_a_graph(graph: Path, place: int, with_sums: bool) -> None:
    """Without sums (as indexes of format 1 are) a link may lead elsewhere, but not nowhere."""
    if not with_sums:
        without_sums(graph.parent)
    _flip(graph, place, place + 1, place + 2)
    done = _search(graph.parent)
    if done.returncode == 0 and not with_sums:
        assert len(done.stdout.splitlines()) == 3
        return
    assert (done.returncode, done.stdout) == (1, "")
    assert "graph-0001.usearch" in done.stderr and "build the index again" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("with_sums", [True, False])
@pytest.mark.parametrize("size", [0, 3, 80_008, 500_000])
def test_a_graph_that_was_cut_off(graph: Path, size: int, with_sums: bool) -> None:
    if not with_sums:
        without_sums(graph.parent)
    os.truncate(graph, size)
    with pytest.raises(OeaError, match=r"graph-0001\.usearch: .*damaged.*build the index again"):
        VectorIndex.open(graph.parent)


def test_links_that_lead_nowhere(graph: Path) -> None:
    """The reported one: no sums, and numbers of nodes that are not there."""
    without_sums(graph.parent)
    content = np.fromfile(graph, np.uint8)
    random = np.random.default_rng(0)
    content[random.integers(len(content) // 2, len(content), 400)] = 0xFF
    content.tofile(graph)
    done = _search(graph.parent)
    assert (done.returncode, done.stdout) == (1, "")
    assert "graph-0001.usearch: the graph is damaged" in done.stderr


@pytest.mark.parametrize("name", ["vectors-0001.npy", "records-0002-00.parquet"])
def test_a_changed_byte_of_another_file(small: Path, name: str) -> None:
    _flip(small / name, 140)
    with pytest.raises(OeaError, match=rf"{name}: damaged \(it is not what was written\)"):
        VectorIndex.open(small)


def test_two_files_in_each_other_s_place(small: Path) -> None:
    first, second = small / "vectors-0001.npy", small / "vectors-0002.npy"
    first.rename(small / "aside")
    second.rename(first)
    (small / "aside").rename(second)
    with pytest.raises(OeaError, match=r"vectors-0001\.npy: damaged"):
        VectorIndex.open(small)


def test_a_pipe_in_place_of_a_file(small: Path) -> None:
    (small / "vectors-0001.npy").unlink()
    os.mkfifo(small / "vectors-0001.npy")
    with pytest.raises(OeaError, match=r"vectors-0001\.npy: damaged \(it is not a file\)"):
        VectorIndex.open(small)


def test_large_files_are_summed_once_where_they_lie(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SMALL", 0)
    summed: list[str] = []
    sum_of = checking.sum_of
    monkeypatch.setattr(checking, "sum_of", lambda path: summed.append(path.name) or sum_of(path))
    for _ in range(2):
        VectorIndex.open(small)
    assert len(summed) == len(set(summed)) == 4
    copy = shutil.copytree(small, tmp_path / "y.oea")
    VectorIndex.open(copy)
    assert len(summed) == 8, "a copy is another file"
    _flip(copy / "vectors-0002.npy", 140)
    with pytest.raises(OeaError, match=r"y\.oea/vectors-0002\.npy: damaged"):
        VectorIndex.open(copy)


def _set(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.update({key: value})


def _set_in_segment(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["segments"][0].update({key: value})


@pytest.mark.parametrize(
    "lie",
    [
        _set("dim", 3),
        _set("dim", -2),
        _set("dim", 2**62),
        _set("dim", "2"),
        _set("storage", "f16"),
        _set("storage", "f64"),
        _set("kind", None),
        _set("encoder", 7),
        _set("count", 11),
        _set("next_number", 1),
        _set("segments", None),
        _set("segments", {}),
        _set("surprise", 1),
        lambda content: content.pop("dim"),
        lambda content: content["segments"].append(content["segments"][0]),
        lambda content: content["segments"].append(None),
        _set_in_segment("num_rows", 4),
        _set_in_segment("num_rows", 2**62),
        _set_in_segment("part_rows", [4]),
        _set_in_segment("part_rows", [2, 3]),
        _set_in_segment("number", 2),
        _set_in_segment("vectors", "../x.oea/vectors-0001.npy"),
        _set_in_segment("vectors", "/dev/zero"),
        _set_in_segment("vectors", "vectors-0002.npy"),
        _set_in_segment("records", ["records-0002-00.parquet"]),
        _set_in_segment("graph", "../../graph"),
        _set_in_segment("deleted", "vectors-0001.npy"),
        _set_in_segment("num_deleted", 6),
        _set_in_segment("recall", "1"),
        _set_in_segment("sums", {}),
        _set_in_segment("sums", {"vectors-0001.npy": {"bytes": 168, "crc32": 0}}),
        lambda content: content["segments"][0].pop("vectors"),
    ],
)
def test_an_index_json_that_lies(small: Path, lie: Callable[[dict[str, Any]], None]) -> None:
    content = orjson.loads((small / "index.json").read_bytes())
    lie(content)
    (small / "index.json").write_bytes(orjson.dumps(content))
    if content["segments"] and content["segments"][0].get("sums") == {}:
        assert len(VectorIndex.open(small)) == 10, "as of format 1"
        return
    with pytest.raises(OeaError, match=r"x\.oea.*damaged.*build the index again"):
        VectorIndex.open(small)
