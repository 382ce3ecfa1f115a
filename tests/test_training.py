"""The trainer: examples, schedule, checkpoints, and a run that is stopped and goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from oea_cli.encoder.omni.folder import load_encoder_folder
from oea_cli.errors import OeaError, UsageError
from oea_cli.recipe import Recipe, Stage, load_recipe, stage_at
from oea_cli.training import StepReport, train
from oea_cli.training.batch import fitting, key_rows
from oea_cli.training.checkpoint import CHECKPOINT_FILE
from oea_cli.training.learner import pool_by_length
from oea_cli.training.scenes.data import Meaning, SceneExamples, Scenes, scene_keys, text_key
from oea_cli.training.scenes.mixing import fit, mix, one_after_another
from oea_cli.training.scenes.sounds import Bank, _make_bank, trim
from oea_cli.training.scenes.texts import FILLERS, SPLIT, holds, slip, split_words, vary
from oea_cli.training.schedule import learning_rate
from tests.conftest import clean_environment
from tests.held_out import NEVER_TRAINED

RECIPES = Path(__file__).parent.parent / "recipes"
WEIGHTS = ("model.safetensors", "heads.safetensors")


@pytest.fixture(scope="module")
def smoke() -> Recipe:
    return load_recipe(RECIPES / "smoke.yaml")


@pytest.fixture(scope="module")
def trained(smoke: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke recipe, trained once without interruption."""
    return train(smoke, tmp_path_factory.mktemp("smoke"), workers=0, device="cpu")


# --- the schedule ---


def test_learning_rate_warms_up_and_falls() -> None:
    stage = Stage("s", steps=100, learning_rate=1.0, warmup=10, final_rate=0.1)
    rates = [learning_rate(stage, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.55, abs=0.01)
    assert rates[99] == pytest.approx(0.1, abs=0.01)
    assert all(a >= b for a, b in pairwise(rates[10:]))


def test_stages_follow_each_other(smoke: Recipe) -> None:
    recipe = replace(smoke, stages=(Stage("a", 2), Stage("b", 3)))
    places = [(stage.name, within) for stage, within in (stage_at(recipe, i) for i in range(5))]
    assert places == [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 2)]
    with pytest.raises(IndexError):
        stage_at(recipe, 5)


# --- examples ---


@pytest.mark.parametrize(
    ("text", "scene", "expected"),
    [
        (Meaning(("a",)), Meaning(("a",)), True),
        (Meaning(("a",)), Meaning(("a", "b"), arrangement="together"), False),
        (Meaning(("a",), ("b",)), Meaning(("a",)), True),
        (Meaning(("a",), ("b",)), Meaning(("a", "b"), arrangement="together"), False),
        (Meaning(("a", "b")), Meaning(("b", "a"), arrangement="then"), True),
        (
            Meaning(("a", "b"), arrangement="then"),
            Meaning(("b", "a"), arrangement="then"),
            False,
        ),
        (
            Meaning(("a", "b"), arrangement="together"),
            Meaning(("b", "a"), arrangement="together"),
            True,
        ),
        (
            Meaning(("a", "b"), arrangement="then"),
            Meaning(("a", "b"), arrangement="together"),
            False,
        ),
    ],
)
def test_which_texts_fit_which_scenes(text: Meaning, scene: Meaning, expected: bool) -> None:
    fits = fitting(key_rows([[text_key(text)]]), key_rows([scene_keys(scene)]))
    assert fits.item() is expected


def test_a_batch_follows_from_its_step_alone(trained: Path, smoke: Recipe) -> None:
    first, again, other = (batches_of(trained, smoke).batch(i) for i in (4, 4, 5))
    assert torch.equal(first.texts["input_ids"], again.texts["input_ids"])
    assert first.sounds is not None and again.sounds is not None
    assert torch.equal(first.sounds["input_features"], again.sounds["input_features"])
    assert not torch.equal(first.sound_keys, other.sound_keys)


