"""The trainer: examples, schedule, checkpoints, and a run that is stopped and goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from oea_cli.encoder.omni.folder import load_encoder_folder
from oea_cli.errors import OeaError, UsageError
from oea_cli.training.data.schedule import learning_rate
from oea_cli.training.loop.checkpoint import CHECKPOINT_FILE
from oea_cli.training.loop.learner import pool_by_length
from oea_cli.training.loop.train import train
from oea_cli.training.recipe.recipe import Recipe, Stage, stage_at
from oea_cli.training.results.log import StepReport
from tests.conftest import clean_environment
from tests.training.conftest import SMOKE

WEIGHTS = ("model.safetensors", "heads.safetensors")


@pytest.fixture(scope="module")
def trained(smoke: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke recipe, trained once without interruption."""
    return train(smoke, tmp_path_factory.mktemp("smoke"), workers=0, device="cpu")


# --- the schedule ---


def test_learning_rate_warms_up_and_falls() -> None:
    stage = Stage(name="s", steps=100, learning_rate=1.0, warmup=10, final_rate=0.1)
    rates = [learning_rate(stage, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.55, abs=0.01)
    assert rates[99] == pytest.approx(0.1, abs=0.01)
    assert all(a >= b for a, b in pairwise(rates[10:]))


def test_stages_follow_each_other(smoke: Recipe) -> None:
    recipe = smoke.changed(
        stages=(Stage(name="a", steps=2), Stage(name="b", steps=3)), validation=(), validate_every=0
    )
    places = [(stage.name, within) for stage, within in (stage_at(recipe, i) for i in range(5))]
    assert places == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2)]
    with pytest.raises(IndexError):
        stage_at(recipe, 5)


# --- a run ---


