"""Long clips lie as windows: k counts files, and a run of files scores as the index does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oea_cli.search.index_search import search_index
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index
from oea_cli.vectors.index.index import VectorIndex
from tests.commands.in_process import run
from tests.conftest import Completed
from tests.vectors.batches import unit, write

DIM = 16
LENGTHS = [1, 40, 3, 7, 1, 1, 200, 2, 1, 5]
"""How many windows each clip has; some fill the first places for queries near them."""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """x.oea, q.npy with judged records, and qrels.txt; the working folder."""
    monkeypatch.chdir(tmp_path)
    centres = unit(len(LENGTHS), DIM, seed=3)
    records, vectors = [], []
    for clip, length in enumerate(LENGTHS):
        near = centres[clip] + 0.3 * unit(length, DIM, seed=20 + clip)
        vectors.append(near / np.linalg.norm(near, axis=1, keepdims=True))
        names = [f"#t={n},{n + 1}" for n in range(length)] if length > 1 else [""]
        records += [
            {"id": f"c{clip}.wav{name}", "path": f"c{clip}.wav", "start": n, "end": n + 1}
            for n, name in enumerate(names)
        ]
    batch = Batch(records, np.concatenate(vectors).astype(np.float32))
    build_index(tmp_path / "x.oea", [batch], dim=DIM, encoder=None)
    asked = [{"id": f"q{n}", "target": f"c{(n * 3 + 1) % 10}.wav"} for n in range(10)]
    mixed = centres + 0.8 * centres[[1, 6, 6, 1, 6, 1, 6, 1, 1, 6]]
    write("q.npy", asked, (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)), encoder=None)
    Path("qrels.txt").write_text("".join(f"{q['id']} 0 {q['target']} 1\n" for q in asked))
    return tmp_path


def files_of(done: Completed) -> dict[str, list[str]]:
    """The files of a TREC run, best first."""
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        query, _, document, rank, *_ = line.split()
        found.setdefault(query, []).append(document)
        assert int(rank) == len(found[query])
    return found


def best_files(k: int) -> dict[str, list[str]]:
    """What a search must find, from all scores."""
    index = VectorIndex.open(Path("x.oea"))
    ids = index.record_files.ids()
    vectors = index.vectors(np.arange(len(ids)))
    found = {}
    for number, query in enumerate(np.load("q.npy")):
        best: dict[str, float] = {}
        for id_, score in zip(ids, (vectors @ query).tolist(), strict=True):
            clip = id_.partition("#")[0]
            best[clip] = max(score, best.get(clip, -2))
        found[f"q{number}"] = sorted(best, key=lambda clip: -best[clip])[:k]
    return found


SEARCH = ["search", "--queries", "q.npy", "-i", "x.oea"]


@pytest.mark.parametrize("k", [1, 3, 10])
def test_k_counts_files_in_a_trec_run(made: Path, k: int) -> None:
    done = run([*SEARCH, "-k", str(k), "-f", "trec"])
    assert files_of(done) == best_files(k)


def test_a_run_scores_as_the_index_does(made: Path) -> None:
    Path("run.trec").write_text(run([*SEARCH, "-k", "10", "-f", "trec"]).stdout)
    Path("run.jsonl").write_text(run([*SEARCH, "-k", "300", "-f", "jsonl"]).stdout)
    metrics = ["-M", "r@1", "-M", "r@3", "-M", "mrr", "-M", "ndcg@10"]

    def measured(*inputs: str) -> Any:
        return json.loads(run(["eval", *inputs, *metrics]).stdout)["metrics"]

    from_index = measured("--queries", "q.npy", "-i", "x.oea")
    assert 0.1 < from_index["mrr"] < 0.9
    assert measured("--run", "run.trec", "--qrels", "qrels.txt") == pytest.approx(from_index)
    # JSONL holds windows, and so may anyone's run: they are folded when it is judged.
    assert measured("--run", "run.jsonl", "--qrels", "qrels.txt") == pytest.approx(from_index)


def test_a_judged_window_is_ranked_as_one(made: Path) -> None:
    Path("run.trec").write_text("q0 Q0 c1.wav#t=0,1 1 0.9 x\nq0 Q0 c1.wav#t=1,2 2 0.8 x\n")
    Path("qrels.txt").write_text("q0 0 c1.wav#t=1,2 1\n")
    done = run(["eval", "--run", "run.trec", "--qrels", "qrels.txt", "-M", "mrr"])
    assert json.loads(done.stdout)["metrics"] == {"mrr": 0.5}


def test_forms_and_their_switch(made: Path) -> None:
    def ids(*options: str) -> list[str]:
        done = run([*SEARCH, "-k", "4", *options])
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return [row["id"] for row in rows if row["query_id"] == "q6"]

    assert all("#t=" in id_ for id_ in ids())
    folded = ids("--no-windows")
    assert folded == best_files(4)["q6"]
    done = run([*SEARCH, "-k", "4", "-f", "trec", "--windows"])
    assert files_of(done)["q6"] == ids()
    paths = run([*SEARCH, "-k", "4", "-f", "paths"]).stdout.splitlines()
    assert paths[6 * 4 : 7 * 4] == folded


def test_the_best_moment_is_shown(made: Path) -> None:
    done = run([*SEARCH, "-k", "1", "--no-windows"])
    hit = [json.loads(line) for line in done.stdout.splitlines()][6]
    window = search_index(made / "x.oea", np.load("q.npy")[6], k=1)[0][0]
    assert hit["id"] == "c6.wav" and window["id"].startswith("c6.wav#t=")
    assert (hit["start"], hit["end"], hit["score"]) == (
        window["start"], window["end"], window["score"],
    )  # fmt: skip


def test_conditions_hold_for_windows(made: Path) -> None:
    """A file is what its eligible windows are: here those after the fifth second."""
    found = search_index(made / "x.oea", np.load("q.npy"), k=10, where="start > 5", windows=False)
    assert all({hit["id"] for hit in hits} == {"c1.wav", "c3.wav", "c6.wav"} for hits in found)
    assert all(hit["start"] > 5 for hits in found for hit in hits)
    least = search_index(made / "x.oea", np.load("q.npy"), k=10, min_score=0.5, windows=False)
    assert all(hit["score"] >= 0.5 for hits in least for hit in hits)
    assert max(map(len, least)) > 1


def test_a_clip_is_not_like_itself(made: Path) -> None:
    done = run(["search", "--like", "c6.wav#t=3,4", "-i", "x.oea", "-k", "10", "-f", "trec"])
    assert set(files_of(done)["c6.wav#t=3,4"]) == {f"c{n}.wav" for n in range(10)} - {"c6.wav"}
