"""Gates, baselines and the forms of a result: one verdict, the same in every form and exit code."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from oea_cli import __version__
from tests.commands.in_process import run
from tests.conftest import Completed

Results = dict[str, Any]
NUM_QUERIES = 60


@pytest.fixture
def rankings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """good.trec finds every target first, fair.trec a half, same.trec all but one, few.trec all but
    six; qrels.txt."""
    monkeypatch.chdir(tmp_path)
    shares = {"good": 0, "fair": NUM_QUERIES // 2, "same": 1, "few": 6}
    for name, misses in shares.items():
        with Path(f"{name}.trec").open("w") as file:
            for query in range(NUM_QUERIES):
                first, second = ("z", "t") if query < misses else ("t", "z")
                file.write(f"q{query} Q0 {first}{query} 1 0.9 x\n")
                file.write(f"q{query} Q0 {second}{query} 2 0.8 x\n")
    Path("qrels.txt").write_text("".join(f"q{n} 0 t{n} 1\n" for n in range(NUM_QUERIES)))
    return tmp_path


def score(name: str, *extra: str) -> Completed:
    return run(["eval", "--run", f"{name}.trec", "--qrels", "qrels.txt", "-M", "r@1", *extra])


def verdicts(done: Completed) -> list[str]:
    said = [line.removeprefix("oea eval: ") for line in done.stderr.splitlines()]
    return [line for line in said if line.startswith(("pass: ", "FAIL: "))]


class TestGates:
    def test_met(self, rankings: Path) -> None:
        done = score("fair", "--fail-under", "r@1=0.5")
        assert done.returncode == 0
        assert verdicts(done) == ["pass: r@1 0.5000 is at least 0.5 (--fail-under r@1=0.5)"]
        assert json.loads(done.stdout)["passed"] is True

    def test_not_met(self, rankings: Path) -> None:
        done = score("fair", "--fail-under", "r@1=0.51", "--fail-under", "R@1=0.2")
        assert done.returncode == 4
        assert verdicts(done) == [
            "FAIL: r@1 0.5000 is under 0.51 (--fail-under r@1=0.51)",
            "pass: r@1 0.5000 is at least 0.2 (--fail-under r@1=0.2)",
        ]
        found = json.loads(done.stdout)
        assert found["passed"] is False
        assert [gate["passed"] for gate in found["gates"]] == [False, True]

    @pytest.mark.parametrize("code", ["1", "100", "0"])
    def test_exit_code_of_choice(self, rankings: Path, code: str) -> None:
        done = score("fair", "--fail-under", "r@1=0.9", "--gate-exit-code", code)
        assert done.returncode == int(code) and verdicts(done)[0].startswith("FAIL")

    def test_lower_is_better_for_ranks(self, rankings: Path) -> None:
        extra = ["-M", "median-rank", "--fail-under", "median-rank=1.2"]
        assert verdicts(score("fair", *extra))[0].startswith("FAIL: median-rank 1.5000 is above")
        assert verdicts(score("good", *extra))[0].startswith("pass: median-rank 1.0000 is at most")

    def test_quiet_keeps_the_verdict(self, rankings: Path) -> None:
        assert len(verdicts(score("fair", "-q", "--fail-under", "r@1=0.9"))) == 1


class TestBaselines:
    def test_a_second_run(self, rankings: Path) -> None:
        done = score("fair", "--baseline", "good.trec", "--max-drop", "r@1=0.01")
        assert done.returncode == 4
        found = json.loads(done.stdout)["baseline"]["metrics"]["r@1"]
        assert found["difference"] == -0.5 and found["baseline"] == 1.0
        assert found["p"] < 0.001 and found["queries"] == NUM_QUERIES
        low, high = found["interval"]
        assert low < -0.5 < high < 0

    def test_results_of_an_earlier_evaluation(self, rankings: Path) -> None:
        score("good", "-o", "good.json")
        by_run = score("fair", "-M", "mrr", "--baseline", "good.trec")
        by_json = score("fair", "-M", "mrr", "--baseline", "good.json")
        found, other = (json.loads(done.stdout)["baseline"] for done in (by_run, by_json))
        assert found["metrics"] == other["metrics"] and set(found["metrics"]) == {"r@1", "mrr"}

    def test_alpha_lets_noise_pass(self, rankings: Path) -> None:
        # One query of sixty is worse: a drop of 0.017 that may be chance.
        extra = ["--baseline", "good.trec", "--max-drop", "r@1=0.01"]
        assert score("same", *extra).returncode == 4
        done = score("same", *extra, "--alpha", "0.05")
        assert done.returncode == 0
        assert "but p = 1 is not under 0.05" in verdicts(done)[0]
        assert score("fair", *extra, "--alpha", "0.05").returncode == 4

    def test_holm_counts_the_metrics(self, rankings: Path) -> None:
        done = score("fair", "-M", "mrr", "-M", "r@2", "--baseline", "good.trec")
        found = json.loads(done.stdout)["baseline"]["metrics"]
        assert found["r@1"]["p_holm"] == pytest.approx(3 * found["r@1"]["p"])
        assert found["r@2"]["p_holm"] == 1.0

    def test_alpha_is_held_against_the_corrected_p(self, rankings: Path) -> None:
        """Six of sixty queries are worse: p is 0.03 by itself, and 0.06 of two metrics."""
        extra = ["--baseline", "good.trec", "--max-drop", "r@1=0.01", "--alpha", "0.05"]
        assert score("few", *extra).returncode == 4
        done = score("few", "-M", "mrr", *extra)
        found = json.loads(done.stdout)["baseline"]["metrics"]["r@1"]
        assert found["p"] < 0.05 < found["p_holm"]
        assert done.returncode == 0 and "is not under 0.05" in verdicts(done)[0]

    def test_a_drop_within_the_limit_is_none(self, rankings: Path) -> None:
        done = score("good", "--baseline", "good.trec", "--max-drop", "r@1=0")
        assert done.returncode == 0 and "no worse" in verdicts(done)[0]

    def test_other_queries(self, rankings: Path) -> None:
        score("good", "-o", "good.json")
        Path("some.txt").write_text("q0 0 t0 1\nq1 0 t1 1\nnew 0 t1 1\n")
        files = ["eval", "--run", "good.trec", "--qrels", "some.txt", "-M", "r@1"]
        done = run([*files, "--baseline", "good.json"])
        assert json.loads(done.stdout)["baseline"]["metrics"]["r@1"]["queries"] == 2
        assert "58 queries of the baseline missing here: not compared" in done.stderr
        Path("none.trec").write_text("x Q0 y 1 1 z\n")
        done = run([*files, "--baseline", "none.trec"])
        assert done.returncode == 1 and "holds none of the evaluated queries" in done.stderr

    def test_beside_each_type_of_query(self, rankings: Path) -> None:
        rows = [
            {"id": f"q{n}", "target": f"t{n}", "type": "odd" if n % 2 else "even", "dataset": "d"}
            for n in range(NUM_QUERIES)
        ]
        # The baseline finds the first 20 queries only, and does not know the last one.
        rows.append({"id": f"q{NUM_QUERIES - 1}x", "target": "t0", "type": "late"})
        lines = Path("good.trec").read_text().splitlines(keepends=True)
        few = {f"q{n}" for n in range(20)}
        Path("few.trec").write_text("".join(line for line in lines if line.split()[0] in few))
        run(["eval", "--run", "few.trec", "--qrels", "qrels.txt", "-o", "few.json"])
        own = json.loads(Path("few.json").read_text())
        assert own["counts"]["missing_queries"] == NUM_QUERIES - 20
        Path("all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        arguments = [
            "eval",
            "--run",
            "fair.trec",
            "--queries",
            "all.jsonl",
            "-M",
            "r@1",
            "-M",
            "mrr",
        ]
        done = run([*arguments, "--baseline", "few.json", "-f", "json"])
        found = {group["type"]: group for group in json.loads(done.stdout)["groups"]}
        for kind, first in (("even", 0), ("odd", 1)):
            group, numbers = found[kind], range(first, NUM_QUERIES, 2)
            assert group["baseline"]["queries"] == group["queries"] == len(numbers)
            # The baseline finds the first 20 of 60, ours (the last 30) at rank 1.
            theirs = sum(n < 20 for n in numbers) / len(numbers)
            assert group["baseline"]["metrics"]["r@1"] == pytest.approx(theirs)
            assert group["difference"]["r@1"] == pytest.approx(group["metrics"]["r@1"] - theirs)
        late = found["late"]
        assert late["baseline"] == {"queries": 0, "metrics": {"r@1": None, "mrr": None}}
        assert late["difference"] == {"r@1": None, "mrr": None}
        table = run([*arguments, "--baseline", "few.json", "-f", "table"]).stdout
        block = table.splitlines()
        start = next(n for n, line in enumerate(block) if "even" in line)
        cells = [line.split() for line in block[start : start + 3]]
        assert cells[0][-3] == "ours" and cells[1][-3:-1] == ["baseline", "33.33"]
        assert cells[2][0] == "difference" and cells[2][1] == "+16.67"

    def test_means_have_the_baselines_beside(self, rankings: Path) -> None:
        kinds = ["question", "imperative", "tagging", "paraphrase", "negative"]
        rows = [
            {"id": f"q{n}", "target": f"t{n}", "type": kinds[n % 5], "dataset": f"d{n // 40}"}
            for n in range(NUM_QUERIES)
        ]
        Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        files = ["eval", "--run", "fair.trec", "--queries", "q.jsonl", "-M", "r@1", "-M", "r@5"]
        done = run([*files, "--baseline", "good.trec", "-f", "json"])
        means = json.loads(done.stdout)["means"]
        assert means["baseline"]["datasets"]["r@1"] == 1.0
        assert means["difference"]["datasets"]["r@1"] == pytest.approx(0.625 - 1)
        assert means["difference"]["avg_uiq"] == 0
        table = run([*files, "--baseline", "good.trec", "-f", "table"]).stdout
        assert "Avg UIQ (mean of the five types' R@5): 100.00, baseline 100.00 (+0.00)" in table

    @pytest.mark.parametrize("content", ['{"format": "x"}', '{"format": "oea-results/1"}'])
    def test_what_is_no_baseline(self, rankings: Path, content: str) -> None:
        Path("b.json").write_text(content)
        done = score("good", "--baseline", "b.json")
        assert done.returncode == 1 and done.stderr.startswith("oea eval: b.json: ")


class TestForms:
    def test_versions_of_what_was_used(self, rankings: Path) -> None:
        command = (
            "from oea_cli.main import app; app(['eval', '--run', 'good.trec', '--qrels', "
            "'qrels.txt', '-f', 'json'], standalone_mode=False)"
        )
        done = subprocess.run(
            [sys.executable, "-c", command], capture_output=True, text=True, check=True
        )
        versions = json.loads(done.stdout)["versions"]
        python = ".".join(map(str, sys.version_info[:3]))
        assert versions == {"oea": __version__, "python": python, "numpy": np.__version__}

    def test_every_form_says_the_same(
        self, rankings: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = ["-o", "r.json", "-o", "r.md", "-o", "r.xml", "-o", "r.txt"]
        gates = ["--fail-under", "r@1=0.9", "--fail-under", "mrr=0.6"]
        done = score("fair", "-M", "mrr", *files, *gates)
        assert done.returncode == 4
        found = json.loads(Path("r.json").read_text())
        assert [gate["verdict"] for gate in found["gates"]] == verdicts(done)
        markdown, junit = Path("r.md").read_text(), ElementTree.parse("r.xml").getroot()
        assert "**Gates NOT met**" in markdown and "| R@1 | 50.00 |" in markdown
        for verdict in verdicts(done):
            assert verdict.split(" (")[0] in markdown
        assert junit.get("failures") == "1" and junit.get("tests") == "2"
        cases = junit.findall("testsuite/testcase")
        assert [case.get("name") for case in cases] == [g["gate"] for g in found["gates"]]
        failed = cases[0].find("failure")
        assert failed is not None and failed.get("message") == verdicts(done)[0]
        assert cases[1].find("failure") is None
        properties = junit.findall("testsuite/properties/property")
        assert {p.get("name"): float(p.get("value", "")) for p in properties} == found["metrics"]
        # With files the table is for whoever watches.
        assert done.stdout == Path("r.txt").read_text()
        assert done.stdout.startswith("run, 60 queries\n\nmetric") and "50.00" in done.stdout

    def test_the_jobs_page_is_appended_to(self, rankings: Path) -> None:
        Path("page.md").write_text("before\n")
        files = ["eval", "--run", "good.trec", "--qrels", "qrels.txt", "-M", "r@1"]
        done = run(files, env={"GITHUB_STEP_SUMMARY": "page.md"})
        assert done.returncode == 0
        page = Path("page.md").read_text()
        assert page.startswith("before\n### Retrieval: run, 60 queries") and "| R@1 |" in page
        assert page.removeprefix("before\n") == score("good", "-f", "markdown").stdout

    def test_a_page_that_cannot_be_written_costs_no_results(self, rankings: Path) -> None:
        files = ["eval", "--run", "good.trec", "--qrels", "qrels.txt", "-M", "r@1", "-f", "json"]
        done = run(files, env={"GITHUB_STEP_SUMMARY": "gone/page.md"})
        assert done.returncode == 0 and json.loads(done.stdout)["metrics"] == {"r@1": 1.0}
        assert "gone/page.md: no summary written (No such file or directory)" in done.stderr

    def test_mteb(self, rankings: Path) -> None:
        done = score("fair", "-M", "median-rank", "-M", "ndcg@10", "-f", "mteb")
        result = json.loads(done.stdout)
        entry = result["scores"]["test"][0]
        assert entry["recall_at_1"] == 0.5 and {"ndcg_at_10", "median_rank"} <= entry.keys()
        assert 0.5 < entry["main_score"] == entry["ndcg_at_10"] < 1
        assert result["task_name"] == "qrels", "the judgments' name, not the direction of the task"

    @pytest.mark.parametrize(
        ("metrics", "main"),
        [
            (["median-rank", "r@1"], "recall_at_1"),
            (["r@1", "ndcg@10", "success@5"], "hit_rate_at_5"),
            (["median-rank"], "median_rank"),
        ],
    )
    def test_the_main_score_of_mteb(self, rankings: Path, metrics: list[str], main: str) -> None:
        rows = [{"id": "q0", "target": "t0", "dataset": "Clotho"}]
        Path("ClothoT2A.jsonl").write_text(json.dumps(rows[0]) + "\n")
        files = ["--run", "good.trec", "--queries", "ClothoT2A.jsonl"]
        asked = [word for metric in metrics for word in ("-M", metric)]
        result = json.loads(run(["eval", *files, *asked, "-f", "mteb"]).stdout)
        entry = result["scores"]["test"][0]
        assert entry["main_score"] == entry[main] and result["task_name"] == "Clotho"
        del rows[0]["dataset"]
        Path("ClothoT2A.jsonl").write_text(json.dumps(rows[0]) + "\n")
        result = json.loads(run(["eval", *files, *asked, "-f", "mteb"]).stdout)
        assert result["task_name"] == "ClothoT2A"

    def test_the_same_inputs_give_the_same_bytes(self, rankings: Path) -> None:
        first, second = score("fair", "-M", "mrr"), score("fair", "-M", "mrr")
        assert first.stdout == second.stdout
        assert (
            json.loads(score("fair", "--seed", "1").stdout)["intervals"]
            != json.loads(first.stdout)["intervals"]
        )

    def test_markup_in_names_is_shown_as_text(self, rankings: Path) -> None:
        rows = [
            {"id": "q0", "target": "t0", "type": "a|b <i>*x*"},
            {"id": "q1", "target": "t1", "type": "other"},
        ]
        Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        done = run(["eval", "--run", "good.trec", "--queries", "q.jsonl", "-f", "markdown"])
        assert r"a\|b \<i\>\*x\*" in done.stdout


def test_uiq_means_over_types_and_data_sets(rankings: Path) -> None:
    kinds = ["question", "imperative", "tagging", "paraphrase", "negative"]
    rows = [
        {"id": f"q{n}", "target": f"t{n}", "type": kinds[n % 5], "dataset": f"d{n // 40}"}
        for n in range(NUM_QUERIES)
    ]
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run(["eval", "--run", "fair.trec", "--queries", "q.jsonl", "-M", "r@1", "-M", "r@5"])
    found = json.loads(done.stdout)
    assert len(found["groups"]) == 10
    # The first 30 of 40 in d0 fail at rank 1, none of the 20 in d1: unweighted (0.25 + 1) / 2.
    assert found["means"]["datasets"]["r@1"] == pytest.approx(0.625)
    assert found["metrics"]["r@1"] == 0.5
    assert found["means"]["avg_uiq"] == 1.0
    assert np.isclose(sum(group["queries"] for group in found["groups"]), NUM_QUERIES)
