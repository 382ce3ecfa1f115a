"""The scenes that `mini` is trained on, their texts, and a run on them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from oea_cli.encoder.omni.folder import load_encoder_folder
from oea_cli.errors import OeaError, UsageError
from oea_cli.records.recipe_files.reference import json_schema
from oea_cli.training.data.batch import TrainingBatch, fitting, key_rows
from oea_cli.training.loop.train import train
from oea_cli.training.recipe.loading import load_recipe
from recipes.mini import train as script
from recipes.mini.recipe import MiniRecipe
from recipes.mini.scenes.data import SceneExamples, Scenes
from recipes.mini.scenes.descriptions import Description, scene_keys, text_key
from recipes.mini.scenes.mixing import fit, mix, one_after_another
from recipes.mini.scenes.sounds import Bank, _make_bank, trim
from recipes.mini.scenes.texts import FILLERS, SPLIT, holds, slip, split_words, vary
from tests.conftest import REPOSITORY, clean_environment
from tests.held_out import NEVER_TRAINED

MINI = REPOSITORY / "recipes" / "mini"
BROKEN = yaml.safe_load((Path(__file__).parent / "broken_recipes.yaml").read_text())


@pytest.fixture(scope="module")
def smoke() -> MiniRecipe:
    return load_recipe(MINI / "smoke.yaml", kind=MiniRecipe)


@pytest.fixture(scope="module")
def trained(smoke: MiniRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smoke recipe, trained once without interruption."""
    folder = tmp_path_factory.mktemp("smoke")
    return train(smoke, folder, data=Scenes(smoke, folder / "sounds", 0), workers=0, device="cpu")


# --- examples ---


@pytest.mark.parametrize(
    ("text", "scene", "expected"),
    [
        (Description(("a",)), Description(("a",)), True),
        (Description(("a",)), Description(("a", "b"), arrangement="together"), False),
        (Description(("a",), ("b",)), Description(("a",)), True),
        (Description(("a",), ("b",)), Description(("a", "b"), arrangement="together"), False),
        (Description(("a", "b")), Description(("b", "a"), arrangement="then"), True),
        (
            Description(("a", "b"), arrangement="then"),
            Description(("b", "a"), arrangement="then"),
            False,
        ),
        (
            Description(("a", "b"), arrangement="together"),
            Description(("b", "a"), arrangement="together"),
            True,
        ),
        (
            Description(("a", "b"), arrangement="then"),
            Description(("a", "b"), arrangement="together"),
            False,
        ),
    ],
)
def test_which_texts_fit_which_scenes(
    text: Description, scene: Description, expected: bool
) -> None:
    fits = fitting(key_rows([[text_key(text)]]), key_rows([scene_keys(scene)]))
    assert fits.item() is expected


def test_a_batch_follows_from_its_step_alone(trained: Path, smoke: MiniRecipe) -> None:
    first, again, other = (batches_of(trained, smoke).batch(i) for i in (4, 4, 5))
    assert torch.equal(first.texts["input_ids"], again.texts["input_ids"])
    assert first.sounds is not None and again.sounds is not None
    assert torch.equal(first.sounds["input_features"], again.sounds["input_features"])
    assert not torch.equal(first.sound_keys, other.sound_keys)


@pytest.mark.parametrize("parts", [2, 4])
def test_parts_are_the_whole_batch_whatever_their_number(
    trained: Path, smoke: MiniRecipe, parts: int
) -> None:
    """As many processes as there are see the same scenes, with the same noise on them."""
    batches = batches_of(trained, smoke)
    for step in range(smoke.num_steps):
        whole = batches.batch(step)
        own = [batches.batch(step, part, parts) for part in range(parts)]
        texts = [row for part in own for row in text_rows(part)]
        assert texts == text_rows(whole)
        if whole.sounds is None:
            continue
        mels = torch.cat([part.sounds["input_features"] for part in own if part.sounds])
        assert torch.equal(mels, whole.sounds["input_features"])
        first = 0
        negatives = []
        for part in own:
            negatives += [n + first if n >= 0 else -1 for n in part.hard_negative.tolist()]
            first += part.num_pairs
        assert negatives == whole.hard_negative.tolist()


def text_rows(batch: TrainingBatch) -> list[list[int]]:
    """The tokens of each text, without padding."""
    rows = zip(batch.texts["input_ids"], batch.texts["attention_mask"].bool(), strict=True)
    return [tokens[mask].tolist() for tokens, mask in rows]


def test_labels_masks_and_hard_negatives_agree(trained: Path, smoke: MiniRecipe) -> None:
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


def batches_of(folder: Path, recipe: MiniRecipe) -> SceneExamples:
    front_end = load_encoder_folder(folder).front_end
    return Scenes(recipe, folder / "sounds", 0).examples(front_end)


def test_no_training_text_holds_a_held_out_word(trained: Path, smoke: MiniRecipe) -> None:
    recipe = load_recipe(MINI / "mini.yaml", kind=MiniRecipe)
    assert set(NEVER_TRAINED) <= set(recipe.texts.held_out)
    # Filler of random letters may be such a word by chance.
    texts = smoke.texts.changed(held_out=recipe.texts.held_out)
    batches = batches_of(trained, smoke.changed(texts=texts))
    is_held_out = holds(NEVER_TRAINED)
    assert is_held_out("rain, But No thunder") and not is_held_out("tidewater")
    rng = np.random.default_rng(0)
    made = [batches.text_example(rng).text for _ in range(3000)]
    assert not [text for text in made if is_held_out(text.replace(SPLIT, ""))]


