"""Judged clips are found in a run with and without a sound's suffix; what is ambiguous is named."""

import json
from pathlib import Path

import pytest

from oea_cli.evaluation.inputs.record_lookup import hit_records
from oea_cli.records.ids import trec_id
from tests.commands.in_process import run
from tests.conftest import Completed


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def evaluated(documents: list[str], judged: str, *, hits: bool = False) -> Completed:
    """One query that ranks the documents in this order."""
    rows = [
        {"query_id": "q", "id": name, "score": 1.0 - number / 10}
        for number, name in enumerate(documents)
    ]
    lines = [
        json.dumps(row) if hits else f"q {trec_id(str(row['id']))} {row['score']}" for row in rows
    ]
    Path("run").write_text("".join(f"{line}\n" for line in lines))
    Path("q.jsonl").write_text(json.dumps({"id": "q", "target": judged}) + "\n")
    return run(["eval", "--run", "run", "--queries", "q.jsonl", "-M", "mrr"])


@pytest.mark.parametrize("hits", [False, True])
@pytest.mark.parametrize(
    ("documents", "judged", "rank"),
    [
        (["b.wav", "a.wav"], "a", 2),
        (["b", "c", "a"], "a.wav", 3),
        (["a.wav", "a"], "a", 2),  # the same name, before one like it
        (["a.wav", "a.mp3"], "a.mp3", 2),
        (["b.wav", "a w d.FLAC"], "a w d", 2),
        (["a.b.wav", "a.wav.wav", "a.wav"], "a", 3),  # other dots belong to the name
        (["a.wav#t=0,10", "b.wav", "c.wav#t=0,10"], "c", 3),
        (["x" * 300 + ".wav", "b"], "x" * 300, 1),
    ],
)
def test_with_and_without_suffix(documents: list[str], judged: str, rank: int, hits: bool) -> None:
    done = evaluated(documents, judged, hits=hits)
    assert json.loads(done.stdout)["per_query"]["target_rank"] == [rank], done.stderr


@pytest.mark.parametrize(
    ("documents", "judged"),
    [
        (["a.mp3"], "a.wav"),  # another file, which may be another clip
        (["A.wav"], "a"),
        (["x/a.wav"], "a"),
        (["a.b", "a-b.wav", "a0"], "a"),
    ],
)
def test_a_run_that_ends_early_is_not_searched_for_what_is_alike(
    documents: list[str], judged: str
) -> None:
    done = evaluated(documents, judged)
    assert json.loads(done.stdout)["per_query"]["target_rank"] == [None]
    assert "1 query whose target was not found" in done.stderr


@pytest.mark.parametrize("hits", [False, True])
@pytest.mark.parametrize(
    ("documents", "judged", "names"),
    [
        (["a.wav", "a.mp3"], "a", "2 clips of the run: a.mp3, a.wav"),
        (["a.wav", "b", "a.flac", "a.WAV"], "a", "3 clips of the run: a.WAV, a.flac, a.wav"),
        (["a.wav#t=0,1", "a.ogg#t=0,1"], "a", "2 clips of the run: a.ogg, a.wav"),
    ],
)
def test_several_are_named(documents: list[str], judged: str, names: str, hits: bool) -> None:
    done = evaluated(documents, judged, hits=hits)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        f"oea eval: run: the judged clip 'a' means {names}; name it with its suffix\n"
    )


def test_qrels_and_hard_negatives() -> None:
    Path("run").write_text("q Q0 a.wav 1 0.9 x\nq Q0 a.mp3 2 0.8 x\nq Q0 b.wav 3 0.7 x\n")
    Path("qrels.txt").write_text("q 0 a 1\n")
    done = run(["eval", "--run", "run", "--qrels", "qrels.txt"])
    assert done.returncode == 1 and "'a' means 2 clips of the run: a.mp3, a.wav" in done.stderr
    row = {"id": "q", "target": "a.wav", "hard_negative": "b"}
    Path("q.jsonl").write_text(json.dumps(row) + "\n")
    done = run(["eval", "--run", "run", "--queries", "q.jsonl", "-M", "delta-rank"])
    assert json.loads(done.stdout)["metrics"] == {"delta-rank": 2.0}


def test_records_of_hits_are_found_as_their_ranks_are() -> None:
    rows = [
        {"query_id": "q", "id": name, "score": 1, "captions": [name]} for name in ("a.wav", "b")
    ]
    Path("hits").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = hit_records("hits")(["a", "b.flac", "c"])
    assert {id_: row["captions"] for id_, row in found.items()} == {"a": ["a.wav"], "b.flac": ["b"]}
