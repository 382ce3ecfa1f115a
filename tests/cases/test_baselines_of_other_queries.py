"""A drop is judged against a baseline of the same queries, or the gate fails and says why."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.commands.in_process import run
from tests.conftest import Completed

GATE = ["--baseline", "before.json", "--max-drop", "r@1=0.01"]
Row = dict[str, Any]


def rows() -> list[Row]:
    return [
        {"id": f"q{n}", "text": f"a sound {n}", "target": f"t{n}", "hard_negative": f"z{n}"}
        for n in range(12)
    ]


@pytest.fixture(autouse=True)
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """run.trec finds all but q0 and q1; before.json are its results."""
    monkeypatch.chdir(tmp_path)
    with Path("run.trec").open("w") as file:
        for n in range(12):
            first, second = ("z", "t") if n < 2 else ("t", "z")
            file.write(f"q{n} Q0 {first}{n} 1 0.9 x\nq{n} Q0 {second}{n} 2 0.8 x\n")
    measured(rows(), "-o", "before.json")


def measured(queries: Sequence[Row], *options: str, ranking: str = "run.trec") -> Completed:
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    return run(
        ["eval", "--run", ranking, "--queries", "q.jsonl", "-M", "r@1", "-f", "json", *options]
    )


def verdict(done: Completed) -> str:
    (line,) = [line for line in done.stderr.splitlines() if "--max-drop" in line]
    return line.removeprefix("oea eval: ")


def test_the_same_queries_pass() -> None:
    done = measured(rows(), *GATE)
    assert done.returncode == 0 and verdict(done).startswith("pass: r@1 0.8333 against 0.8333")
    assert json.loads(done.stdout)["baseline"]["queries"] == {
        "both": 12, "new": 0, "gone": 0, "changed": 0, "unanswered": 0,
    }  # fmt: skip
    # In another order, and with blanks around: still the same.
    again = [{**row, "text": f" {row['text']} "} for row in reversed(rows())]
    assert measured(again, *GATE).returncode == 0


@pytest.mark.parametrize("gone", [1, 2])
def test_a_file_that_shrank_fails(gone: int) -> None:
    """Without the queries that were missed, the figure only rises."""
    done = measured(rows()[gone:], *GATE)
    such = {1: "'q0'", 2: "2 such as 'q0'"}[gone]
    assert done.returncode == 4 and verdict(done) == (
        f"FAIL: r@1: queries of the baseline are missing here ({such}); make a new baseline "
        "(--max-drop r@1=0.01)"
    )


@pytest.mark.parametrize(
    "change", [{"text": "an easier one"}, {"target": "z5"}, {"hard_negative": "z5"}]
)
def test_a_query_that_changed_fails(change: Row) -> None:
    first, *others = rows()
    done = measured([{**first, **change}, *others], *GATE)
    assert done.returncode == 4
    assert "r@1: queries have another text or other judgments ('q0')" in verdict(done)
    assert "1 query with another text or other judgments than in the base" in done.stderr


def test_new_queries_are_left_out_of_the_comparison() -> None:
    done = measured([*rows(), {"id": "new", "text": "x", "target": "t0"}], *GATE)
    assert done.returncode == 0 and "pass: r@1 0.8333 against 0.8333" in verdict(done)
    assert "1 query not in the baseline: not compared" in done.stderr


def test_without_a_gate_it_is_said() -> None:
    done = measured(rows()[2:], "--baseline", "before.json")
    assert done.returncode == 0
    assert "2 queries of the baseline missing here: not compared" in done.stderr


def test_a_baseline_without_texts_is_compared_by_its_judgments() -> None:
    """As earlier versions wrote them."""
    document = json.loads(Path("before.json").read_text())
    del document["per_query"]["text_sha256"]
    Path("before.json").write_text(json.dumps(document))
    assert measured(rows(), *GATE).returncode == 0


def test_a_run_as_the_baseline() -> None:
    Path("less.trec").write_text("".join(Path("run.trec").read_text().splitlines(True)[:6]))
    done = measured(rows(), "--baseline", "less.trec", "--max-drop", "r@1=0.01")
    assert done.returncode == 0
    assert "9 queries missing from the baseline: counted as not found there" in done.stderr


def test_a_run_that_ends_early_says_what_it_cannot() -> None:
    with Path("deep.trec").open("w") as deep, Path("cut.trec").open("w") as cut:
        for n in range(12):
            names = [f"o{k}" for k in range(30)]
            names[n], names[25] = f"t{n}", f"z{n}"
            for rank, name in enumerate(names):
                line = f"q{n} Q0 {name} {rank + 1} {1 - rank / 100} x\n"
                deep.write(line)
                if rank < 10:
                    cut.write(line)
    names = ["-M", "hnsr", "-M", "hnsr@10", "-M", "tfr", "-M", "delta-rank", "-M", "r@20"]
    whole, done = (measured(rows(), *names, ranking=f"{r}.trec") for r in ("deep", "cut"))
    assert "judged clip" not in whole.stderr
    assert (
        "14 judged clips not in the run, which holds 10 per query at most: a deeper one gives "
        "other figures for hnsr, delta-rank, r@20" in done.stderr
    )
    deep_metrics, cut_metrics = (json.loads(d.stdout)["metrics"] for d in (whole, done))
    assert {name for name in deep_metrics if deep_metrics[name] == cut_metrics[name]} == {
        "r@1", "hnsr@10", "tfr",
    }  # fmt: skip
    said = measured(rows(), "--baseline", "deep.trec", ranking="cut.trec").stderr
    assert "10 clips ranked per query at most, in the baseline 30" in said
