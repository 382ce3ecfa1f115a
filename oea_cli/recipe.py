"""Recipes: YAML files that say how an encoder is trained, checked in full before anything loads.

A value comes from the first of these that has one: `--set key=value`, `OEA_ESC10`,
`OEA_GAME_SOUNDS`, `OEA_CLOTHO_FOLDER` and its like (folders of recordings), the recipe file, the
one that it `extends`, the default below. Folders are relative to the file that names them.
"""

import dataclasses
import os
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oea_cli.recipe_clips import (
    Augment,
    ClipSource,
    Folders,
    absolute_clip_paths,
    clip_mistakes,
    filled_clip_paths,
    with_folders_of_environment,
)
from oea_cli.recipe_tree import apply_override, build, plain_content, raise_mistakes, read_extended


@dataclass(frozen=True)
class Model:
    """What learns: parts of a given model, or a new one.

    The sizes of a new one are the fields of `encoder.fresh.ModelSizes` and a few around it.
    """

    base: str | None = None  # a backbone (repository or folder), or an encoder to go on from
    revision: str | None = None  # of a repository
    trainable: str = "lora"  # of a base: lora and the heads, the heads alone, or all
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.05
    gradient_checkpointing: bool = False  # a third more time, far less memory
    # a new model:
    hidden_size: int = 192
    text_layers: int = 3
    text_mlp: int = 512
    text_heads: int = 4
    audio_layers: int = 3
    audio_mlp: int = 384
    audio_heads: int = 4
    hop_length: int = 320  # samples; 160 as in Qwen2.5-Omni doubles the audio tokens
    initializer_range: float = 0.06
    embedding_std: float = 0.5
    vocab_size: int = 1024  # small, so that unseen words share sub-words with seen ones
    # any:
    dim: int = 512  # of the embeddings
    max_seconds: float = 10.0  # longer clips become windows when they are embedded


@dataclass(frozen=True)
class Sounds:
    """What the scenes are made of."""

    esc10: Path | None = None  # ESC-10: a folder with esc10_meta.csv
    folds: tuple[int, ...] = (1, 2, 3, 4)
    game_sounds: Path | None = None  # labelled clips: a folder with meta.csv
    classes: tuple[str, ...] = ()  # of sound; none named: all that can be made or are recorded
    variants: int = 100  # rendered takes of each synthesised event
    variant_seconds: float = 8.0
    real_share: float = 0.5  # of sources with recordings and a generator, how often a recording
    listed_share: float = 0.5  # how often the class comes from the recordings' own classes
    min_seconds: float = 1.0
    long_seconds: float = 6.0  # most scenes are shorter than this, one batch in `long_every` longer
    long_every: int = 8


@dataclass(frozen=True)
class Texts:
    """How the words vary."""

    split: float = 0.1  # chance of a forced sub-word boundary inside a word, per letter
    typo: float = 0.0  # chance of a slip in a word: a letter lost, doubled, wrong, or two swapped
    filler: float = 0.4  # chance of words that mean nothing before or after
    exclusion: float = 0.2  # share of clips asked for by what they lack, with their hard negative
    held_out: tuple[str, ...] = ()  # never trained on; a text that holds one is drawn again


@dataclass(frozen=True)
class Stage:
    """Some steps of training with one objective."""

    name: str
    steps: int = 0  # or epochs
    epochs: float = 0.0  # times that every clip is heard; scenes have none
    modality: str = "pairs"  # or "texts": labels from texts alone, no audio
    batch_size: int = 64  # pairs, of all processes together: each is a negative of all others
    micro_batch: int = 0  # pairs in memory at a time; 0: the process's whole share
    negatives_within: int = 0  # pairs that are each other's negatives; 0: the whole batch
    masks: bool = True  # a text is not pushed away from other sounds that it fits
    learning_rate: float = 2e-3
    final_rate: float = 0.0  # of learning_rate, where the cosine ends
    warmup: int = 50  # steps
    contrast_weight: float = 1.0  # of the contrastive loss
    label_weight: float = 0.0  # of the label loss at the start
    label_until: float = 0.6  # share of the stage at which that weight reaches label_floor
    label_floor: float = 0.0
    margin_weight: float = 0.0  # of the exclusion margin
    whiten: bool = False  # start the heads from whitened pooled vectors
    patience: int = (
        0  # validations without a better R@10 before the stage ends, at its best; 0: all
    )
    # of clips:
    data: tuple[ClipSource, ...] = ()  # clips with captions; none: scenes
    hard_sounds: int = 0  # mined `negatives` of a clip that its text must not find, at most
    hard_texts: int = 0  # `negative_captions` of a clip that it must not find, at most
    exclusions: tuple[str, ...] = ()  # rows {"text": "A without B", "target", "hard_negative"}
    exclusion_share: float = 0.3  # of a clip's turns with such a text instead of a caption


