"""`oea demo`: complete, light, and careful with folders that hold something else."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from oea_cli.commands.demo import SHIPPED
from tests.commands.in_process import run
from tests.conftest import clean_environment


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the first twelve scenes."""
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


def test_without_a_number_everything_is_copied(tmp_path: Path) -> None:
    assert run(["demo", tmp_path / "all", "-q"]).returncode == 0
    copied = content(tmp_path / "all")
    assert copied == content(SHIPPED) and len(copied) == 103
    assert sum(map(len, copied.values())) < 2.1e6


def test_same_bytes_in_another_process(made: Path, tmp_path: Path, oea: Any) -> None:
    done = oea(["demo", "again", "--scenes", 12, "-q"], cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == "" and done.stdout == ""
    assert content(tmp_path / "again") == content(made)


@pytest.mark.parametrize("scenes", [1, 2, 9, 40, 99])
def test_queries_and_pairs_are_about_the_scenes_that_are_there(tmp_path: Path, scenes: int) -> None:
    assert run(["demo", tmp_path, "--scenes", scenes, "-q"]).returncode == 0
    ids = [clip["id"] for clip in rows(tmp_path / "clips.jsonl")]
    assert ids == [clip["id"] for clip in rows(SHIPPED / "clips.jsonl")[:scenes]]
    queries, shipped = rows(tmp_path / "queries.jsonl"), rows(SHIPPED / "queries.jsonl")
    assert [query["text"] for query in queries] == [row["text"] for row in shipped[: len(queries)]]
    assert sum(query["type"] != "negative" for query in queries) == scenes
    for query in queries:
        targets = [query["target"]] if isinstance(query["target"], str) else query["target"]
        assert {*targets, query.get("hard_negative", ids[0])} <= set(ids)
        assert isinstance(query["target"], str) is (len(targets) == 1)
    pairs = rows(tmp_path / "pairs.jsonl")
    assert len(pairs) == sum(query["type"] == "negative" for query in queries)
    assert all({pair["target"], pair["hard_negative"]} <= set(ids) for pair in pairs)


def test_copying_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom oea_cli.main import app\n"
        "try:\n    app(['demo', 'sounds'], prog_name='oea')\nexcept SystemExit:\n    pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean_environment(),
        cwd=tmp_path, check=False,
    )  # fmt: skip
    assert len(rows(tmp_path / "sounds" / "clips.jsonl")) == 100, done.stderr
    loaded = set(ast.literal_eval(done.stderr.splitlines()[-1]))
    assert not loaded & {"numpy", "soundfile", "polars", "torch", "rich", "recipes"}


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


def test_the_sounds_of_an_earlier_version_go(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "001-rain.flac").write_bytes(b"earlier")
    done = run(["demo", tmp_path, "--scenes", 2])
    assert done.returncode == 1 and "001-rain.flac" in done.stderr
    assert run(["demo", tmp_path, "--scenes", 2, "--overwrite"]).returncode == 0
    assert sorted(path.name for path in (tmp_path / "audio").iterdir()) == [
        "001-rain.ogg", "002-rain-thunder.ogg",
    ]  # fmt: skip


@pytest.mark.parametrize("arguments", [["--scenes", "0"], ["--scenes", "x"], ["--scenes", "101"]])
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
