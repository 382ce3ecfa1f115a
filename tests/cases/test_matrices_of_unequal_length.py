"""Rows of bare matrices are paired by their numbers, which needs as many of both."""

import json
from pathlib import Path

import numpy as np
import pytest

from oea_cli.errors import OeaError
from oea_cli.evaluation.evaluate import evaluate
from tests.commands.in_process import run
from tests.vectors.batches import unit, write

SAYS = "rows without targets, and c.npy has 30; rows are paired one to one"


@pytest.fixture(autouse=True)
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("c.npy", unit(30))


@pytest.mark.parametrize("count", [1, 7, 29, 31])
def test_refused(count: int) -> None:
    np.save("q.npy", unit(31)[:count])
    done = run(["eval", "--queries", "q.npy", "--corpus", "c.npy"])
    assert done.returncode == 1 and f"q.npy: {count} {SAYS}" in done.stderr


def test_refused_in_memory_and_against_named_rows() -> None:
    with pytest.raises(OeaError, match="queries: 7 rows without targets, and vectors in memory"):
        evaluate(queries=unit(7), corpus=unit(30))
    np.save("q.npy", unit(7))
    write("named.parquet", [{"id": f"clip {n}"} for n in range(30)], unit(30), encoder=None)
    done = run(["eval", "--queries", "q.npy", "--corpus", "named.parquet"])
    assert done.returncode == 1 and "q.npy: 7 rows without targets, and named" in done.stderr


def test_judged_rows_may_be_fewer() -> None:
    np.save("q.npy", unit(30)[[4, 9]])
    Path("qrels.txt").write_text("0 0 4 1\n1 0 8 1\n")
    done = run(["eval", "--queries", "q.npy", "--corpus", "c.npy", "--qrels", "qrels.txt"])
    assert json.loads(done.stdout)["per_query"]["target_rank"][0] == 1
    write("named.jsonl", [{"id": "a", "target": "4"}], unit(30)[4:5], encoder=None)
    done = run(["eval", "--queries", "named.jsonl", "--corpus", "c.npy", "-M", "r@1"])
    assert json.loads(done.stdout)["metrics"] == {"r@1": 1.0}


def test_as_many_rows_are_paired() -> None:
    np.save("q.npy", unit(30))
    done = run(["eval", "--queries", "q.npy", "--corpus", "c.npy", "-M", "r@1"])
    assert json.loads(done.stdout)["metrics"] == {"r@1": 1.0}
