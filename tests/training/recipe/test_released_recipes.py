"""The recipes of the released variants: what they say, and that they run, at tiny size."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from oea_cli.encoder.loading import load_encoder
from oea_cli.errors import UsageError
from oea_cli.records.recipe_files.validation import plain_content
from oea_cli.training.data.clip_audio import UNDECODABLE_FILE
from oea_cli.training.data.clip_data import ClipData
from oea_cli.training.loop.train import train
from oea_cli.training.recipe.loading import load_recipe
from oea_cli.training.recipe.recipe import Recipe
from tests.commands import in_process
from tests.conftest import REPOSITORY
from tests.evaluation.captioned import (
    write_audiocaps,
    write_clips,
    write_clotho,
    write_sound,
    write_wavcaps,
)

RECIPES = REPOSITORY / "recipes"
BASES = {
    "nemo3b": "nvidia/omni-embed-nemotron-3b",
    "qwen3b": "Qwen/Qwen2.5-Omni-3B",
    "qwen7b": "Qwen/Qwen2.5-Omni-7B",
}
VARIANTS = [f"oea-{name}{more}" for name in BASES for more in ("", "-cl")]


def recipe_of(variant: str) -> Recipe:
    return load_recipe(RECIPES / f"{variant}.yaml")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_the_papers(variant: str) -> None:
    recipe = recipe_of(variant)
    assert recipe.name == variant
    model = recipe.model
    assert model.base == BASES[variant.removeprefix("oea-").removesuffix("-cl")]
    assert (model.trainable, model.lora_rank, model.lora_alpha) == ("lora", 16, 32)
    assert (model.lora_dropout, recipe.temperature, recipe.precision) == (0.05, 0.07, "bfloat16")
    stages = (
        ["wavcaps", "audiocaps", "clotho"] if variant.endswith("-cl") else ["wavcaps", "audiocaps"]
    )
    assert [stage.name for stage in recipe.stages] == stages
    assert all(source.max_seconds == 31 for source in recipe.stages[0].data)
    assert all(stage.patience and stage.warmup and stage.epochs for stage in recipe.stages)
    assert all(stage.learning_rate in (3e-4, 5e-4) for stage in recipe.stages)
    # The released code: torch.optim.AdamW(parameters, lr, weight_decay), an entry per caption.
    assert (recipe.optimizer, recipe.betas) == ("adamw", (0.9, 0.999))
    assert (recipe.weight_decay, recipe.decay_norms) == (0.01, True)
    assert all(source.entries == "captions" for stage in recipe.stages[1:] for source in stage.data)
    assert recipe.never and recipe.validation
    header = (RECIPES / f"{variant}.yaml").read_text().split("name:")[0]
    assert "the paper" in header and "OEA_" in header + (RECIPES / "oea-qwen3b.yaml").read_text()


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_missing_is_named_before_anything_is_loaded(variant: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        ClipData(recipe_of(variant), tmp_path, lambda text: None)
    for name in ("wavcaps", "audiocaps", "clotho"):
        assert f"folders.{name}: not set; --set folders.{name}=DIR" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 4
    folders = {"OEA_WAVCAPS_FOLDER": tmp_path, "OEA_AUDIOCAPS_FOLDER": tmp_path}
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in folders.items():
            patch.setenv(name, str(folder))
        with pytest.raises(UsageError) as caught:
            ClipData(recipe_of(variant), tmp_path, lambda text: None)
    assert "folders.clotho: not set" in str(caught.value)
    assert f"stages.audiocaps.data[0]: {tmp_path}/train.csv does not exist" in str(caught.value)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three datasets, a few clips each."""
    folder = tmp_path_factory.mktemp("datasets")
    write_wavcaps(folder / "wavcaps")
    write_audiocaps(folder / "audiocaps", "train", 6, first=10)
    write_audiocaps(folder / "audiocaps", "val", 3, first=1, captions=5)
    write_audiocaps(folder / "audiocaps", "test", 2, first=4, captions=5)
    write_clotho(folder / "clotho", "development", 5)
    write_clotho(folder / "clotho", "validation", 2, first=10)
    write_clotho(folder / "clotho", "evaluation", 2, first=20)
    return folder


def tiny(folders: Path, base: Path) -> list[str]:
    """What makes a variant's recipe run in seconds."""
    sets = [f"folders.{name}={folders / name}" for name in ("wavcaps", "audiocaps", "clotho")]
    sets += [f"model.base={base}", "model.dim=32", "model.max_seconds=2", "precision=float32"]
    sets += ["validate_every=1", "checkpoint_every=2", "log_every=1", "seed=5"]
    for stage in ("wavcaps", "audiocaps", "clotho"):
        sets += [f"stages.{stage}.{key}" for key in ("batch_size=4", "micro_batch=2", "epochs=2")]
        sets += [f"stages.{stage}.learning_rate=1e-3"]
    return [*sets, "stages.audiocaps.epochs=20", "stages.audiocaps.patience=1"]


