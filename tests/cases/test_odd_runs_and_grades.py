"""Runs and judgments with repeated documents and with scores and grades that are no numbers."""

import json
import math
from pathlib import Path

import pytest

from oea_cli.errors import OeaError
from oea_cli.evaluation.evaluate import evaluate
from tests.commands.in_process import run

RUN = "q1 Q0 d2 1 3.0 r\nq1 Q0 d1 2 2.0 r\nq2 Q0 d4 1 9 r\nq2 Q0 d3 2 8 r\n"
QRELS = "q1 0 d1 1\nq2 0 d3 1\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(ranking: str, judgments: str, name: str = "qrels.txt") -> str:
    Path("run.txt").write_text(ranking)
    Path(name).write_bytes(judgments.encode("latin-1"))
    done = run(["eval", "--run", "run.txt", "--qrels", name, "-M", "ndcg@10"])
    assert done.returncode == 1 and done.stdout == ""
    return done.stderr.removeprefix("oea eval: ").strip()


@pytest.mark.parametrize("blank", ["", "\n\n"])
def test_a_repeated_document_is_named_by_its_line(blank: str) -> None:
    line = 5 + len(blank)
    assert said(RUN + blank + "q1 Q0 d1 3 1.0 r\n", QRELS) == (
        f"run.txt:{line}: 'd1' is listed twice for query 'q1', first in line 2; list it once"
    )


def test_a_repeated_document_in_hits() -> None:
    hits = [{"query_id": "q1", "id": id_, "score": 1.0} for id_ in "abca"]
    assert said("".join(json.dumps(hit) + "\n" for hit in hits), QRELS).startswith("run.txt:4: 'a'")


@pytest.mark.parametrize("score", ["inf", "-Infinity", "nan", "1e999", "1_000", "x"])
def test_scores_are_finite_numbers(score: str) -> None:
    assert said(RUN.replace("2.0", score), QRELS) == (
        f"run.txt:2: score must be a finite number; got {score!r}"
    )


@pytest.mark.parametrize("grade", ["inf", "-inf", "nan", "1e999", "1_0", "yes"])
@pytest.mark.parametrize("layout", ["q2 0 d4 {}", "query-id\tcorpus-id\tscore\n\nq2\td4\t{}"])
def test_grades_are_finite_numbers(layout: str, grade: str) -> None:
    judgments = layout.format(grade)
    assert said(RUN, judgments + "\n") == (
        f"qrels.txt:{judgments.count(chr(10)) + 1}: grade {grade!r} of 'd4' is not a number; "
        "a grade must be a finite one"
    )


@pytest.mark.parametrize("row", ["q1,,1", ",d1,1", ",,"])
@pytest.mark.parametrize("before", ["", "q2,d3,1\n"])
def test_judgments_in_tables_name_query_and_clip(before: str, row: str) -> None:
    line = 3 if before else 2
    assert said(RUN, f"query-id,corpus-id,score\n{before}{row}\n", "q.csv") == (
        f"q.csv:{line}: a judgment has 'query-id', 'corpus-id' and 'score'"
    )


def test_grades_of_queries_and_in_memory() -> None:
    Path("q.csv").write_text("id,target\nq1,d1\n")
    assert said(RUN, '{"id": "q1", "target": {"d1": 1e999}}\n', "q.jsonl").startswith("q.jsonl:1:")
    for grade in (math.inf, math.nan):
        with pytest.raises(OeaError, match=r"qrels\['q1'\]: grade '(inf|nan)' of 'd1' is not"):
            evaluate(run={"q1": {"d1": 1.0}}, qrels={"q1": {"d1": grade}})
        with pytest.raises(OeaError, match="a grade is a finite number"):
            evaluate(run={"q1": {"d1": 1.0}}, queries=[{"id": "q1", "target": {"d1": grade}}])


def test_grades_below_one_are_kept_and_negative_ones_are_not_relevant() -> None:
    Path("run.txt").write_text(RUN)
    Path("qrels.txt").write_text("q1 0 d1 0.5\nq1 0 d2 -2\nq2 0 d4 2.5\nq2 0 d3 0.5\nq3 0 d9 0\n")
    done = run(["eval", "--run", "run.txt", "--qrels", "qrels.txt", "-M", "ndcg@10"])
    found = json.loads(done.stdout)
    assert found["per_query"]["gains"] == [[0.5], [2.5, 0.5]]
    assert found["metrics"]["ndcg@10"] == pytest.approx((1 / math.log2(3) + 1) / 2)
    assert found["counts"]["queries_without_relevant"] == 1
