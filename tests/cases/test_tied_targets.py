"""Several targets that are tied, with each other and with other clips: each has its own place."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands.in_process import run
from tests.vectors.batches import unit, write

METRICS = ["-M", "r@1", "-M", "p@2", "-M", "r@2", "-M", "map", "-M", "mrr"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def measured(*inputs: str) -> tuple[dict[str, Any], str]:
    done = run(["eval", *inputs, *METRICS, "-f", "json"])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def judged_run(scores: dict[str, float], relevant: str) -> tuple[dict[str, Any], str]:
    lines = [f"q Q0 {name} 1 {score} x\n" for name, score in scores.items()]
    Path("run.trec").write_text("".join(lines))
    Path("qrels.txt").write_text("".join(f"q 0 {name} 1\n" for name in relevant))
    return measured("--run", "run.trec", "--qrels", "qrels.txt")


def test_places_of_a_run() -> None:
    scores = {"a": 0.9, "b": 0.5, "c": 0.5, "d": 0.5, "e": 0.5}
    found, said = judged_run(scores, "cd")
    assert found["per_query"]["places"] == [[2, 3]] and found["metrics"]["mrr"] == 0.5
    assert found["metrics"]["r@2"] == 0.5 and found["metrics"]["map"] == pytest.approx(
        (1 / 2 + 2 / 3) / 2
    )
    assert found["counts"]["targets_tied"] == 1
    assert "1 query with a target that is tied with other clips: the better rank counts" in said


def test_one_score_for_all_is_said() -> None:
    """It looks perfect: the rank of each target is 1 + the number of strictly higher scores."""
    found, said = judged_run(dict.fromkeys("abcdef", 0.5), "bd")
    assert found["metrics"] == {"r@1": 0.5, "p@2": 1.0, "r@2": 1.0, "map": 1.0, "mrr": 1.0}
    assert "1 query with a target that is tied" in said


def test_targets_tied_with_each_other_alone_are_no_news() -> None:
    found, said = judged_run({"a": 0.9, "b": 0.9, "c": 0.1}, "ab")
    assert found["per_query"]["places"] == [[1, 2]] and "tied" not in said
    assert found["counts"]["targets_tied"] == 0


@pytest.mark.parametrize("copies", [0, 1, 4])
def test_vectors(copies: int) -> None:
    """Two targets with one vector, and copies of it that are none."""
    vectors = np.concatenate([unit(6), np.tile(unit(6)[2], (1 + copies, 1))])
    write("c.npy", [{"id": f"c{n}"} for n in range(len(vectors))], vectors)
    asked = unit(6)[2] + 0.1 * unit(1, seed=5)[0]
    write("q.jsonl", [{"id": "q", "target": ["c2", "c6"]}], (asked / np.linalg.norm(asked))[None])
    found, said = measured("--queries", "q.jsonl", "--corpus", "c.npy")
    assert found["per_query"]["places"] == [[1, 2]]
    assert found["counts"]["targets_tied"] == (copies > 0)
    assert ("tied with other clips" in said) == (copies > 0)
    by_trec, said = measured("--queries", "q.jsonl", "--corpus", "c.npy", "--ties", "trec")
    assert by_trec["counts"]["targets_tied"] == 0 and "tied" not in said
