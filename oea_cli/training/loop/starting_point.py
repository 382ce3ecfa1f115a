"""What a run begins with: a new model of any size, or a frozen backbone with LoRA and two heads."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from oea_cli.encoder.hub import snapshot
from oea_cli.encoder.names.places import BUILT_IN
from oea_cli.encoder.omni.adapter import (
    attach_adapter,
    load_lora,
    lora_config,
    read_adapter,
    wrap,
)
from oea_cli.encoder.omni.backbone import find_checkpoint, load_backbone
from oea_cli.encoder.omni.folder import base_of
from oea_cli.encoder.omni.fresh import ModelSizes, new_front_end, new_model, train_tokenizer
from oea_cli.encoder.omni.front_end import FrontEnd, load_front_end
from oea_cli.encoder.omni.heads import load_heads
from oea_cli.encoder.omni.omni import OmniModel
from oea_cli.encoder.omni.settings import EncoderSettings, load_settings
from oea_cli.errors import UsageError
from oea_cli.training.data.examples import Data
from oea_cli.training.recipe.recipe import Model, Recipe


@dataclass(frozen=True)
class StartingPoint:
    """A model, what reads for it, and what its folder will say.

    `lora` is PEFT's wrapper around the model's backbone. Without one, and without a base in the
    settings, the model is saved whole.
    """

    model: OmniModel
    front_end: FrontEnd
    settings: EncoderSettings
    lora: Any = None
    is_new: bool = False


def starting_point(recipe: Recipe, data: Data, folder: Path, *, anew: bool) -> StartingPoint:
    """The model of a recipe, not yet on its device. `folder` keeps a new model's tokenizer.

    What is drawn at random follows from the recipe's seed. Raises OeaError for a base that cannot
    be had, UsageError for one that does not fit the recipe.
    """
    torch.manual_seed(recipe.seed)
    if recipe.model.base:
        return _on_base(recipe)
    settings = EncoderSettings(dim=recipe.model.dim, max_seconds=recipe.model.max_seconds)
    sizes = model_sizes(recipe)
    front_end = new_front_end(_tokenizer(recipe, data, folder, anew=anew), sizes, settings)
    model = new_model(sizes, front_end, recipe.seed)
    _use_written_out_attention(model)
    with torch.no_grad():
        embeddings = model.backbone.get_input_embeddings()
        embeddings.weight.normal_(std=recipe.model.embedding_std)
    return StartingPoint(model, front_end, settings, is_new=True)


# --- a new model ---


def model_sizes(recipe: Recipe) -> ModelSizes:
    """The sizes that a recipe's model section gives to a new model."""
    return ModelSizes(
        **{item.name: getattr(recipe.model, item.name) for item in fields(ModelSizes)}
    )


def _tokenizer(recipe: Recipe, data: Data, folder: Path, *, anew: bool) -> Tokenizer:
    # Kept beside the checkpoint: a run goes on with the sub-words it started with, even where the
    # vocabulary that they were learned from has changed since.
    path = folder / "tokenizer.json"
    if anew or not path.is_file():
        train_tokenizer(data.texts(), recipe.model.vocab_size).save(str(path))
    return Tokenizer.from_file(str(path))


def _use_written_out_attention(model: OmniModel) -> None:
    # Trains 1.4 times as fast as the fused kernel on a CPU in bfloat16: its backward pass is slow
    # on the many short chunks of the audio tower.
    for part in (model.backbone.audio_tower, model.backbone.language_model):
        part.config._attn_implementation = "eager"


# --- a given one ---


def _on_base(recipe: Recipe) -> StartingPoint:
    wanted, trainable = recipe.model, recipe.model.trainable
    base = str(wanted.base)
    folder = _folder_of(base)
    given = EncoderSettings(dim=wanted.dim, max_seconds=wanted.max_seconds)
    if folder:
        given = load_settings(folder / "encoder.json")
    if given.dim != wanted.dim:
        raise UsageError(f"model.dim: {wanted.dim}, but the heads of {base} give {given.dim}")
    place, revision = base, wanted.revision
    if folder:
        place, revision = base_of(folder, given), given.base_revision or None
    checkpoint = find_checkpoint(place, revision)
    # What stays as it is may lie in half the memory; what learns may not.
    half = recipe.precision == "bfloat16" and trainable != "all"
    backbone = load_backbone(
        checkpoint, torch.bfloat16 if half else torch.float32, torch.device("cpu")
    )
    lora = None
    if folder and given.base and given.lora:
        if trainable == "all":
            backbone = attach_adapter(backbone, folder)
        else:
            lora = _known_lora(wanted, backbone, folder)
    elif trainable == "lora":
        config = lora_config(wanted.lora_rank, wanted.lora_alpha, wanted.lora_dropout)
        lora = wrap(backbone, config)
    model = OmniModel(backbone, given.dim, given.pooling)
    if folder:
        load_heads(folder, model)
    if trainable != "all":
        for name, parameter in backbone.named_parameters():
            parameter.requires_grad_(trainable == "lora" and ".lora_" in name)
    whole = trainable == "all"
    settings = replace(
        given,
        max_seconds=wanted.max_seconds,
        attention=checkpoint.attention,
        base="" if whole else _lasting(base if folder and not given.base else place),
        base_revision="" if whole else _commit(place, revision),
        lora=whole or lora is not None,
        training={},
    )
    return StartingPoint(model, load_front_end(checkpoint.folder, settings), settings, lora)


def _folder_of(base: str) -> Path | None:
    """The encoder that `base` names, by a built-in name or a folder; None for a bare backbone."""
    for place in (BUILT_IN / base, Path(base)):
        if (place / "encoder.json").is_file():
            return place
    return None


def _known_lora(wanted: Model, backbone: Any, folder: Path) -> Any:
    """An adapter's LoRA, to go on from."""
    config, tensors = read_adapter(folder)
    if wanted.trainable == "lora":
        for key, wanted_value, has in (
            ("lora_rank", wanted.lora_rank, config.r),
            ("lora_alpha", wanted.lora_alpha, config.lora_alpha),
        ):
            if wanted_value != has:
                raise UsageError(f"model.{key}: {wanted_value}, but that of {folder} is {has}")
    config.lora_dropout, config.inference_mode = wanted.lora_dropout, False
    lora = wrap(backbone, config)
    load_lora(lora, tensors, folder)
    return lora


def _lasting(place: str) -> str:
    """How an encoder.json names its base: a folder in full, a repository or built-in as it is."""
    is_folder = Path(place).is_dir() and not (BUILT_IN / place / "encoder.json").is_file()
    return str(Path(place).resolve()) if is_folder else place


def _commit(place: str, revision: str | None) -> str:
    """The commit of a repository, empty for a folder."""
    if Path(place).is_dir():
        return ""
    return snapshot(place, revision, ["config.json"])[1] or ""