@dataclass(frozen=True)
class Recipe:
    """Everything `oea train` needs to know."""

    name: str
    stages: tuple[Stage, ...]
    seed: int = 0
    model: Model = field(default_factory=Model)
    sounds: Sounds = field(default_factory=Sounds)
    texts: Texts = field(default_factory=Texts)
    folders: Folders = field(default_factory=Folders)
    augment: Augment = field(default_factory=Augment)
    validation: tuple[ClipSource, ...] = ()  # clips that are never trained on: left out of data
    never: tuple[str, ...] = ()  # test sets: left out of data, refused as validation
    near_duplicates: tuple[str, ...] = ()  # pairs of clips that sound the same
    max_missing: float = 0.05  # share of a source's clips; more stops before anything is loaded
    optimizer: str = "adamw"  # or muon: for the matrices between the layers, adamw for the rest
    temperature: float = 0.07
    learn_temperature: bool = False  # from there on
    matryoshka: tuple[int, ...] = ()  # dimensions whose prefixes must serve alone, such as 256, 128
    hardness: float = 0.0  # beta: negatives count by exp(beta x cosine) in the denominator
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    average: float = 0.0  # of the weights that are saved: how much of the past a step keeps
    precision: str = "bfloat16"  # of the backbone; heads and loss are float32
    storage: str = "float16"  # of the backbone's weights in the result
    checkpoint_every: int = 200  # steps
    validate_every: int = 0  # steps; 0 is never
    log_every: int = 20  # steps
    tensorboard: bool = False  # also write for TensorBoard

    @property
    def num_steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stages)


CHOICES = {
    "trainable": ("lora", "heads", "all"),
    "modality": ("pairs", "texts"),
    "optimizer": ("adamw", "muon"),
    "precision": ("float32", "bfloat16"),
    "storage": ("float32", "float16", "bfloat16"),
}
NEW_MODEL: tuple[str, ...] = (
    "hidden_size",
    "text_layers",
    "text_mlp",
    "text_heads",
    "audio_layers",
    "audio_mlp",
)
NEW_MODEL += ("audio_heads", "hop_length", "initializer_range", "embedding_std", "vocab_size")
BASE_MODEL = ("revision", "trainable", "lora_rank", "lora_alpha", "lora_dropout")
MAY_BE_ZERO = {"seed", "warmup", "weight_decay", "initializer_range", "validate_every"}
MAY_BE_ZERO |= {"contrast_weight", "label_weight", "label_floor", "margin_weight", "hardness"}
MAY_BE_ZERO |= {"steps", "epochs", "micro_batch", "patience", "hard_sounds", "hard_texts"}
MAY_BE_ZERO |= {"negatives_within"}
MAY_BE_ZERO |= {"gain_db", "time_masks", "frequency_masks"}
SHARES = {"lora_dropout", "real_share", "listed_share", "split", "typo", "filler", "exclusion"}
SHARES |= {"label_until", "average", "final_rate", "exclusion_share", "max_missing", "noise", "mix"}


def stage_at(recipe: Recipe, step: int) -> tuple[Stage, int]:
    """The stage of a step counted from 0, and the step within it."""
    for stage in recipe.stages:
        if step < stage.steps:
            return stage, step
        step -= stage.steps
    raise IndexError(f"the recipe has only {recipe.num_steps} steps")


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe; raises UsageError that names every mistake in it at once.

    overrides are `key=value`, with dots for what lies inside: `sounds.esc10=~/ESC-10`,
    `stages.scenes.steps=500` (a stage by its name or its number).
    """
    tree = read_extended(path, _absolute_folders)
    errors: list[str] = []
    _apply_environment(tree)
    tree = with_folders_of_environment(tree)
    for override in overrides:
        apply_override(tree, override, errors)
    tree = filled_clip_paths(absolute_clip_paths(tree, Path.cwd()))
    recipe = build(Recipe, tree, "", errors)
    if not errors:
        errors = _check(recipe)
    raise_mistakes(path, errors)
    return typing.cast(Recipe, recipe)


def recipe_content(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe as plain JSON and YAML values."""
    return plain_content(recipe)


# --- where values come from ---


