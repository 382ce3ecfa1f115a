"""A query that is a sound of the corpus must not be found for having asked."""

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

HERTZ = [200, 220, 800, 900]


@pytest.fixture
def sounds(
    encoder: Encoder, tone: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """The records of four sounds in wavs/ and in x.oea, with captions; the working folder."""
    monkeypatch.chdir(tmp_path)
    paths = [tone(Path(f"wavs/{hz}.wav"), hz) for hz in HERTZ]
    records = [
        {"id": path.name, "path": str(path), "captions": [f"a tone of {path.stem} hertz"]}
        for path in paths
    ]
    vectors = encoder.encode_audio([read_audio(path, encoder.sample_rate) for path in paths])
    build_index(
        tmp_path / "x.oea", [Batch(records, vectors)], dim=encoder.dim, encoder=encoder.encoder_id
    )
    return records


def evaluated(rows: list[dict[str, Any]], *options: str) -> Completed:
    Path("clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run(["eval", "--queries", "clips.jsonl", "-i", "x.oea", "-M", "r@1", *options])


def test_clips_as_queries_are_refused(sounds: list[dict[str, Any]]) -> None:
    done = evaluated(sounds)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (
        "oea eval: clips.jsonl:1: query '200.wav' is itself the sound that it should find, and no "
        "query has another target; give other targets, or queries with 'text' (without --queries, "
        "the captions of an index ask)\n"
    )


@pytest.mark.parametrize("id_", ["200.wav", "200", "first"])
@pytest.mark.parametrize("task", ["text-to-audio", "audio-to-audio"])
def test_a_sound_ranks_the_others(sounds: list[dict[str, Any]], id_: str, task: str) -> None:
    """By its id, by another spelling of it, or by its file: it is no candidate for itself."""
    row = {"id": id_, "path": "wavs/200.wav", "target": ["200.wav", "220.wav", "800.wav"]}
    found = json.loads(evaluated([row], "--task", task, "-M", "p@3").stdout)
    per_query = found["per_query"]
    assert per_query["targets"] == [["220.wav", "800.wav"]] and per_query["depth"] == [3]
    assert max(per_query["target_score"]) < 0.9999
    assert found["metrics"]["p@3"] == pytest.approx(2 / 3)


def test_those_with_other_targets_count(sounds: list[dict[str, Any]]) -> None:
    rows = [{**sounds[0], "target": "220.wav"}, sounds[1], {**sounds[2], "target": "800.wav"}]
    done = evaluated(rows)
    counts = json.loads(done.stdout)["counts"]
    assert (counts["queries"], counts["queries_of_themselves"]) == (1, 2)
    assert "2 queries whose only target is its own sound: left out" in done.stderr


def test_texts_ask_for_the_clip_of_their_id(sounds: list[dict[str, Any]]) -> None:
    rows = [{"id": row["id"], "text": row["captions"][0]} for row in sounds]
    found = json.loads(evaluated(rows).stdout)
    assert found["per_query"]["targets"] == [[row["id"]] for row in sounds]
    assert found["per_query"]["depth"] == [4, 4, 4, 4]


@pytest.mark.parametrize("name", ["v.npy", "v.parquet", "v.jsonl"])
def test_vectors_of_the_same_sounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    records: list[dict[str, Any]] = [{"id": f"{n}.wav"} for n in range(5)]
    write(name, records, unit(5))
    done = run(["eval", "--queries", name, "--corpus", name])
    assert done.returncode == 1 and "is itself the sound that it should find" in done.stderr
    # Vectors of texts may bear the names of their clips.
    texts = unit(5) + 0.1 * unit(5, seed=1)
    write("t.npy", records, (texts / np.linalg.norm(texts, axis=1, keepdims=True)))
    found = json.loads(run(["eval", "--queries", "t.npy", "--corpus", name, "-M", "r@1"]).stdout)
    assert found["metrics"] == {"r@1": 1.0}


def test_a_caption_with_a_target_does_not_find_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    records: list[dict[str, Any]] = [
        {"id": f"{n // 2}.wav#{n % 2 + 1}", "clip": f"{n // 2}.wav"} for n in range(6)
    ]
    vectors = unit(6)
    write("c.npy", records, vectors)
    write("q.jsonl", [{"id": "0.wav#1", "target": "0.wav"}], vectors[:1])
    task = ["--task", "text-to-text", "-M", "r@5"]
    done = run(["eval", "--queries", "q.jsonl", "--corpus", "c.npy", *task, "-f", "json"])
    assert json.loads(done.stdout)["per_query"]["targets"] == [["0.wav#2"]]