def test_labels_masks_and_hard_negatives_agree(trained: Path, smoke: Recipe) -> None:
    batches = batches_of(trained, smoke)
    pairs = 0
    for step in range(3, 9):
        batch = batches.batch(step)
        assert batch.text_labels is not None and batch.sound_labels is not None
        included, excluded = batch.text_labels.chunk(2, dim=1)
        same = fitting(batch.text_keys, batch.sound_keys)
        assert bool(same.diagonal().all())
        assert torch.equal(included, batch.sound_labels)
        assert not bool((excluded * batch.sound_labels).any())
        for row, negative in enumerate(batch.hard_negative.tolist()):
            if negative >= 0:
                pairs += 1
                assert not same[row, negative]
                added = batch.sound_labels[negative] - batch.sound_labels[row]
                assert torch.equal(added, excluded[row])
    assert pairs > 0


def batches_of(folder: Path, recipe: Recipe) -> SceneExamples:
    front_end = load_encoder_folder(folder).front_end
    return Scenes(recipe, folder / "sounds", 0).examples(front_end)


def test_no_training_text_holds_a_held_out_word(trained: Path) -> None:
    recipe = load_recipe(RECIPES / "mini.yaml")
    assert set(NEVER_TRAINED) <= set(recipe.texts.held_out)
    batches = batches_of(trained, load_recipe(RECIPES / "smoke.yaml"))
    is_held_out = holds(NEVER_TRAINED)
    assert is_held_out("rain, But No thunder") and not is_held_out("tidewater")
    rng = np.random.default_rng(0)
    texts = [example.text for example in batches.text_examples(rng, 3000)]
    assert not [text for text in texts if is_held_out(text.replace(SPLIT, ""))]


def test_no_slip_makes_a_held_out_word(trained: Path, smoke: Recipe) -> None:
    # One letter from "rain" and "wind", and most of them cut in two by a word break.
    slips = ("ran", "rin", "win", "wnd")
    texts = replace(smoke.texts, typo=1.0, split=0.9, filler=0.0, held_out=slips)
    batches = batches_of(trained, replace(smoke, texts=texts))
    rng = np.random.default_rng(0)
    made = [example.text for example in batches.text_examples(rng, 1500)]
    assert any(SPLIT in text for text in made)
    is_held_out = holds(slips)
    assert not [text for text in made if is_held_out(text.replace(SPLIT, ""))]


def test_variation_keeps_the_text_and_is_seeded() -> None:
    def varied(seed: int) -> str:
        rng = np.random.default_rng(seed)
        return vary(rng, "rain without thunder", filler=0.5, split=0.3)

    texts = [varied(seed) for seed in range(200)]
    assert texts == [varied(seed) for seed in range(200)]
    plain = [text.replace(SPLIT, "").lower() for text in texts]
    assert all("rain without thunder" in text for text in plain)
    assert len(set(plain)) > 80
    assert not {"no", "not", "without", "but"} & set(FILLERS)


def test_splits_fall_inside_words_only() -> None:
    rng = np.random.default_rng(0)
    assert split_words(rng, "ab c-d", 1.0) == f"a{SPLIT}b c-d"
    assert split_words(rng, "abc", 0.0) == "abc"


def test_a_slip_changes_one_place_of_a_long_word() -> None:
    rng = np.random.default_rng(0)
    slips = {slip(rng, "thunder") for _ in range(300)}
    assert {"tunder", "thhunder", "htunder"} & slips
    assert all(abs(len(word) - len("thunder")) <= 1 and word[0] == "t" for word in slips)
    assert slip(rng, "dog") == "dog"


def test_a_bank_is_made_anew_beside_the_one_that_a_run_maps(tmp_path: Path) -> None:
    def make(value: float) -> None:
        takes = iter([("rain", np.full(16_000, value, np.float32))])
        _make_bank(tmp_path, [value], lambda: takes)

    make(0.1)
    bank = Bank(tmp_path)
    before = bank.samples.copy()
    was = (tmp_path / "samples.i16").stat().st_ino
    make(0.2)
    # Another file: one cut short under a mapping would end the run that reads it.
    assert (tmp_path / "samples.i16").stat().st_ino != was
    assert np.array_equal(bank.samples, before)
    assert len(Bank(tmp_path).takes["rain"]) == 1


