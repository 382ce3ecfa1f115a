"""`oea eval --within KEY`: every query ranks among the clips of its target's kind, no others.

Run: pytest tests/test_pools.py
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.commands.in_process import run
from tests.vectors.batches import unit, write

Row = dict[str, Any]
SIZES = {"forest": 40, "city": 25}
METRICS = ["-M", "r@10", "-M", "hnsr@10", "-M", "delta-rank"]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Clips and queries of two datasets, in one file each and in a file per dataset."""
    monkeypatch.chdir(tmp_path)
    names = [name for name, size in SIZES.items() for _ in range(size)]
    order = np.random.default_rng(1).permutation(len(names)).tolist()
    vectors = unit(len(names), 16, seed=3)
    near = vectors + 1.2 * unit(len(names), 16, seed=4)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    clips = [{"id": f"{name}-{n}", "dataset": name} for n, name in enumerate(names)]
    queries: list[Row] = [
        {"id": f"q{n}", "target": f"{name}-{n}", "dataset": name} for n, name in enumerate(names)
    ]
    for n, query in enumerate(queries[:-1]):
        if names[n + 1] == names[n]:
            query["hard_negative"] = f"{names[n]}-{n + 1}"
    _write("clips.jsonl", clips, vectors, order)
    _write("queries.jsonl", queries, near, order)
    for name in SIZES:
        own = [n for n in order if names[n] == name]
        _write(f"{name}-clips.jsonl", clips, vectors, own)
        _write(f"{name}-queries.jsonl", queries, near, own)
    return tmp_path


def _write(name: str, rows: list[Row], vectors: np.ndarray, chosen: list[int]) -> None:
    write(name, [rows[n] for n in chosen], vectors[chosen])


def ranked(queries: str, clips: str, *extra: str) -> Row:
    words = ["eval", "--queries", queries, "--corpus", clips, "-M", "r@1", "-f", "json"]
    done = run([*words, *extra])
    assert done.returncode == 0, done.stderr
    found: Row = json.loads(done.stdout)
    return found


def evaluated(queries: str, clips: str, *extra: str) -> Row:
    return ranked(queries, clips, *METRICS, *extra)


def ranks(found: Row) -> dict[str, tuple[Any, Any, int]]:
    columns = found["per_query"]
    names = ("target_rank", "hard_negative_rank", "depth")
    return dict(zip(columns["id"], zip(*(columns[n] for n in names), strict=True), strict=True))


def test_as_if_each_were_evaluated_alone(made: Path) -> None:
    found = evaluated("queries.jsonl", "clips.jsonl", "--within", "dataset")
    alone: dict[str, tuple[Any, Any, int]] = {}
    for name in SIZES:
        part = evaluated(f"{name}-queries.jsonl", f"{name}-clips.jsonl")
        alone |= ranks(part)
        (own,) = (group for group in found["groups"] if group["dataset"] == name)
        assert own["metrics"] == part["metrics"]
    assert ranks(found) == alone
    ids = [json.loads(line)["id"] for line in Path("queries.jsonl").read_text().splitlines()]
    assert found["per_query"]["id"] == ids
    assert found["protocol"]["pools"] == SIZES
    assert found["protocol"]["pool"] == "those of the target's dataset"
    assert found["counts"]["clusters"] == sum(SIZES.values())


def test_one_pool_is_told_and_pointed_out(made: Path) -> None:
    done = run(["eval", "--queries", "queries.jsonl", "--corpus", "clips.jsonl", "-f", "json"])
    found = json.loads(done.stdout)
    assert found["protocol"]["pool"] == "all" and "pools" not in found["protocol"]
    assert set(found["per_query"]["depth"]) == {sum(SIZES.values())}
    assert done.stderr.splitlines() == [
        "oea eval: 2 datasets of queries ranked in one pool: "
        "--within dataset ranks each within its own clips"
    ]
    one = ["eval", "--queries", "city-queries.jsonl", "--corpus", "clips.jsonl"]
    assert run(one).stderr == ""


def test_queries_tell_the_dataset_where_records_do_not(made: Path) -> None:
    rows = [json.loads(line) for line in Path("clips.jsonl").read_text().splitlines()]
    for row in rows:
        del row["dataset"]
    Path("bare.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = evaluated("queries.jsonl", "bare.jsonl", "--within", "dataset")
    assert ranks(told) == ranks(evaluated("queries.jsonl", "clips.jsonl", "--within", "dataset"))
    done = run(
        ["eval", "--queries", "city-queries.jsonl", "--corpus", "bare.jsonl", "--within", "dataset"]
    )
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "has no 'dataset' in its record and no query of a dataset has it" in done.stderr


def test_windows_of_a_clip_stay_together(made: Path) -> None:
    rows = []
    for n, name in enumerate(["a", "a", "b", "b", "b"]):
        for start in range(0, 10 * (1 + n % 3), 10):
            rows.append({"id": f"c{n}#t={start},{start + 10}", "kind": name})
    vectors = unit(len(rows), 16, seed=8)
    write("windows.jsonl", rows, vectors)
    queries = [{"id": f"q{n}", "target": f"c{n}"} for n in range(5)]
    asked = unit(5, 16, seed=9)
    write("asked.jsonl", queries, asked)
    columns = ranked("asked.jsonl", "windows.jsonl", "--within", "kind")["per_query"]
    for n in range(5):
        pool = [0, 1] if n < 2 else [2, 3, 4]
        best = {
            clip: max(
                float(asked[n] @ vectors[k])
                for k, row in enumerate(rows)
                if str(row["id"]).startswith(f"c{clip}#")
            )
            for clip in pool
        }
        assert columns["target_rank"][n] == 1 + sum(v > best[n] for v in best.values())
        assert columns["depth"][n] == len(pool)


def test_what_is_not_found_is_missing_from_its_own_pool(made: Path) -> None:
    rows = [{"id": "q", "target": "gone"}, {"id": "r", "target": "city-64"}]
    write("asked.jsonl", [{**row, "dataset": "city"} for row in rows], unit(2, 16))
    extra = ["--within", "dataset", "--allow-missing"]
    found = ranked("asked.jsonl", "clips.jsonl", *extra)["per_query"]
    assert found["target_rank"][0] is None and found["depth"] == [SIZES["city"]] * 2


@pytest.mark.parametrize(
    ("query", "extra", "code", "says"),
    [
        ({"target": ["forest-0", "city-40"]}, [], 1, "'forest-0' in forest and 'city-40' in city"),
        ({"target": "forest-0", "hard_negative": "city-41"}, [], 1, "ranks within one of them"),
        ({"target": "gone"}, [], 1, "target 'gone' of query 'q' is not in clips.jsonl"),
        ({"target": "city-40"}, ["--within", "split"], 1, "has no 'split' in its record; --within"),
    ],
)
def test_what_cannot_be_ranked_within(
    made: Path, query: Row, extra: list[str], code: int, says: str
) -> None:
    write("asked.jsonl", [{"id": "q", **query}], unit(1, 16))
    words = ["eval", "--queries", "asked.jsonl", "--corpus", "clips.jsonl", "--within", "dataset"]
    done = run([*words, *extra])
    assert done.returncode == code and says in done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stdout == ""


def test_a_run_has_been_ranked(made: Path) -> None:
    done = run(["eval", "--run", "x.trec", "--qrels", "q.txt", "--within", "dataset"])
    assert done.returncode == 2 and "a run has been ranked already" in done.stderr