def test_a_variant_trains_through_its_stages(
    folders: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "adapter"
    words = [word for one in tiny(folders, tiny_encoder) for word in ("--set", one)]
    command = ["train", RECIPES / "oea-qwen3b-cl.yaml", "-o", out, "--device", "cpu", "-j", "0"]
    done = in_process.run([*command, *words])
    assert done.returncode == 0, done.stderr
    told = done.stderr
    # 7 of each collection last up to 31 s; without two of FreeSound's and, of AudioSet's, the one
    # in WavCaps' list, those validated on (1 to 3) and a test clips (4, 5).
    assert "fsd_final.json 5 clips (2 kept out); bbc_final.json 7 clips" in told
    assert "as_final.json 1 clip (6 kept out)" in told
    log = [json.loads(line) for line in (out / "train_log.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(row["stage"] for row in log)) == ["wavcaps", "audiocaps", "clotho"]
    steps = [row["stage"] for row in log].count("audiocaps")
    assert 2 <= steps < 30  # 20 epochs of 6 clips: it stopped early
    assert all("r@10" in row["validation"] for row in log)
    settings = json.loads((out / "encoder.json").read_text())
    assert "clotho 5 clips" in settings["training"]["data"]
    encoder = load_encoder(str(out))
    vectors = encoder.encode_text(["a whistle", "a hum"])
    assert vectors.shape == (2, 32) and not np.allclose(vectors[0], vectors[1])
    sound = write_sound(tmp_path / "a.wav", 3, 1.0)
    embedded = in_process.run(["embed", sound, "-m", out])
    assert embedded.returncode == 0 and '"embedding"' in embedded.stdout
    again = load_recipe(out / "recipe.yaml")
    assert plain_content(again)["stages"][2]["data"][0]["path"].startswith(str(folders))


def test_the_recipe_of_the_guide_trains(tiny_encoder: Path, tmp_path: Path) -> None:
    guide = (RECIPES.parent / "docs" / "train.md").read_text(encoding="utf-8")
    text = guide.partition("```yaml\n")[2].partition("```")[0]
    text = text.replace("sounds/train.jsonl", "clips.jsonl").replace("sounds/", "")
    write_clips(tmp_path, 12)
    lines = (tmp_path / "clips.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "held.jsonl").write_text("".join(lines[:3]))
    (tmp_path / "5.wav").write_bytes(b"not a sound")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    words = ["--set", f"model.base={tiny_encoder}", "--set", "model.dim=32"]
    words += ["--set", "stages.mine.batch_size=4", "--set", "stages.mine.epochs=3"]
    words += ["--set", "precision=float32", "--set", "validate_every=3"]
    out = tmp_path / "adapter"
    command = ["train", path, "-o", out, "--device", "cpu", "-j", "0", *words]
    done = in_process.run(command)
    assert done.returncode == 0, done.stderr
    assert "clips.jsonl 9 clips (3 kept out)" in done.stderr
    assert (out / UNDECODABLE_FILE).is_file()
    assert "1 of them cannot be decoded" in (out / "encoder.json").read_text()
    assert load_encoder(str(out)).dim == 32


def test_a_stopped_run_goes_on_with_the_clips_it_would_have_heard(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "clips.yaml"
    write_clips(tmp_path, 10, seconds=(0.5, 1.5))
    path.write_text(
        f"name: x\nmodel: {{base: {tiny_encoder}, dim: 32, max_seconds: 1.0}}\n"
        "precision: float32\ncheckpoint_every: 2\nstages:\n"
        "  - {name: s, epochs: 2, batch_size: 4, micro_batch: 2, data: [{path: clips.jsonl}]}\n"
        "augment: {gain_db: 6, time_masks: 1, mix: 0.3}\n"
    )
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    command = ["train", path, "--device", "cpu", "-j", "0", "-q", "-o"]
    assert in_process.run([*command, whole]).returncode == 0
    cut.mkdir()

    # As after a kill: the checkpoint of step 2 and nothing that came later.
    def stop_at_three(report: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(
            load_recipe(path, ["log_every=3"]), cut, device="cpu", workers=0, on_step=stop_at_three
        )
    assert in_process.run([*command, cut]).returncode == 0
    for name in ("adapter_model.safetensors", "heads.safetensors"):
        one, other = load_file(whole / name), load_file(cut / name)
        assert all((one[key] == other[key]).all() for key in one)
