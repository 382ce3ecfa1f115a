"""Queries that name no target are named as such, and never counted as not found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oea_cli.audio.windows import read_audio
from oea_cli.encoder.protocol import Encoder
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index
from tests.commands.in_process import run
from tests.conftest import Completed
from tests.vectors.batches import unit, write

LEFT_OUT = "without a relevant clip: left out"
GOOD = {"id": "q", "text": "a tone", "target": "200.wav"}


@pytest.fixture(autouse=True)
def folder(
    encoder: Encoder, tone: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """x.oea holds 200.wav, 800.wav and a clip called 2, which has no caption."""
    monkeypatch.chdir(tmp_path)
    paths = [tone(Path(f"wavs/{hz}.wav"), hz) for hz in (200, 800, 2000)]
    records: list[dict[str, Any]] = [
        {"id": "200.wav", "captions": ["low"]},
        {"id": "800.wav", "captions": ["high"]},
        {"id": "2"},
    ]
    vectors = encoder.encode_audio([read_audio(path, encoder.sample_rate) for path in paths])
    build_index(
        Path("x.oea"), [Batch(records, vectors)], dim=encoder.dim, encoder=encoder.encoder_id
    )


def evaluated(rows: list[dict[str, Any]], *options: str) -> Completed:
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run(["eval", "--queries", "q.jsonl", "-i", "x.oea", "-M", "r@100", *options])


@pytest.mark.parametrize(
    "row",
    [
        {"text": "x"},
        {"text": "x", "target": []},
        {"text": "x", "target": None},
        {"text": "x", "target": ""},
        {"text": "x", "target": {"800.wav": 0}},
        {"path": "wavs/800.wav"},
    ],
)
def test_named_and_left_out(row: dict[str, Any]) -> None:
    """In line 2, whose number is no id, although a clip is called 2."""
    done = evaluated([GOOD, row])
    assert done.returncode == 1 and done.stderr == (
        "oea eval: q.jsonl:2: the query has no 'target'; add one, or give --qrels; "
        "--allow-missing leaves it out\n"
    )
    done = evaluated([GOOD, row, {**GOOD, "id": "r", "target": "gone"}], "--allow-missing")
    found = json.loads(done.stdout)
    assert found["metrics"] == {"r@100": 0.5} and found["per_query"]["id"] == ["q", "r"]
    assert found["counts"]["queries_without_relevant"] == 1
    assert f"1 query {LEFT_OUT}" in done.stderr
    assert "1 query whose target was not found" in done.stderr


def test_an_id_that_is_no_clip() -> None:
    rows = [GOOD, {"id": "900.wav", "text": "x"}, {"text": "y"}, {"id": "2", "text": "z"}]
    said = evaluated(rows).stderr
    assert said == (
        "oea eval: q.jsonl:2: query '900.wav' has no 'target', and its id is none of x.oea "
        "(2 of 4 queries have none); did you mean 800.wav, 200.wav?; add one, or give --qrels; "
        "--allow-missing leaves them out\n"
    )
    done = evaluated(rows, "--allow-missing")
    assert json.loads(done.stdout)["per_query"]["targets"] == [["200.wav"], ["2"]]
    assert f"2 queries {LEFT_OUT}" in done.stderr


def test_a_clip_that_is_named_is_a_target() -> None:
    rows = [GOOD, {"id": "c#1", "text": "x", "clip": "c.wav"}]
    assert "q.jsonl:2: target 'c.wav' of query 'c#1' is not in x.oea" in evaluated(rows).stderr
    assert json.loads(evaluated(rows, "--allow-missing").stdout)["metrics"] == {"r@100": 0.5}


def test_all_without() -> None:
    done = evaluated([{"text": "x"}, {"id": "r", "text": "y"}], "--allow-missing")
    assert done.returncode == 1 and done.stderr == (
        "oea eval: q.jsonl:1: no query has a target, this one neither; add 'target', or give "
        "--qrels\n"
    )


def test_within_pools() -> None:
    vectors = unit(4)
    clips = [{"id": name, "dataset": name[0]} for name in ("a1", "a2", "b1", "b2")]
    write("c.jsonl", clips, vectors, encoder=None)
    rows = [{"id": "q", "target": "b2"}, {"id": "r", "dataset": "b"}, {"id": "s"}]
    write("v.jsonl", rows, vectors[[3, 0, 1]], encoder=None)
    arguments = ["eval", "--queries", "v.jsonl", "--corpus", "c.jsonl", "--within", "dataset"]
    done = run([*arguments, "-M", "r@1"])
    assert "v.jsonl: row 2: query 'r' has no 'target'" in done.stderr
    done = run([*arguments, "-M", "r@1", "--allow-missing"])
    assert json.loads(done.stdout)["metrics"] == {"r@1": 1.0}
    assert f"2 queries {LEFT_OUT}" in done.stderr


def test_clips_without_captions() -> None:
    arguments = ["eval", "-i", "x.oea", "--task", "audio-to-text", "-M", "r@1"]
    assert run(arguments).stderr == (
        "oea eval: x.oea: clip '2' has none of the captions of x.oea; --allow-missing leaves it "
        "out\n"
    )
    done = run([*arguments, "--allow-missing"])
    assert json.loads(done.stdout)["per_query"]["id"] == ["200.wav", "800.wav"]
    assert f"1 query {LEFT_OUT}" in done.stderr


def test_the_same_words_as_for_qrels() -> None:
    np.save("c.npy", unit(3))
    np.save("q.npy", unit(3, seed=1))
    Path("qrels.txt").write_text("0 0 0 1\n1 0 2 0\n")
    done = run(
        ["eval", "--queries", "q.npy", "--corpus", "c.npy", "--qrels", "qrels.txt", "-M", "r@1"]
    )
    assert done.stderr == f"oea eval: 1 query {LEFT_OUT}\n"
