"""`oea demo`: complete, reproducible, and careful with folders that hold something else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from oea_cli.synthesis.collection import CLASSES, plan
from oea_cli.synthesis.events import EVENTS
from tests.commands.in_process import run
from tests.conftest import REPOSITORY


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve scenes, seed 0."""
    folder = tmp_path_factory.mktemp("demo") / "sounds"
    done = run(["demo", folder, "--scenes", 12])
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return folder


def test_clips_are_records_with_their_sounds(made: Path) -> None:
    clips = rows(made / "clips.jsonl")
    assert len(clips) == 12 and len({clip["id"] for clip in clips}) == 12
    for clip in clips:
        assert clip["id"] == clip["path"]
        samples, rate = soundfile.read(made / clip["path"], dtype="float32")
        assert rate == 16_000 and samples.ndim == 1
        assert len(samples) / rate == pytest.approx(clip["duration"], abs=1e-3)
        assert 0.05 < np.abs(samples).max() <= 1.0
        assert len(set(clip["captions"])) == 3 and 1 <= len(clip["labels"]) <= 3
    assert {path.name for path in (made / "audio").iterdir()} == {
        Path(clip["path"]).name for clip in clips
    }


def test_queries_have_targets_types_and_hard_negatives(made: Path) -> None:
    clips = {clip["id"]: clip for clip in rows(made / "clips.jsonl")}
    queries = rows(made / "queries.jsonl")
    assert len({query["id"] for query in queries}) == len(queries) > len(clips)
    kinds = {query["type"] for query in queries}
    assert kinds == {"question", "imperative", "keyphrase", "paraphrase", "negative", "caption"}
    for query in queries:
        targets = [query["target"]] if isinstance(query["target"], str) else query["target"]
        labels = {frozenset(clips[target]["labels"]) for target in targets}
        assert len(labels) == 1 and query["text"]
        assert ("hard_negative" in query) is (query["type"] == "negative")
        if query["type"] == "negative":
            assert labels.pop() < set(clips[query["hard_negative"]]["labels"])


def test_pairs_differ_by_one_sound(made: Path) -> None:
    clips = {clip["id"]: clip for clip in rows(made / "clips.jsonl")}
    pairs = rows(made / "pairs.jsonl")
    assert len(pairs) == 3
    for pair in pairs:
        target, negative = clips[pair["target"]], clips[pair["hard_negative"]]
        assert negative["labels"][:-1] == target["labels"]
        assert pair["captions"] == target["captions"]
        assert pair["hard_negative_captions"] == negative["captions"]
        assert target["duration"] == negative["duration"]


def test_same_seed_same_bytes_in_another_process(made: Path, tmp_path: Path, oea: Any) -> None:
    done = oea(["demo", "again", "--scenes", 12, "-q"], cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == "" and done.stdout == ""
    assert content(tmp_path / "again") == content(made)


def test_another_seed_is_another_collection(made: Path, tmp_path: Path) -> None:
    run(["demo", tmp_path / "other", "--scenes", 2, "--seed", 1])
    first, other = (rows(folder / "clips.jsonl")[0] for folder in (made, tmp_path / "other"))
    assert first["captions"] != other["captions"] or first["duration"] != other["duration"]


def test_running_again_and_going_on(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    for scenes in (3, 11, 12, 12):
        assert run(["demo", folder, "--scenes", scenes]).returncode == 0
    assert content(folder) == content(made)


def test_says_what_was_made_and_what_to_try(tmp_path: Path) -> None:
    done = run(["demo", tmp_path / "my sounds", "--scenes", 2])
    assert "2 scenes" in done.stderr and "1 hard-negative pairs" in done.stderr
    assert f"oea embed '{tmp_path}/my sounds/clips.jsonl'" in done.stderr
    assert f"-o '{tmp_path}/my sounds.oea'" in done.stderr


def test_refuses_a_folder_with_other_content(tmp_path: Path) -> None:
    (tmp_path / "holiday.wav").write_bytes(b"precious")
    done = run(["demo", tmp_path, "--scenes", 2])
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "holiday.wav" in done.stderr and "--overwrite" in done.stderr
    assert content(tmp_path) == {"holiday.wav": b"precious"}


def test_overwrite_removes_its_own_sounds_only(tmp_path: Path) -> None:
    run(["demo", tmp_path, "--scenes", 4])
    (tmp_path / "holiday.wav").write_bytes(b"precious")
    (tmp_path / "audio" / "My-001.flac").write_bytes(b"mine")
    assert run(["demo", tmp_path, "--scenes", 2]).returncode == 1
    assert run(["demo", tmp_path, "--scenes", 2, "--overwrite"]).returncode == 0
    files = set(content(tmp_path))
    assert {"holiday.wav", "audio/My-001.flac"} < files
    assert len([name for name in files if name.startswith("audio/0")]) == 2


def test_wav_on_request(tmp_path: Path) -> None:
    assert run(["demo", tmp_path / "x", "--scenes", 1, "-f", "wav"]).returncode == 0
    [path] = (tmp_path / "x" / "audio").iterdir()
    assert path.suffix == ".wav" and soundfile.info(path).subtype == "PCM_16"


@pytest.mark.parametrize("arguments", [["--scenes", "0"], ["--scenes", "x"], ["-f", "mp3"]])
def test_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    assert run(["demo", tmp_path / "x", *arguments]).returncode == 2
    assert run(["demo"]).returncode == 2
    assert not list(tmp_path.iterdir())


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("here")
    done = run(["demo", tmp_path / "x"])
    assert done.returncode == 1 and "is a file" in done.stderr
    done = run(["demo", tmp_path / "x" / "y"])
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1


def test_every_class_is_an_event_that_mini_knows() -> None:
    assert set(CLASSES) <= set(EVENTS)
    recipe = yaml.safe_load((REPOSITORY / "recipes" / "mini.yaml").read_text())
    if learnt := recipe["sounds"].get("classes"):
        assert set(CLASSES) <= set(learnt)


@pytest.mark.parametrize("num_scenes", [1, 2, 9, 10, 100, 101])
def test_plan_makes_exactly_as_many_and_a_prefix(num_scenes: int) -> None:
    planned = plan(num_scenes, seed=3)
    names = [name for turn in planned for name in turn.names]
    assert len(names) == len(set(names)) == num_scenes
    assert names == [name for turn in plan(num_scenes + 7, 3) for name in turn.names][:num_scenes]
    if num_scenes == 100:
        assert {label for turn in planned for label in turn.labels} == set(CLASSES)