def test_no_slip_makes_a_held_out_word(trained: Path, smoke: MiniRecipe) -> None:
    # One letter from "rain" and "wind", and most of them cut in two by a word break.
    slips = ("ran", "rin", "win", "wnd")
    texts = smoke.texts.changed(typo=1.0, split=0.9, filler=0.0, held_out=slips)
    batches = batches_of(trained, smoke.changed(texts=texts))
    rng = np.random.default_rng(0)
    made = [batches.text_example(rng).text for _ in range(1500)]
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


def test_the_log_has_the_losses_of_each_stage(trained: Path, smoke: MiniRecipe) -> None:
    lines = (trained / "train_log.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows] == [2, 4, 6, 8, 9]
    assert rows[0]["stage"] == "words" and set(rows[0]["losses"]) == {"labels"}
    assert set(rows[-1]["losses"]) == {"contrast", "labels", "margin"}
    assert set(rows[-1]["validation"]) == {"r@1", "r@10"}
    assert rows[-1]["total"] == smoke.num_steps


def test_the_encoder_says_what_it_was_trained_on(trained: Path) -> None:
    told = json.loads((trained / "encoder.json").read_text())["training"]
    assert told["data"] == "composed scenes of 6 kinds of sound"
    assert len(told["classes"]) == 6


def test_missing_recordings_say_what_to_set(smoke: MiniRecipe, tmp_path: Path) -> None:
    sounds = smoke.sounds.changed(esc10=tmp_path / "nowhere")
    with pytest.raises(OeaError, match=r"--set sounds\.esc10=FOLDER"):
        Scenes(smoke.changed(sounds=sounds), tmp_path, 0)


def run_script(*words: object, cwd: Path = REPOSITORY) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "recipes.mini.train", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, env=clean_environment(), cwd=cwd, timeout=600
    )


def test_the_script_goes_on_where_it_was_and_names_what_is_wrong(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def status(*words: object) -> object:
        monkeypatch.setattr(sys, "argv", ["train.py", "-o", str(trained), *map(str, words)])
        try:
            script.main()
        except SystemExit as end:
            return end.code
        return 0

    assert status(MINI / "smoke.yaml", "-j", "0", "--device", "cpu") == 0
    assert capsys.readouterr().out.strip() == str(trained)
    assert status(MINI / "smoke.yaml", "--set", "sounds.clases=[dog]") == 2
    told = capsys.readouterr().err
    assert "--set sounds.clases=[dog]: unknown key; did you mean sounds.classes?" in told
    assert status("--esc10", "nowhere") == 1
    told = capsys.readouterr().err
    assert "nowhere/esc10_meta.csv: No such file or directory; say where it lies" in told


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    words = [MINI / "smoke.yaml", "-j", "0", "--device", "cpu", "--set", "precision=float32"]
    words += ["--set", "stages.words.micro_batch=4", "--set", "stages.scenes.micro_batch=4"]
    assert run_script(*words, "-o", tmp_path / "alone").returncode == 0
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *launch, "-m", "recipes.mini.train", *map(str, words)]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "two")],
        capture_output=True,
        text=True,
        env={**clean_environment(), "OMP_NUM_THREADS": "1"},
        cwd=REPOSITORY,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    one, two = (load_file(tmp_path / run / "model.safetensors") for run in ("alone", "two"))
    assert all(torch.allclose(two[key], one[key], atol=2e-3) for key in one)


# --- its recipes ---


def test_every_recipe_of_mini_says_how_to_launch_it() -> None:
    for path in MINI.glob("*.yaml"):
        recipe = load_recipe(path, kind=MiniRecipe)
        assert all(stage.steps for stage in recipe.stages)
        header = path.read_text(encoding="utf-8").split("\nname:")[0]
        assert "python -m recipes.mini.train" in header and "--set" in header


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case["says"][1][:60])
def test_what_is_said_about_a_broken_recipe(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(case["recipe"], encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_recipe(path, kind=MiniRecipe)
    lines = str(caught.value).replace(str(tmp_path), "FOLDER").splitlines()
    assert [line.strip() for line in lines] == case["says"]


def test_set_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text("name: x\nsounds: {esc10: ../clips}\nstages: [{name: a, steps: 1}]\n")
    assert load_recipe(path, kind=MiniRecipe).sounds.esc10 == tmp_path.parent / "clips"
    recipe = load_recipe(path, ["sounds.esc10=/mine"], kind=MiniRecipe)
    assert recipe.sounds.esc10 == Path("/mine")


def test_the_stored_schema_is_that_of_its_recipes() -> None:
    stored = (MINI / "mini.schema.json").read_text(encoding="utf-8")
    assert stored == json_schema(MiniRecipe), "run `python tests/recipe_schemas.py`"


def test_the_compared_recipes_differ_in_what_they_say_they_do() -> None:
    compared = REPOSITORY / "tests" / "benchmarks" / "comparison"
    load_recipe(compared / "backbone.yaml", kind=MiniRecipe)
    release, paper, ours = (
        load_recipe(compared / f"{name}.yaml", kind=MiniRecipe)
        for name in ("release", "paper", "ours")
    )
    assert release.model == paper.model == ours.model
    assert release.sounds == paper.sounds == ours.sounds
    seen = {one.stages[0].steps * one.stages[0].batch_size for one in (release, paper, ours)}
    assert len(seen) == 1
    assert (release.stages[0].negatives_within, paper.stages[0].negatives_within) == (4, 0)
    assert [one.stages[0].masks for one in (release, paper, ours)] == [False, False, True]
    assert [one.texts.exclusion > 0 for one in (release, paper, ours)] == [False, False, True]


def test_the_package_knows_nothing_of_it() -> None:
    for path in (REPOSITORY / "oea_cli").rglob("*.py"):
        assert "import recipes" not in (text := path.read_text()) and "from recipes" not in text