# --- mixing ---


@pytest.mark.parametrize("length", [1, 500, 16_000, 40_000])
def test_a_sound_is_fitted_to_the_scene(length: int) -> None:
    rng = np.random.default_rng(0)
    fitted = fit(rng, np.ones(16_000, np.float32), length)
    assert fitted.shape == (length,)
    assert fitted.dtype == np.float32
    assert float(fitted.max()) == 1.0


def test_one_after_another_keeps_the_order() -> None:
    sounds = [np.full(9000, value, np.float32) for value in (0.2, 0.5, 0.9)]
    total = np.sum(one_after_another(sounds), axis=0)
    assert [round(float(total[i]), 3) for i in (1500, 4500, 7500)] == [0.2, 0.5, 0.9]


def test_a_mix_never_clips() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        loud = [np.ones(1000, np.float32), np.ones(1000, np.float32)]
        assert float(np.abs(mix(rng, loud)).max()) <= 1.0


def test_trim_cuts_the_silence_at_both_ends() -> None:
    waveform = np.concatenate([np.zeros(5000), np.ones(4000), np.zeros(3000)]).astype(np.float32)
    assert len(trim(waveform)) == 4000
    assert len(trim(np.zeros(9000, np.float32))) == 1600


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
    assert [row["step"] for row in rows] == [2, 4, 6, 8, 9]
    assert rows[0]["stage"] == "words" and set(rows[0]["losses"]) == {"labels"}
    assert set(rows[-1]["losses"]) == {"contrast", "labels", "margin"}
    assert set(rows[-1]["validation"]) == {"r@1", "r@10"}
    assert rows[-1]["total"] == smoke.num_steps


def test_the_weights_move(trained: Path, smoke: Recipe, tmp_path: Path) -> None:
    shorter = replace(smoke, stages=(replace(smoke.stages[0], steps=1),))
    once = train(shorter, tmp_path, workers=0, device="cpu")
    before, after = (load_file(folder / WEIGHTS[0]) for folder in (once, trained))
    assert any(not torch.equal(before[name], after[name]) for name in before)


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
    recipe = replace(smoke, optimizer="muon")

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
        train(replace(smoke, seed=99), trained, workers=0)


def test_a_broken_checkpoint_is_named(smoke: Recipe, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"half a file")
    with pytest.raises(OeaError, match="--no-resume starts anew"):
        train(smoke, tmp_path, workers=0)


def test_missing_recordings_say_what_to_set(smoke: Recipe, tmp_path: Path) -> None:
    sounds = replace(smoke.sounds, esc10=tmp_path / "nowhere")
    with pytest.raises(OeaError, match=r"--set sounds\.esc10=FOLDER"):
        train(replace(smoke, sounds=sounds), tmp_path, workers=0)


# --- the verb ---


def test_the_verb_trains_and_says_so(oea: Callable[..., object], tmp_path: Path) -> None:
    done = oea(["train", RECIPES / "smoke.yaml", "-o", tmp_path / "run", "-j", "0"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "run")
    assert "scenes 9/9" in done.stderr
    assert "left" in done.stderr


def test_the_verb_names_a_wrong_recipe(oea: Callable[..., object], tmp_path: Path) -> None:
    done = oea(["train", RECIPES / "smoke.yaml", "-o", tmp_path, "--set", "sede=1"])
    assert done.returncode == 2
    assert "sede: unknown key; did you mean seed?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_saves_first(number: signal.Signals, tmp_path: Path) -> None:
    command = ["train", RECIPES / "smoke.yaml", "-o", tmp_path, "-j", "1"]
    longer = ["--set", "stages.scenes.steps=100000", "--set", "validate_every=0"]
    running = subprocess.Popen(
        [sys.executable, "-m", "oea_cli", *map(str, command), *longer],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _wait_for(lambda: '"scenes"' in _content(tmp_path / "train_log.jsonl"), running)
        # As if to the whole group, but the workers are hit while the loop still needs them.
        for pid in [*_children(running.pid), running.pid]:
            os.kill(pid, number)
            time.sleep(0.5)
        _, stderr = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 130, stderr
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
