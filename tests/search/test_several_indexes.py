"""Several indexes searched at once: as one index of all their records would be."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index
from tests.commands.in_process import run
from tests.vectors.batches import unit

DIM = 8
COUNTS = {"a.oea": 30, "b.oea": 50, "c.oea": 5}


@pytest.fixture(autouse=True)
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three indexes, all.oea with the records of the three, and q.npy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OEA_INDEX", raising=False)
    vectors = unit(sum(COUNTS.values()), DIM)
    vectors[40] = vectors[3]  # equal scores: the first index comes first
    records: list[dict[str, Any]] = [
        {"id": f"{n // 5}.wav#t={n % 5},{n % 5 + 1}", "path": f"{n // 5}.wav", "start": n % 5,
         "end": n % 5 + 1, "kind": "dog" if n % 2 else "cat"}
        for n in range(len(vectors))
    ]  # fmt: skip
    first = 0
    for name, count in {**COUNTS, "all.oea": len(vectors)}.items():
        first = 0 if name == "all.oea" else first
        part = Batch(records[first : first + count], vectors[first : first + count])
        build_index(tmp_path / name, [part], dim=DIM, encoder=None)
        first += count
    np.save("q.npy", np.concatenate([unit(9, DIM, seed=1), vectors[3:4]]))


SEVERAL = ["-i", "a.oea", "-i", "b.oea", "-i", "c.oea"]


def hits_of(*options: str) -> list[dict[str, Any]]:
    done = run(["search", "--queries", "q.npy", "-f", "jsonl", *options])
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "options",
    [[], ["-k", "1"], ["-k", "40"], ["--no-windows"], ["--where", "kind = 'dog'"],
     ["--min-score", "0.3"]],
    ids=" ".join,
)  # fmt: skip
def test_the_hits_are_those_of_one_index(options: list[str]) -> None:
    found, expected = hits_of(*SEVERAL, *options), hits_of("-i", "all.oea", *options)
    assert [{**hit, "index": None} for hit in found] == [{**hit, "index": None} for hit in expected]
    limits = {"a.oea": range(6), "b.oea": range(6, 16), "c.oea": range(16, 17)}
    assert all(int(hit["path"].removesuffix(".wav")) in limits[hit["index"]] for hit in found)


def test_one_index_is_not_named() -> None:
    assert all("index" not in hit for hit in hits_of("-i", "a.oea"))


def test_the_variable_names_several() -> None:
    done = run(["search", "--queries", "q.npy", "-k", "3"], env={"OEA_INDEX": "a.oea:b.oea:c.oea"})
    assert done.stdout.splitlines() == [json.dumps(hit, separators=(",", ":"))
                                        for hit in hits_of(*SEVERAL, "-k", "3")]  # fmt: skip


def test_tables_name_the_index() -> None:
    search = ["search", "--queries", "q.npy", *SEVERAL, "-k", "2"]
    rows = list(csv.DictReader(run([*search, "-f", "csv", "--windows"]).stdout.splitlines()))
    assert [row["index"] for row in rows] == [hit["index"] for hit in hits_of(*SEVERAL, "-k", "2")]
    lines = run([*search, "-f", "table"]).stdout.splitlines()
    assert lines[1].split() == ["score", "index", "path", "at"] and ".oea" in lines[2]


def test_like_looks_in_all() -> None:
    """The record is found in the index that has it, and is no hit."""
    for form in ("trec", "jsonl"):
        search = ["search", "--like", "7.wav", "-k", "99", "-f", form]
        several, one = (run([*search, *where]) for where in (SEVERAL, ["-i", "all.oea"]))
        assert several.stdout.count("\n") == one.stdout.count("\n") > 10
        assert "7.wav#" not in several.stdout.replace("17.wav", "") and not several.returncode
    gone = run(["search", "--like", "70.wav", *SEVERAL])
    assert gone.returncode == 1 and "a.oea: no record with id '70.wav'" in gone.stderr


def test_a_condition_on_what_only_one_of_them_has(tmp_path: Path) -> None:
    """As in one index: what is not there is neither true nor false; a key of none is an error."""
    record = {"id": "x.wav", "path": "x.wav", "year": 1999}
    build_index(tmp_path / "d.oea", [Batch([record], unit(1, DIM))], dim=DIM, encoder=None)
    both = ["-i", "a.oea", "-i", "d.oea", "-k", "99"]
    for condition, indexes in (
        ("year > 1900", {"d.oea"}),
        ("NOT year > 1900", set()),
        ("year > 1900 OR kind = 'dog'", {"a.oea", "d.oea"}),
        ("year IS NULL", {"a.oea"}),
    ):
        done = run(["search", "--queries", "q.npy", *both, "--where", condition, "-f", "jsonl"])
        assert done.returncode == 0, condition
        assert {json.loads(line)["index"] for line in done.stdout.splitlines()} == indexes
    for name, hint in (("yaer", "did you mean 'year'?"), ("index", "no record has 'index'")):
        wrong = run(["search", "--queries", "q.npy", *both, "--where", f"{name} > 1900"])
        assert wrong.returncode == 2 and hint in wrong.stderr


def test_an_id_of_two_indexes(tmp_path: Path) -> None:
    """Both are hits; a run, which cannot tell them apart, is refused."""
    build_index(tmp_path / "d.oea", [Batch([{"id": "0.wav"}], unit(1, DIM))], dim=DIM, encoder=None)
    both = ["-i", "a.oea", "-i", "d.oea", "-k", "99"]
    assert {hit["index"] for hit in hits_of(*both, "--no-windows") if hit["id"] == "0.wav"} == {
        "a.oea", "d.oea",
    }  # fmt: skip
    done = run(["search", "--queries", "q.npy", *both, "-f", "trec"])
    assert (done.returncode, done.stdout) == (1, "")
    assert "0.wav: is in " in done.stderr and "ids that differ" in done.stderr


def test_what_does_not_go_together(tmp_path: Path) -> None:
    batch = Batch([{"id": "x"}], unit(1, DIM))
    build_index(tmp_path / "other.oea", [batch], dim=DIM, encoder="mini:ff")
    build_index(tmp_path / "wide.oea", [Batch([{"id": "x"}], unit(1, 9))], dim=9, encoder=None)
    for name, reason in (
        ("other.oea", "other.oea: made with mini:ff, a.oea with no named encoder (8 dimensions)"),
        ("wide.oea", "wide.oea: made with no named encoder (9 dimensions), a.oea with no named"),
        ("./a.oea", "a.oea: is given twice; name each index once"),
    ):
        done = run(["search", "--queries", "q.npy", "-i", "a.oea", "-i", name])
        assert (done.returncode, done.stdout) == (2, "") and reason in done.stderr
