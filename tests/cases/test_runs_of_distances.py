"""A run whose ranks are not those of its scores: scores count, and that is said."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oea_cli.evaluation.inputs import trec_files
from oea_cli.evaluation.inputs.runs import read_run
from tests.commands.in_process import run

SAYS = "oea eval: ranks and scores disagree in {}; scores count. Are these distances?\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def evaluated(ranking: str, qrels: str = "q1 0 a 1\n", *options: str) -> tuple[dict[str, Any], str]:
    Path("run.txt").write_text(ranking)
    Path("qrels.txt").write_text(qrels)
    done = run(["eval", "--run", "run.txt", "--qrels", "qrels.txt", "-M", "r@1", *options])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def queries(distances: int, similarities: int) -> tuple[str, str]:
    """Queries of three clips, the target's distance or score 0.9, and their judgments."""
    lines, judged = [], []
    for number in range(distances + similarities):
        scores = [0.2, 0.5, 0.9] if number < distances else [0.9, 0.5, 0.2]
        names = "cba" if number < distances else "abc"
        ranked = enumerate(zip(names, scores, strict=True), 1)
        lines += [f"q{number} Q0 {name} {rank} {score} x\n" for rank, (name, score) in ranked]
        judged.append(f"q{number} 0 a 1\n")
    return "".join(lines), "".join(judged)


def test_ranks_by_distance() -> None:
    found, said = evaluated("q1 Q0 b 1 0.2 x\nq1 Q0 a 2 0.9 x\n")
    assert found["metrics"] == {"r@1": 1.0} and found["counts"]["ranks_contradicted"] == 1
    assert said == SAYS.format("1 of 1 query")


@pytest.mark.parametrize(("distances", "similarities"), [(3, 37), (2, 0), (1, 12)])
def test_queries_that_disagree_are_counted(distances: int, similarities: int) -> None:
    found, said = evaluated(*queries(distances, similarities))
    assert found["metrics"] == {"r@1": 1.0}
    assert SAYS.format(f"{distances} of {distances + similarities} queries") in said


def test_only_judged_queries_of_the_run_count() -> None:
    ranking, _ = queries(2, 2)
    judged = "q1 0 a 1\nq2 0 a 1\nq7 0 a 1\n"
    assert SAYS.format("1 of 2 queries") in evaluated(ranking, judged)[1]


@pytest.mark.parametrize(
    "ranking",
    [
        "q1 Q0 b 9 0.2 x\nq2 Q0 a 1 0.3 x\nq1 Q0 a 3 0.9 x\n",  # in another order
        "q1 Q0 b 0 0.2 x\nq1 Q0 a 0 0.9 x\n",  # one rank for all
        "q1 Q0 b 1 0.9 x\nq1 Q0 a 2 0.9 x\n",  # tied
        "q1 Q0 b - 0.2 x\nq1 Q0 a 2 0.9 x\n",  # no rank
        "q1 Q0 b 1.0 0.2 x\nq1 Q0 a 2e0 0.9 x\n",
        "q1 b 0.2\nq1 a 0.9\n",
        '{"query_id": "q1", "id": "b", "score": 0.2}\n{"query_id": "q1", "id": "a", "score": 1}\n',
    ],
)
def test_nothing_is_said_where_ranks_agree_or_say_nothing(ranking: str) -> None:
    found, said = evaluated(ranking)
    assert "disagree" not in said and "ranks_contradicted" not in found["counts"]


def test_hits_with_ranks() -> None:
    hits = [("b", 1, 0.1), ("a", 2, 0.4)]
    rows = [{"query_id": "q1", "id": id_, "rank": rank, "score": s} for id_, rank, s in hits]
    found, said = evaluated("".join(json.dumps(row) + "\n" for row in rows))
    assert found["metrics"] == {"r@1": 1.0} and said == SAYS.format("1 of 1 query")
    for rank in (10**300, True, None, "1", 1.5, "x"):
        rows[0]["rank"] = rank
        assert evaluated("".join(json.dumps(row) + "\n" for row in rows))[1] == ""


def test_a_baseline_of_distances() -> None:
    ranking, judged = queries(3, 4)
    Path("before.txt").write_text(ranking)
    found, said = evaluated(queries(0, 7)[0], judged, "--baseline", "before.txt")
    assert found["baseline"]["queries"]["contradicted"] == 3
    assert said == (
        "oea eval: 3 queries of the baseline whose ranks and scores disagree: scores count\n"
    )


@pytest.mark.parametrize("piece", [40, 1 << 20])
def test_every_query_is_checked_as_a_loop_would(
    monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(trec_files, "CHUNK_BYTES", piece)
    rng = np.random.default_rng(0)
    owners, ranks = rng.integers(0, 40, 150), rng.integers(0, 300, 150)
    scores = np.round(1 / (1 + ranks) + (rng.random(150) < 0.05), 4)
    rows = list(zip(owners.tolist(), ranks.tolist(), scores.tolist(), strict=True))
    lines = [f"q{q} Q0 d{n} {rank} {score} x\n" for n, (q, rank, score) in enumerate(rows)]
    Path("run.txt").write_text("".join(lines))
    found = read_run("run.txt")
    wrong = {q for q, r, s in rows for p, other, t in rows if q == p and r < other and s < t}
    contradicted = {name for name, code in found.queries.items() if found.contradicted()[code]}
    assert contradicted == {f"q{number}" for number in wrong} and wrong
    assert found.ranks.tolist() == ranks.tolist()
