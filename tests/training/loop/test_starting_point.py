"""Training parts of a given model: LoRA, heads alone, all of it; and what the result is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from accelerate import init_empty_weights
from safetensors.torch import load_file

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.omni.adapter import lora_config, lora_of, wrap
from oea_cli.encoder.omni.backbone import build_backbone
from oea_cli.encoder.omni.known_backbones import backbone_config
from oea_cli.encoder.omni.settings import load_settings
from oea_cli.encoder.tools.export import export
from oea_cli.errors import UsageError
from oea_cli.records.recipe_files.validation import plain_content
from oea_cli.training.loop.starting_point import starting_point
from oea_cli.training.loop.train import train
from oea_cli.training.processes import Processes
from oea_cli.training.recipe.recipe import Model, Recipe
from tests.commands import in_process
from tests.training.objective.gradients import NO_DATA, SEEDS, gradients, learner_on, micro_batch


@pytest.fixture(scope="module")
def recipe(smoke: Recipe, tiny_encoder: Path) -> Recipe:
    """The smoke recipe, on the tiny encoder with LoRA."""
    stage = smoke.stages[0].changed(steps=4, micro_batch=4, learning_rate=1e-2, warmup=1)
    return smoke.changed(
        stages=(stage,),
        model=Model(base=str(tiny_encoder), dim=32, max_seconds=2.0),
        average=0.0,
        precision="float32",
        validate_every=2,
        log_every=1,
    )


@pytest.fixture(scope="module")
def adapter(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained by that recipe."""
    return train(recipe, tmp_path_factory.mktemp("adapters") / "mine", workers=0, device="cpu")


# --- what learns ---


@pytest.mark.parametrize(
    ("repository", "parameters", "tensors"),
    [
        ("Qwen/Qwen2.5-Omni-3B", 12_615_680, 544),
        pytest.param("Qwen/Qwen2.5-Omni-7B", 15_335_424, 480, marks=pytest.mark.slow),
    ],
)
def test_lora_on_the_released_backbones_is_as_large_as_the_papers(
    repository: str, parameters: int, tensors: int
) -> None:
    with init_empty_weights():
        model = wrap(build_backbone(backbone_config(repository)), lora_config())
    learns = [p for p in model.parameters() if p.requires_grad]
    assert len(learns) == len(lora_of(model)) == tensors
    assert sum(p.numel() for p in learns) == parameters


@pytest.mark.parametrize("trainable", ["lora", "heads", "all"])
def test_what_the_recipe_says_learns_and_nothing_else(recipe: Recipe, trainable: str) -> None:
    wanted = recipe.changed(model=recipe.model.changed(trainable=trainable))
    model = starting_point(wanted, NO_DATA, Path(), anew=False).model
    learns = {name for name, p in model.named_parameters() if p.requires_grad}
    heads = {name for name, _ in model.named_parameters() if not name.startswith("backbone.")}
    assert heads <= learns
    others = learns - heads
    if trainable == "lora":
        assert len(others) == 2 * (4 * 2 + 4 * 2) and all(".lora_" in name for name in others)
    elif trainable == "heads":
        assert not others
    else:
        assert learns == {name for name, _ in model.named_parameters()}


def test_the_frozen_half_lies_in_bfloat16_where_the_recipe_computes_in_it(recipe: Recipe) -> None:
    model = starting_point(recipe.changed(precision="bfloat16"), NO_DATA, Path(), anew=False).model
    kinds = {(".lora_" in name, p.dtype) for name, p in model.backbone.named_parameters()}
    assert kinds == {(True, torch.float32), (False, torch.bfloat16)}
    assert {p.dtype for p in model.text_head.parameters()} == {torch.float32}


def test_gradient_checkpointing_changes_no_gradient(tiny_encoder: Path, encoder: object) -> None:
    processes = Processes()
    batches = [micro_batch(encoder.front_end, number) for number in range(4)]  # type: ignore[attr-defined]
    learner = learner_on(tiny_encoder, processes)
    plain = gradients(learner, batches, SEEDS, processes)
    learner.model.backbone.activation_checkpointing_enable({"use_reentrant": False})
    layers = [
        *learner.model.backbone.audio_tower.layers,
        *learner.model.backbone.language_model.layers,
    ]
    assert all(layer.gradient_checkpointing for layer in layers)
    thrifty = gradients(learner, batches, SEEDS, processes)
    assert plain.keys() == thrifty.keys()
    for name, gradient in plain.items():
        assert torch.allclose(gradient, thrifty[name], atol=1e-6), name


