"""Vectors that are both queries and corpus: no row may be found for having asked."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from oea_cli.errors import OeaError
from oea_cli.evaluation.evaluate import evaluate
from oea_cli.vectors.batch import Batch, batch_of
from oea_cli.vectors.index.building import build_index
from tests.commands.in_process import run
from tests.conftest import Completed
from tests.vectors.batches import unit, write

SAYS = "is itself the sound that it should find, and no query has another target; the queries are"
NAMES = [f"{n}.wav" for n in range(6)]
WINDOWS = [f"{n // 2}.wav#t={n % 2}0,{n % 2 + 1}0" for n in range(6)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("c.npy", unit(6))


def indexed(name: str, ids: list[str]) -> str:
    records = [{"id": id_} for id_ in ids]
    build_index(Path(name), [Batch(records, unit(6))], dim=unit(6).shape[1], encoder=None)
    return name


def evaluated(queries: str, corpus: str, *options: str) -> Completed:
    return run(["eval", "--queries", queries, "--corpus", corpus, "-M", "r@1", *options])


@pytest.mark.parametrize("task", ["text-to-audio", "audio-to-text", "audio-to-audio"])
@pytest.mark.parametrize("name", ["c.npy", "./c.npy", "linked.npy", "hard.npy"])
def test_a_bare_matrix(name: str, task: str) -> None:
    Path("linked.npy").symlink_to("c.npy")
    os.link("c.npy", "hard.npy")
    done = evaluated(name, "c.npy", "--task", task)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        f"oea eval: {name}: row 1: query '0' {SAYS} the corpus: give other queries, or targets\n"
    )


@pytest.mark.parametrize("ids", [None, NAMES, WINDOWS])
@pytest.mark.parametrize("name", ["v.parquet", "v.npy", "v.jsonl", "v.oea"])
def test_files_and_indexes(name: str, ids: list[str] | None) -> None:
    ids = ids or list(map(str, range(6)))
    if name == "v.oea":
        indexed(name, ids)
        done = run(["eval", "--queries", name, "-i", name, "-M", "r@1"])
        assert done.returncode == 1 and SAYS in done.stderr
    else:
        write(name, [{"id": id_} for id_ in ids], unit(6), encoder=None)
    done = evaluated(name, name)
    assert done.returncode == 1 and SAYS in done.stderr and done.stdout == ""


def test_in_memory() -> None:
    for vectors in (unit(6), batch_of(unit(6))):
        with pytest.raises(OeaError, match="is itself the sound"):
            evaluate(queries=vectors, corpus=vectors, metrics=["r@1"])
    assert evaluate(queries=unit(6), corpus=unit(6), metrics=["r@1"])["r@1"] == 1.0


def test_rows_with_targets_rank_the_others() -> None:
    rows = [{"id": name, "target": [name, NAMES[0]]} for name in NAMES]
    write("v.parquet", rows, unit(6), encoder=None)
    done = evaluated("v.parquet", "v.parquet", "-M", "r@5")
    found = json.loads(done.stdout)
    assert found["per_query"]["targets"] == [["0.wav"]] * 5 and found["metrics"]["r@5"] == 1.0
    assert found["per_query"]["depth"] == [5] * 5
    assert "1 query whose only target is its own sound: left out" in done.stderr
    Path("qrels.txt").write_text("0 0 0 1\n0 0 4 1\n3 0 1 1\n")
    judged = json.loads(evaluated("c.npy", "c.npy", "--qrels", "qrels.txt").stdout)
    assert judged["per_query"]["targets"] == [["4"], ["1"]]
    assert judged["per_query"]["depth"] == [5, 5]


def test_other_queries_of_the_same_ids() -> None:
    """Vectors of texts bear the ids of their sounds, and ask for them."""
    texts = unit(6) + 0.1 * unit(6, seed=1)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    indexed("v.oea", NAMES)
    for name, ids in (("bare.npy", None), ("t.npy", NAMES), ("t.parquet", NAMES)):
        if ids:
            write(name, [{"id": id_} for id_ in ids], texts, encoder=None)
            assert json.loads(evaluated(name, "v.oea").stdout)["metrics"] == {"r@1": 1.0}
        else:
            np.save(name, texts)
            assert json.loads(evaluated(name, "c.npy").stdout)["metrics"] == {"r@1": 1.0}
    captions = [{"id": f"{n}#1", "clip": str(n // 2)} for n in range(6)]
    write("captions.npy", captions, unit(6), encoder=None)
    done = evaluated("captions.npy", "captions.npy", "--task", "text-to-text", "-M", "r@5")
    assert json.loads(done.stdout)["metrics"]["r@5"] == 1.0
