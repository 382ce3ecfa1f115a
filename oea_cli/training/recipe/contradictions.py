"""What a recipe says in one place and cannot mean beside what it says in another."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from oea_cli.training.recipe.clips import ClipSource, Folders

if TYPE_CHECKING:
    from oea_cli.training.recipe.recipe import Model, Recipe, Stage

NEW_MODEL = (
    "hidden_size",
    "text_layers",
    "text_mlp",
    "text_heads",
    "audio_layers",
    "audio_mlp",
    "audio_heads",
    "hop_length",
    "initializer_range",
    "embedding_std",
    "vocab_size",
)
BASE_MODEL = ("revision", "trainable", "lora_rank", "lora_alpha", "lora_dropout")
TEST_WORDS = {"test", "testing", "eval", "evaluation"}
PLACEHOLDER = re.compile(r"\{(\w*)\}/?")


def contradictions(recipe: "Recipe") -> Iterator[str]:
    """A line for each value of a recipe that does not fit the others."""
    names = [stage.name for stage in recipe.stages]
    if not names:
        yield "stages: needs at least one stage"
    yield from (f"stages: two are called '{n}'" for n in {n for n in names if names.count(n) > 1})
    for stage in recipe.stages:
        yield from _of_steps(stage)
        yield from _of_batch(stage)
        yield from _of_data(stage)
    yield from _of_model(recipe.model)
    yield from _of_validation(recipe)
    if len(recipe.betas) != 2 or not all(0 <= beta < 1 for beta in recipe.betas):
        yield f"betas: must be two numbers from 0 to less than 1; got {list(recipe.betas)}"
    for size in recipe.matryoshka:
        if not 0 < size <= recipe.model.dim:
            yield f"matryoshka: {size} does not lie within model.dim"
    for where, name in paths_to_clips(recipe):
        match = PLACEHOLDER.match(name)
        if match and match[1] not in Folders.model_fields:
            known = ", ".join(Folders.model_fields)
            yield f"{where}: {{{match[1]}}} is none of the folders {known}"


def is_test_split(name: str) -> bool:
    """True where a split, a file or its folder is called a test or evaluation split."""
    path = PurePosixPath(name)
    words = set(re.split(r"[^a-z]+", path.name.lower()))
    return bool(words & TEST_WORDS) or path.parent.name.lower() in TEST_WORDS


def paths_to_clips(recipe: "Recipe") -> Iterator[tuple[str, str]]:
    """(key, path) of every file and folder that names clips."""
    groups = [("validation", recipe.validation)]
    groups += [(f"stages.{stage.name}.data", stage.data) for stage in recipe.stages]
    for where, sources in groups:
        for i, source in enumerate(sources):
            for name in (source.path, source.root or "", *source.blacklists):
                yield f"{where}[{i}]", name
    for stage in recipe.stages:
        yield from ((f"stages.{stage.name}.exclusions", name) for name in stage.exclusions)
    for key in ("never", "near_duplicates"):
        yield from ((key, name) for name in getattr(recipe, key))


def _of_steps(stage: "Stage") -> Iterator[str]:
    if bool(stage.steps) == bool(stage.epochs):
        yield f"stages.{stage.name}: needs steps or epochs, one of them"


def _of_batch(stage: "Stage") -> Iterator[str]:
    where, pairs = f"stages.{stage.name}", stage.batch_size
    for key in ("micro_batch", "negatives_within"):
        size = getattr(stage, key)
        if size and pairs % size:
            yield (
                f"{where}.{key}: {pairs} pairs cannot be cut into {size}s; "
                f"batch_size must be a multiple of {key}"
            )
    if stage.negatives_within == 1:
        yield f"{where}.negatives_within: a pair alone has no negatives"
    if stage.negatives_within and (stage.hard_sounds or stage.hard_texts or stage.exclusions):
        yield f"{where}.negatives_within: hard negatives belong to the whole batch"
    if pairs == 1:
        yield f"{where}.batch_size: a pair alone has no negatives"


def _of_data(stage: "Stage") -> Iterator[str]:
    where = f"stages.{stage.name}"
    yield from _of_sources(stage.data, f"{where}.data")
    if stage.data:
        if stage.modality != "pairs":
            yield f"{where}.modality: clips are trained on in pairs"
        for name in filter(is_test_split, stage.exclusions):
            yield f"{where}.exclusions: '{name}' is a test split, which nothing is trained on"
        return
    for key in ("exclusions", "hard_sounds", "hard_texts"):
        if getattr(stage, key):
            yield f"{where}.{key}: has no meaning without data"


def _of_sources(sources: tuple[ClipSource, ...], where: str) -> Iterator[str]:
    for i, source in enumerate(sources):
        for key in ("path", "root", "split"):
            name = getattr(source, key)
            if name and is_test_split(name):
                yield f"{where}[{i}].{key}: '{name}' is a test split; it is for `oea eval` alone"
        if source.max_seconds and source.max_seconds <= (source.min_seconds or 0):
            yield f"{where}[{i}].max_seconds: must be more than min_seconds"


def _of_model(model: "Model") -> Iterator[str]:
    if model.hidden_size % model.text_heads:
        yield "model.hidden_size: must be a multiple of model.text_heads"
    belongs = NEW_MODEL if model.base else BASE_MODEL
    reason = "is model.base's own" if model.base else "has no meaning without model.base"
    for name in belongs:
        if getattr(model, name) != type(model).model_fields[name].default:
            yield f"model.{name}: {reason}"


def _of_validation(recipe: "Recipe") -> Iterator[str]:
    with_clips = [stage for stage in recipe.stages if stage.data]
    if with_clips and len(with_clips) < len(recipe.stages):
        yield "stages: all need data, or none; the clips of one are not those of another"
    yield from _of_sources(recipe.validation, "validation")
    if recipe.validation and not with_clips:
        yield "validation: names clips, so the stages need data, too"
    if with_clips and recipe.validate_every and not recipe.validation:
        yield "validate_every: needs validation, clips that are not trained on"
    if not recipe.validate_every:
        for stage in recipe.stages:
            if stage.patience:
                yield f"stages.{stage.name}.patience: needs validate_every"
