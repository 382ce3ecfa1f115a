"""Where a new model starts: inputs and heads spread evenly, instead of a large common mean."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from oea_cli.training.data.batch import TrainingBatch
from oea_cli.training.data.examples import Examples
from oea_cli.training.data.schedule import num_parts
from oea_cli.training.loop.learner import Learner
from oea_cli.training.objective.losses import whitening_weight
from oea_cli.training.recipe.recipe import Recipe, stage_at

WHITENING_STEPS = 8


@torch.no_grad()
def centre_input(learner: Learner, recipe: Recipe, examples: Examples) -> None:
    """Let the first convolution start from mel bands of mean 0 and spread 1, as its input would be.

    Log-mel bands share a large mean; an audio tower that has to unlearn it first starts slowly.
    """
    kinds = [stage.modality for stage in recipe.stages]
    if "pairs" not in kinds:
        return
    step = sum(stage.steps for stage in recipe.stages[: kinds.index("pairs")])
    inputs = next(_batches(recipe, examples, learner, step)).sounds
    assert inputs is not None
    is_frame = inputs["feature_attention_mask"].bool()  # (B, F)
    frames = inputs["input_features"].transpose(1, 2)[is_frame]  # (N, M)
    convolution = learner.model.backbone.audio_tower.conv1
    weight: Tensor = convolution.weight  # (H, M, 3)
    weight.div_(frames.std(0).clamp(min=0.1)[None, :, None])
    convolution.bias.sub_((weight * frames.mean(0)[None, :, None]).sum((1, 2)))
    learner.restart_average()


@torch.no_grad()
def whiten_heads(learner: Learner, recipe: Recipe, examples: Examples, step: int) -> None:
    """Start both heads from whitened pooled vectors of the next few steps."""
    learner.modules.eval()
    pooled: dict[str, list[Tensor]] = {"text": [], "audio": []}
    for later in range(step, min(step + WHITENING_STEPS, recipe.num_steps)):
        for batch in _batches(recipe, examples, learner, later):
            pooled["text"].append(functional.normalize(learner.model.pool(batch.texts), dim=-1))
            if batch.sounds:
                sounds = learner.model.pool(batch.sounds)
                pooled["audio"].append(functional.normalize(sounds, dim=-1))
    torch.manual_seed(recipe.seed)
    for name, head in (("text", learner.model.text_head), ("audio", learner.model.audio_head)):
        weight = head.linear.weight
        weight.copy_(whitening_weight(torch.cat(pooled[name]), len(weight)))
    learner.restart_average()


def _batches(
    recipe: Recipe, examples: Examples, learner: Learner, step: int
) -> Iterator[TrainingBatch]:
    """All micro-batches of a step: every process looks at all of them, and so starts alike."""
    stage, _ = stage_at(recipe, step)
    parts = num_parts(stage, learner.processes.count)
    for part in range(parts):
        yield examples.batch(step, part, parts).to(learner.processes.device)
