"""`oea eval --check-leaks`: clips of the evaluation in training data, in every form of results."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from oea_cli.evaluation.inputs.leak_check import clips_of
from tests.commands.in_process import run
from tests.conftest import Completed
from tests.vectors.batches import unit, write

EVAL = ["eval", "--queries", "q.jsonl", "--corpus", "c.parquet", "-M", "r@1"]
CLIPS = [
    {"id": "dogs/bark.wav", "path": "dogs/bark.wav"},
    {"id": "QSuFyFm3Lc1_230", "path": "audiocaps/QSuFyFm3Lc1_230.wav"},
    {"id": "07 storm - orage.wav", "sound_id": "1234"},
    {"id": "quiet.wav", "path": "quiet.wav"},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with four clips as vectors and a query for each."""
    monkeypatch.chdir(tmp_path)
    vectors = unit(4)
    write("c.parquet", CLIPS, vectors)
    write("q.jsonl", [{"id": f"q{n}", "target": c["id"]} for n, c in enumerate(CLIPS)], vectors)
    return tmp_path


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def leaks(done: Completed) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["leaks"]
    return found


TRAINING = [
    {"id": "dogs/bark.wav", "path": "dogs/bark.wav"},
    {"id": "YQSuFyFm3Lc1.wav", "path": "flac/YQSuFyFm3Lc1.flac"},
    {"id": "x", "freesound_id": 1234},
    {"id": "other", "path": "other.wav"},
]


def test_all_kinds_in_every_form_of_results(folder: Path) -> None:
    lines(folder / "train.jsonl", TRAINING)
    done = run([*EVAL, "--check-leaks", "train.jsonl", "-f", "json", "-o", "r.md", "-o", "r.xml"])
    found = leaks(done)
    assert found["counts"] == {
        "id": 1,
        "youtube id": 1,
        "freesound id": 1,
        "content": 0,
        "title": 0,
    }
    assert (found["clips"], found["leaked"], found["content"]) == (4, 3, False)
    assert found["pairs"][1] == {
        "by": "youtube id",
        "value": "QSuFyFm3Lc1",
        "evaluation": "QSuFyFm3Lc1_230",
        "training": "YQSuFyFm3Lc1.wav",
        "source": "train.jsonl",
    }
    said = done.stderr.splitlines()
    assert said == [
        "oea eval: leaks: 1 of 4 clips in training by id, such as dogs/bark.wav "
        "(dogs/bark.wav in train.jsonl)",
        "oea eval: leaks: 1 of 4 clips in training by youtube id, such as QSuFyFm3Lc1_230 "
        "(YQSuFyFm3Lc1.wav in train.jsonl)",
        "oea eval: leaks: 1 of 4 clips in training by freesound id, such as 07 storm - orage.wav "
        "(x in train.jsonl)",
    ]
    markdown = (folder / "r.md").read_text()
    assert "leaks: 1 of 4 clips in training by youtube id" in markdown
    properties = {
        one.get("name"): one.get("value")
        for one in ElementTree.parse(folder / "r.xml").iter("property")
    }
    assert properties["leaks youtube id"] == "1" and properties["leaks title"] == "0"


def test_none(folder: Path) -> None:
    lines(folder / "train.jsonl", TRAINING[3:])
    done = run([*EVAL, "--check-leaks", "train.jsonl"])
    assert leaks(done)["pairs"] == []
    assert done.stderr == (
        "oea eval: leaks: none of 4 clips in train.jsonl by id, youtube id, freesound id, title\n"
    )


@pytest.mark.parametrize(("limit", "code"), [("0", 4), ("2", 4), ("3", 0)])
def test_a_gate_on_leaks(folder: Path, limit: str, code: int) -> None:
    lines(folder / "train.jsonl", TRAINING)
    arguments = ["--check-leaks", "train.jsonl", "--fail-under", f"leaks={limit}"]
    done = run([*EVAL, *arguments, "--fail-under", "r@1=0.5", "-o", "r.xml", "-f", "json"])
    assert done.returncode == code
    word = "pass: leaks 3 is at most" if code == 0 else "FAIL: leaks 3 is above"
    assert f"oea eval: {word} {limit} (--fail-under leaks={limit})" in done.stderr
    assert json.loads(done.stdout)["passed"] is (code == 0)
    suite = ElementTree.parse(folder / "r.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0" if code == 0 else "1")


def test_several_sources_and_a_published_layout(folder: Path) -> None:
    lines(folder / "train.jsonl", TRAINING[:1])
    (folder / "train.csv").write_text(
        "audiocap_id,youtube_id,start_time,caption\n1,QSuFyFm3Lc1,30,a dog\n"
    )
    done = run([*EVAL, "--check-leaks", "train.jsonl", "--check-leaks", "train.csv"])
    assert [pair["source"] for pair in leaks(done)["pairs"]] == ["train.jsonl", "train.csv"]


def test_a_blacklist_is_what_training_must_not_hold(folder: Path) -> None:
    wavcaps = {"data": [{"id": "YabcdEFGH123.wav", "caption": "x", "audio": "a", "duration": 1}]}
    (folder / "as_final.json").write_text(json.dumps(wavcaps))
    (folder / "blacklist.json").write_text('{"AudioSet": ["YabcdEFGH123.wav"], "FreeSound": []}')
    arguments = [*EVAL, "--check-leaks", "as_final.json", "--check-leaks", "blacklist.json"]
    done = run([*arguments, "--fail-under", "leaks=0"])
    assert done.returncode == 4
    found = json.loads(done.stdout)["leaks"]
    assert found["pairs"] == [] and found["blacklists"] == ["blacklist.json"]
    assert found["blacklisted"][0]["training"] == "YabcdEFGH123.wav"
    assert "1 training clip on the blacklist blacklist.json" in done.stderr