# --- the result ---


def test_the_result_is_an_adapter_that_encodes(adapter: Path, tiny_encoder: Path) -> None:
    assert {"adapter_model.safetensors", "heads.safetensors", "encoder.json"} <= {
        path.name for path in adapter.iterdir()
    }
    assert not (adapter / "model.safetensors").exists()
    settings = load_settings(adapter / "encoder.json")
    assert settings.base == str(tiny_encoder) and settings.max_seconds == 2.0
    mine, theirs = load_encoder(str(adapter)), load_encoder(str(tiny_encoder))
    vectors = mine.encode_text(["rain", "a dog"])
    assert vectors.shape == (2, 32)
    assert np.abs(vectors - theirs.encode_text(["rain", "a dog"])).max() > 0.01
    lora = load_file(adapter / "adapter_model.safetensors")
    assert all(bool(t.abs().max() > 0) for name, t in lora.items() if "lora_B" in name)


def test_its_files_may_be_read_by_whom_other_files_may(adapter: Path, tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    modes = {path.name: path.stat().st_mode for path in adapter.iterdir() if path.is_file()}
    assert modes == dict.fromkeys(modes, (tmp_path / "usual").stat().st_mode)


def test_models_info_tells_how_it_was_trained(adapter: Path, tiny_encoder: Path) -> None:
    done = in_process.run(["models", "info", adapter, "-f", "json"])
    told = json.loads(done.stdout)
    assert told["base"] == str(tiny_encoder)
    assert told["data"] == "start 40 clips"
    assert told["steps"] == 4 and told["recipe"] == "smoke" and told["seed"] == 1
    rows = [json.loads(line) for line in (adapter / "train_log.jsonl").read_text().splitlines()]
    assert told["best r@10"] == max(row["validation"].get("r@10", 0) for row in rows)


def test_a_merged_encoder_gives_the_same_vectors(adapter: Path, tmp_path: Path) -> None:
    checks = export(str(adapter), tmp_path / "merged")
    assert checks and all(check.holds for check in checks)


def test_the_verb_merges(adapter: Path, recipe: Recipe) -> None:
    path = adapter.parent / "same.yaml"
    path.write_text(yaml.safe_dump(plain_content(recipe)), encoding="utf-8")
    # All steps are done: nothing is trained again, what was asked for besides is made.
    done = in_process.run(["train", path, "-o", adapter, "-j", "0", "--merge", "--device", "cpu"])
    assert done.returncode == 0, done.stderr
    assert "oea train: merged, " in done.stderr
    merged = load_settings(adapter / "merged" / "encoder.json")
    assert merged.base == "" and merged.training["recipe"] == "smoke"


def test_an_adapter_is_gone_on_from(recipe: Recipe, adapter: Path, tmp_path: Path) -> None:
    more = recipe.changed(model=recipe.model.changed(base=str(adapter)))
    start = starting_point(more, NO_DATA, Path(), anew=False)
    lora = load_file(adapter / "adapter_model.safetensors")
    assert all(torch.equal(tensor, lora[name]) for name, tensor in lora_of(start.lora).items())
    made = train(more, tmp_path / "more", workers=0, device="cpu")
    assert load_settings(made / "encoder.json").base == recipe.model.base
    assert load_encoder(str(made)).dim == 32
    wrong = more.changed(model=more.model.changed(lora_rank=4))
    with pytest.raises(UsageError, match=r"model\.lora_rank: 4, but that of .* is 16"):
        starting_point(wrong, NO_DATA, Path(), anew=False)


@pytest.mark.parametrize("trainable", ["heads", "all"])
def test_heads_alone_or_everything(
    recipe: Recipe, tiny_encoder: Path, tmp_path: Path, trainable: str
) -> None:
    wanted = recipe.changed(model=recipe.model.changed(trainable=trainable), storage="float32")
    made = train(wanted, tmp_path, workers=0, device="cpu")
    assert (made / "model.safetensors").exists() is (trainable == "all")
    assert not (made / "adapter_model.safetensors").exists()
    mine, theirs = load_encoder(str(made)), load_encoder(str(tiny_encoder))
    assert np.abs(mine.encode_text(["rain"]) - theirs.encode_text(["rain"])).max() > 1e-3
    assert mine.fingerprint != theirs.fingerprint


def test_a_base_that_does_not_fit_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    wrong = recipe.changed(model=recipe.model.changed(dim=64))
    with pytest.raises(UsageError, match=r"model\.dim: 64, but the heads of .* give 32"):
        train(wrong, tmp_path, workers=0, device="cpu")
