"""What learns: model, label losses, optimiser, the running average of the weights, their starts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from oea_cli.encoder.fresh import ModelSizes, new_model
from oea_cli.encoder.front_end import FrontEnd
from oea_cli.encoder.omni import OmniModel
from oea_cli.losses import LabelLoss, whitening_weight
from oea_cli.recipe import Recipe
from oea_cli.training_data import Batches
from oea_cli.training_optimizer import new_optimizer

WHITENING_BATCHES = 8
VALIDATION_BATCHES = 4


@dataclass
class Learner:
    """What learns: the model, the label losses, their optimiser, the running average of weights."""

    model: OmniModel
    modules: nn.ModuleDict  # the model and both label losses, by the names in a checkpoint
    optimizer: torch.optim.Optimizer
    average: dict[str, Tensor]
    device: torch.device


def model_sizes(recipe: Recipe) -> ModelSizes:
    """The sizes that a recipe's model section gives to a new model."""
    wanted = asdict(recipe.model)
    return ModelSizes(**{name: wanted[name] for name in ModelSizes.__dataclass_fields__})


def new_learner(
    recipe: Recipe, sizes: ModelSizes, front_end: FrontEnd, num_labels: int, device: torch.device
) -> Learner:
    """A new model with its label losses and optimiser, on a device."""
    model = new_model(sizes, front_end, recipe.seed)
    _use_attention(model, "eager")
    embeddings = model.backbone.get_input_embeddings()
    with torch.no_grad():
        embeddings.weight.normal_(std=recipe.model.embedding_std)
    parts: dict[str, nn.Module] = {
        "model": model,
        # What a text says is in, and what it says is not.
        "text_labels": LabelLoss(sizes.hidden_size, 2 * num_labels),
        "sound_labels": LabelLoss(sizes.hidden_size, num_labels),
    }
    modules = nn.ModuleDict(parts).to(device)
    optimizer = new_optimizer(modules, recipe.optimizer, recipe.weight_decay, device)
    learner = Learner(model, modules, optimizer, {}, device)
    restart_average(learner)
    return learner


@torch.no_grad()
def centre_input(learner: Learner, batches: Batches) -> None:
    """Let the first convolution start from mel bands of mean 0 and spread 1, as its input would be.

    Log-mel bands share a large mean; an audio tower that has to unlearn it first starts slowly.
    """
    stages = batches.recipe.stages
    kinds = [stage.modality for stage in stages]
    if "pairs" not in kinds:
        return
    step = sum(stage.steps for stage in stages[: kinds.index("pairs")])
    inputs = batches[step].sounds
    assert inputs is not None
    heard = inputs["feature_attention_mask"].bool()  # (B, F)
    frames = inputs["input_features"].transpose(1, 2)[heard].to(learner.device)  # (N, M)
    convolution = learner.model.backbone.audio_tower.conv1
    weight: Tensor = convolution.weight  # (H, M, 3)
    weight.div_(frames.std(0).clamp(min=0.1)[None, :, None])
    convolution.bias.sub_((weight * frames.mean(0)[None, :, None]).sum((1, 2)))
    restart_average(learner)


@torch.no_grad()
def whiten_heads(learner: Learner, batches: Batches, step: int) -> None:
    """Start both heads from whitened pooled vectors of the next few batches."""
    learner.modules.eval()
    pooled: dict[str, list[Tensor]] = {"text": [], "audio": []}
    last = min(step + WHITENING_BATCHES, len(batches))
    for batch in (batches[i].to(learner.device) for i in range(step, last)):
        pooled["text"].append(functional.normalize(learner.model.pool(batch.texts), dim=-1))
        if batch.sounds:
            pooled["audio"].append(functional.normalize(learner.model.pool(batch.sounds), dim=-1))
    for name, head in (("text", learner.model.text_head), ("audio", learner.model.audio_head)):
        weight = head.linear.weight
        weight.copy_(whitening_weight(torch.cat(pooled[name]), len(weight)))
    restart_average(learner)


def _use_attention(model: OmniModel, kind: str) -> None:
    # Written-out attention trains 1.4 times as fast as the fused kernel on a CPU in bfloat16: its
    # backward pass is slow on the many short chunks of the audio tower.
    for part in (model.backbone.audio_tower, model.backbone.language_model):
        part.config._attn_implementation = kind


def restart_average(learner: Learner) -> None:
    learner.average = {
        name: tensor.detach().clone()
        for name, tensor in learner.modules.state_dict().items()
        if name.startswith("model.") and tensor.is_floating_point()
    }


@torch.no_grad()
def follow(learner: Learner, keep: float) -> None:
    current = learner.modules.state_dict()
    torch._foreach_lerp_(
        list(learner.average.values()), [current[name] for name in learner.average], 1 - keep
    )


@contextmanager
def averaged(learner: Learner) -> Iterator[OmniModel]:
    """The model with its averaged weights, in evaluation mode; the live ones come back after."""
    live = {name: t.detach().clone() for name, t in learner.modules.state_dict().items()}
    learner.modules.load_state_dict({**live, **learner.average})
    learner.modules.eval()
    try:
        yield learner.model
    finally:
        learner.modules.load_state_dict(live)


def validate(learner: Learner, batches: Batches) -> dict[str, float]:
    """R@1 and R@10 of texts among clips of steps that are never trained on, averaged weights."""
    fresh = [batches[len(batches) + i].to(learner.device) for i in range(VALIDATION_BATCHES)]
    with averaged(learner) as model, torch.no_grad():
        texts = torch.cat([model(batch.texts, "text") for batch in fresh])
        sounds = torch.cat([model(batch.sounds, "audio") for batch in fresh if batch.sounds])
    scores = texts @ sounds.T
    ranks = 1 + (scores > scores.diagonal().unsqueeze(1)).sum(1)
    return {f"r@{k}": float((ranks <= k).float().mean()) for k in (1, 10)}
