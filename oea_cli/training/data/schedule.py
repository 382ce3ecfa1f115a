"""How long stages are, how a batch is cut, and what changes from step to step."""

import math

from oea_cli.errors import UsageError
from oea_cli.training.data.batch import Pairing
from oea_cli.training.data.examples import Data
from oea_cli.training.recipe.recipe import Recipe, Stage


def with_steps(recipe: Recipe, data: Data) -> Recipe:
    """The recipe with every stage's epochs in steps; raises UsageError for data without any."""
    return recipe.changed(stages=tuple(_with_steps(stage, data) for stage in recipe.stages))


def _with_steps(stage: Stage, data: Data) -> Stage:
    if stage.steps:
        return stage
    clips = data.clips(stage.name)
    if not clips:
        raise UsageError(
            f"stages.{stage.name}.epochs: {data.description} have no epochs; give steps"
        )
    steps = max(1, round(stage.epochs * clips / stage.batch_size))
    return stage.changed(steps=steps, epochs=0.0)


def num_parts(stage: Stage, processes: int) -> int:
    """Into how many micro-batches a global batch is cut; every process takes as many.

    Raises UsageError where it cannot be cut so.
    """
    share = stage.batch_size // processes
    size = min(stage.micro_batch or share, share)
    if not size or stage.batch_size % (size * processes):
        raise UsageError(
            f"stages.{stage.name}.batch_size: {stage.batch_size} pairs cannot be cut into "
            f"micro-batches of {size or 1} for {processes} processes"
        )
    return stage.batch_size // size


def describe_batch(stage: Stage, pairing: Pairing, processes: int) -> str:
    """`64 x 4 processes: 256 pairs, 255 negatives each way + 32 hard`, and how many at a time."""
    pairs = pairing.num_pairs
    share, size = pairs // processes, pairs // num_parts(stage, processes)
    text = f"{share} x {processes} processes: " if processes > 1 else ""
    text += f"{pairs} {stage.modality}"
    if stage.modality == "pairs":
        hard_sounds, hard_texts = len(pairing.sounds) - pairs, len(pairing.texts) - pairs
        text += f", {(stage.negatives_within or pairs) - 1} negatives each way"
        text += f" + {hard_sounds} hard sounds" if hard_sounds else ""
        text += f" + {hard_texts} hard texts" if hard_texts else ""
    return text + (f", {size} in memory at a time" if size < share else "")


def learning_rate(stage: Stage, within: int) -> float:
    """Linear warm-up, then a cosine down to final_rate of the stage's learning rate."""
    warmup = min(stage.warmup, stage.steps // 2)
    if within < warmup:
        return stage.learning_rate * (within + 1) / warmup
    along = (within - warmup) / max(1, stage.steps - warmup)
    cosine = (1 + math.cos(math.pi * along)) / 2
    return stage.learning_rate * (stage.final_rate + (1 - stage.final_rate) * cosine)


def label_weight(stage: Stage, progress: float) -> float:
    """Falls linearly from label_weight to label_floor until label_until of the stage."""
    along = min(1.0, progress / stage.label_until) if stage.label_until else 1.0
    return stage.label_weight + (stage.label_floor - stage.label_weight) * along