def test_the_result_is_an_encoder(trained: Path) -> None:
    encoder = load_encoder_folder(trained)
    texts = encoder.encode_text(["rain", "a dog"])
    sounds = encoder.encode_audio([np.zeros(8000, np.float32)])
    assert texts.shape == (2, 32) and sounds.shape == (1, 32)
    assert np.linalg.norm(texts, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_log_has_losses_speed_and_measurements(trained: Path, smoke: Recipe) -> None:
    lines = (trained / "train_log.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows] == [2, 3, 4, 6, 8, 9]
    assert rows[0]["stage"] == "start" and rows[-1]["stage"] == "main"
    assert set(rows[-1]["losses"]) == {"contrast", "margin"}
    assert set(rows[-1]["validation"]) == {"r@1", "r@10"}
    assert rows[-1]["total"] == smoke.num_steps


def test_the_weights_move(trained: Path, smoke: Recipe, tmp_path: Path) -> None:
    shorter = smoke.changed(stages=(smoke.stages[0].changed(steps=1),))
    once = train(shorter, tmp_path, workers=0, device="cpu")
    before, after = (load_file(folder / WEIGHTS[0]) for folder in (once, trained))
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_a_clipped_gradient_moves_no_weight(smoke: Recipe, tmp_path: Path) -> None:
    """Clipped to next to nothing, it is far below AdamW's epsilon; as it is, it moves them."""
    stage = smoke.stages[0]
    still = smoke.changed(
        clip_norm=1e-12, weight_decay=0.0, average=0.0, validation=(), validate_every=0
    )
    for recipe, moves in ((still, False), (still.changed(clip_norm=1.0), True)):
        first, second = (
            load_file(
                train(
                    recipe.changed(stages=(stage.changed(steps=steps),)),
                    tmp_path / f"{moves}{steps}",
                    workers=0,
                    device="cpu",
                )
                / WEIGHTS[1]
            )
            for steps in (1, 2)
        )
        furthest = max((first[name] - second[name]).abs().max().item() for name in first)
        assert (furthest > 1e-4) is moves, furthest


class StopError(Exception):
    pass


@pytest.mark.parametrize("stop_at", [2, 4, 8])
def test_a_run_that_goes_on_ends_with_the_same_weights(
    trained: Path, smoke: Recipe, tmp_path: Path, stop_at: int
) -> None:
    def stop(report: StepReport) -> None:
        if report.step == stop_at:
            raise StopError

    with pytest.raises(StopError):
        train(smoke, tmp_path, workers=0, device="cpu", on_step=stop)
    seen: list[int] = []
    train(smoke, tmp_path, workers=0, device="cpu", on_step=lambda report: seen.append(report.step))
    assert min(seen) > stop_at // smoke.checkpoint_every * smoke.checkpoint_every
    for name in WEIGHTS:
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


@pytest.mark.slow
def test_muon_too_goes_on_with_the_same_weights(smoke: Recipe, tmp_path: Path) -> None:
    recipe = smoke.changed(optimizer="muon")

    def stop(report: StepReport) -> None:
        if report.step == 4:
            raise StopError

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(recipe, whole, workers=0, device="cpu")
    with pytest.raises(StopError):
        train(recipe, parts, workers=0, device="cpu", on_step=stop)
    train(recipe, parts, workers=0, device="cpu")
    for name in WEIGHTS:
        assert (whole / name).read_bytes() == (parts / name).read_bytes()


def test_texts_pooled_by_length_are_those_pooled_together(trained: Path, smoke: Recipe) -> None:
    encoder = load_encoder_folder(trained)
    texts = ["rain", "a dog barking somewhere behind the old house", "wind", "a siren", "a bell"]
    inputs = encoder.front_end.text_inputs(texts)
    with torch.no_grad():
        together, apart = encoder.model.pool(inputs), pool_by_length(encoder.model, inputs)
        one = {name: rows[:1] for name, rows in inputs.items()}
        alone = pool_by_length(encoder.model, one)
    assert torch.allclose(together, apart, atol=1e-6)
    assert torch.allclose(together[:1], alone, atol=1e-6)


@pytest.mark.slow
def test_background_workers_change_nothing(trained: Path, smoke: Recipe, tmp_path: Path) -> None:
    train(smoke, tmp_path, workers=1, device="cpu")
    for name in WEIGHTS:
        assert (tmp_path / name).read_bytes() == (trained / name).read_bytes()


def test_another_recipe_does_not_continue_a_checkpoint(trained: Path, smoke: Recipe) -> None:
    with pytest.raises(UsageError, match="made with other settings"):
        train(smoke.changed(seed=99), trained, workers=0)


def test_a_broken_checkpoint_is_named(smoke: Recipe, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"half a file")
    with pytest.raises(OeaError, match="--no-resume starts anew"):
        train(smoke, tmp_path, workers=0)


def test_a_recipe_without_data_says_what_to_add(smoke: Recipe, tmp_path: Path) -> None:
    bare = smoke.changed(
        validation=(), validate_every=0, stages=tuple(s.changed(data=()) for s in smoke.stages)
    )
    with pytest.raises(UsageError, match=r"smoke: its stages name no data; give each a list"):
        train(bare, tmp_path, workers=0, device="cpu")


# --- the verb ---


def test_the_verb_trains_and_says_so(
    oea: Callable[..., object], smoke_clips: Path, tmp_path: Path
) -> None:
    folder = ["--set", f"folders.clips={smoke_clips}"]
    done = oea(["train", SMOKE, "-o", tmp_path / "run", "-j", "0", *folder])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "run")
    assert "main 9/9" in done.stderr
    assert "left" in done.stderr


def test_the_verb_names_a_wrong_recipe(oea: Callable[..., object], tmp_path: Path) -> None:
    done = oea(["train", SMOKE, "-o", tmp_path, "--set", "sede=1"])
    assert done.returncode == 2
    assert "--set sede=1: unknown key; did you mean seed?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_saves_first(
    number: signal.Signals, smoke_clips: Path, tmp_path: Path
) -> None:
    command = ["train", SMOKE, "-o", tmp_path, "-j", "1"]
    longer = ["--set", "stages.main.steps=100000", "--set", "validate_every=0"]
    longer += ["--set", f"folders.clips={smoke_clips}"]
    running = subprocess.Popen(
        [sys.executable, "-m", "oea_cli", *map(str, command), *longer],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _wait_for(lambda: '"main"' in _content(tmp_path / "train_log.jsonl"), running)
        # As if to the whole group, but the workers are hit while the loop still needs them.
        for pid in [*_children(running.pid), running.pid]:
            os.kill(pid, number)
            time.sleep(0.5)
        _, stderr = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 128 + number, stderr
    assert "Traceback" not in stderr
    steps = [json.loads(x)["step"] for x in (tmp_path / "train_log.jsonl").read_text().splitlines()]
    assert steps == sorted(steps) and (tmp_path / CHECKPOINT_FILE).stat().st_size > 0


def _children(pid: int) -> list[int]:
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in table.stdout.splitlines()]
    found = [int(child) for child, parent in rows if int(parent) == pid]
    assert found
    return found


def _content(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _wait_for(happened: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while not happened():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