def _apply_environment(tree: dict[str, Any]) -> None:
    for key in ("esc10", "game_sounds"):
        folder = os.environ.get(f"OEA_{key.upper()}")
        sounds = tree.setdefault("sounds", {})
        if folder and isinstance(sounds, dict):
            sounds[key] = str(Path(folder).absolute())


def _absolute_folders(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What is said of folders in the file is meant from where the file lies."""

    def absolute(name: str) -> str:
        return str((folder / Path(name).expanduser()).resolve())

    moved = absolute_clip_paths(tree, folder)
    if isinstance(sounds := tree.get("sounds"), dict):
        moved["sounds"] = {
            key: absolute(value)
            if key in ("esc10", "game_sounds") and isinstance(value, str)
            else value
            for key, value in sounds.items()
        }
    if isinstance(model := tree.get("model"), dict) and isinstance(base := model.get("base"), str):
        # Or a repository, or a built-in encoder.
        moved["model"] = model | ({"base": absolute(base)} if Path(absolute(base)).is_dir() else {})
    return moved


# --- whether the values make sense ---


def _check(recipe: Any) -> list[str]:
    errors = _check_fields(recipe, "")
    names = [stage.name for stage in recipe.stages]
    if not names:
        errors.append("stages: needs at least one stage")
    errors.extend(f"stages: two are called '{n}'" for n in {n for n in names if names.count(n) > 1})
    errors.extend(mistake for stage in recipe.stages for mistake in _check_stage(stage))
    errors.extend(_check_model(recipe.model))
    errors.extend(clip_mistakes(recipe))
    if not recipe.validate_every:
        patient = [stage.name for stage in recipe.stages if stage.patience]
        errors.extend(f"stages.{name}.patience: needs validate_every" for name in patient)
    too_long = [size for size in recipe.matryoshka if not 0 < size <= recipe.model.dim]
    errors.extend(f"matryoshka: {size} does not lie within model.dim" for size in too_long)
    return errors


def _check_stage(stage: Stage) -> Iterator[str]:
    where = f"stages.{stage.name}"
    if bool(stage.steps) == bool(stage.epochs):
        yield f"{where}: needs steps or epochs, one of them"
    if stage.micro_batch and stage.batch_size % stage.micro_batch:
        pairs, size = stage.batch_size, stage.micro_batch
        yield f"{where}.micro_batch: {pairs} pairs cannot be cut into {size}s"
    if stage.negatives_within and stage.batch_size % stage.negatives_within:
        pairs, size = stage.batch_size, stage.negatives_within
        yield f"{where}.negatives_within: {pairs} pairs cannot be cut into {size}s"
    if stage.negatives_within == 1:
        yield f"{where}.negatives_within: a pair alone has no negatives"
    if stage.negatives_within and (stage.hard_sounds or stage.hard_texts or stage.exclusions):
        yield f"{where}.negatives_within: hard negatives belong to the whole batch"
    if stage.batch_size == 1:
        yield f"{where}.batch_size: a pair alone has no negatives"


def _check_model(model: Model) -> Iterator[str]:
    if model.hidden_size % model.text_heads:
        yield "model.hidden_size: must be a multiple of model.text_heads"
    default = Model()
    belongs = NEW_MODEL if model.base else BASE_MODEL
    reason = "is model.base's own" if model.base else "has no meaning without model.base"
    for name in belongs:
        if getattr(model, name) != getattr(default, name):
            yield f"model.{name}: {reason}"


def _check_fields(section: Any, where: str) -> list[str]:
    errors = []
    for item in dataclasses.fields(section):
        value, place = getattr(section, item.name), f"{where}{item.name}"
        if dataclasses.is_dataclass(value):
            errors.extend(_check_fields(value, f"{place}."))
        elif item.name == "stages":
            for stage in value:
                errors.extend(_check_fields(stage, f"stages.{stage.name}."))
        elif item.name in ("data", "validation"):
            for i, source in enumerate(value):
                errors.extend(_check_fields(source, f"{place}[{i}]."))
        elif mistake := _mistake(item.name, value):
            errors.append(f"{place}: {mistake}")
    return errors


def _mistake(name: str, value: Any) -> str | None:
    if name in CHOICES and value not in CHOICES[name]:
        return f"must be one of {', '.join(CHOICES[name])}, not '{value}'"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if name in SHARES:
        return None if 0 <= value <= 1 else f"must lie between 0 and 1, not {value}"
    if name in MAY_BE_ZERO:
        return None if value >= 0 else f"must not be negative, not {value}"
    return None if value > 0 else f"must be greater than 0, not {value}"