def test_sounds_are_compared_on_request(folder: Path, tone: Callable[..., Path]) -> None:
    tone(folder / "dogs/bark.wav")
    (folder / "train").mkdir()
    samples, rate = soundfile.read(folder / "dogs/bark.wav")
    soundfile.write(folder / "train/unlike.flac", samples, rate)
    lines(folder / "train/train.jsonl", [{"path": "unlike.flac"}])
    assert leaks(run([*EVAL, "--check-leaks", "train/train.jsonl"]))["pairs"] == []
    found = leaks(run([*EVAL, "--check-leaks", "content:train/train.jsonl"]))
    assert found["content"] and found["counts"]["content"] == 1
    assert found["pairs"][0]["training"] == "unlike.flac"
    # A folder of sounds, and one that cannot be decoded: named, and the exit code says so.
    (folder / "train/train.jsonl").unlink()
    (folder / "train/broken.wav").write_bytes(b"RIFF")
    done = run([*EVAL, "--check-leaks", "content:train"])
    assert done.returncode == 3 and "train/broken.wav: " in done.stderr
    assert json.loads(done.stdout)["leaks"]["counts"]["content"] == 1


def test_the_clips_of_a_run_are_those_that_it_is_judged_by(folder: Path) -> None:
    lines(folder / "train.jsonl", TRAINING)
    (folder / "run.trec").write_text("q Q0 dogs/bark.wav 1 0.5 x\n")
    (folder / "qrels").write_text("q 0 dogs/bark.wav 1\n")
    arguments = ["eval", "--run", "run.trec", "--qrels", "qrels", "--check-leaks", "train.jsonl"]
    found = leaks(run(arguments))
    assert (found["clips"], found["leaked"]) == (1, 1)


def test_windows_are_one_clip() -> None:
    rows = [{"id": f"a.wav#t={n * 10},{n * 10 + 10}", "start": n * 10.0} for n in range(3)]
    (whole,) = clips_of([{**row, "end": row["start"] + 10, "path": "a.wav"} for row in rows])
    assert (whole["id"], whole["start"], whole["end"]) == ("a.wav", 0.0, None)
    (part,) = clips_of([{**row, "end": row["start"] + 10} for row in rows[1:]])
    assert (part["start"], part["end"]) == (10.0, 30.0)


@pytest.mark.parametrize(
    ("arguments", "content", "code", "message"),
    [
        (["gone.jsonl"], None, 1, "gone.jsonl: no such file or folder; --check-leaks needs train"),
        (["t.jsonl"], "", 1, "t.jsonl: holds no training records"),
        (["t.jsonl"], '{"text": "rain"}\n', 1, "t.jsonl: no record names its clip; give"),
        (["t.jsonl"], "rain\n", 1, "t.jsonl:1: "),
        (["t.json"], '["YabcdEFGH123.wav"]', 2, "t.json: a blacklist, which training records are"),
        (["t.json"], "{", 1, "t.json"),
        (["-"], None, 2, "--check-leaks -: training data cannot be stdin"),
        (["c.npy"], "", 1, "c.npy: "),
    ],
)
def test_bad_inputs(
    folder: Path, arguments: list[str], content: str | None, code: int, message: str
) -> None:
    if content is not None:
        (folder / arguments[0]).write_text(content)
    done = run([*EVAL, "--check-leaks", *arguments])
    said = done.stderr.splitlines()
    assert done.returncode == code and done.stdout == "" and len(said) == 1, done.stderr
    assert said[0].startswith(f"oea eval: {message}")


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("leaks=0", "--fail-under leaks=0: needs training records; give --check-leaks"),
        ("leaks=some", "--fail-under leaks=some: must be leaks=N"),
    ],
)
def test_bad_gates(folder: Path, gate: str, message: str) -> None:
    lines(folder / "t.jsonl", TRAINING)
    given = [] if gate == "leaks=0" else ["--check-leaks", "t.jsonl"]
    done = run([*EVAL, "--fail-under", gate, *given])
    assert done.returncode == 2 and done.stderr.startswith(f"oea eval: {message}")


def test_an_index_and_bare_vectors(folder: Path) -> None:
    done = run(["index", "c.parquet", "-o", "c.oea"])
    assert done.returncode == 0, done.stderr
    shutil.copy("q.jsonl", "queries.jsonl")
    arguments = ["eval", "--queries", "queries.jsonl", "-i", "c.oea", "-M", "r@1"]
    found = leaks(run([*arguments, "--check-leaks", "c.oea"]))
    assert (found["clips"], found["leaked"]) == (4, 4)
    np.save("v.npy", unit(4))
    np.save("bare.npy", unit(4, seed=1))
    done = run(["eval", "--queries", "bare.npy", "--corpus", "v.npy", "--check-leaks", "c.oea"])
    assert done.returncode == 1 and "v.npy: its rows have no ids" in done.stderr
    done = run([*arguments, "--check-leaks", "v.npy"])
    assert done.returncode == 1 and "v.npy: no record names its clip" in done.stderr
    write("w.npy", CLIPS[:2], unit(2))
    assert leaks(run([*arguments, "--check-leaks", "w.npy"]))["leaked"] == 2
