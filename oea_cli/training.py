"""The training loop: a recipe and labelled sounds in, an encoder folder out.

Every step's examples follow from the recipe's seed and the step's number alone, so a run that was
stopped and continued ends where an uninterrupted one ends.
"""

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from oea_cli.encoder.folder import resolve_device, save_encoder_folder
from oea_cli.encoder.fresh import ModelSizes, new_front_end, new_model, train_tokenizer
from oea_cli.encoder.front_end import FrontEnd
from oea_cli.encoder.omni import OmniModel
from oea_cli.encoder.settings import EncoderSettings
from oea_cli.losses import LabelLoss, exclusion_margin, info_nce, whitening_weight
from oea_cli.recipe import Recipe, Stage, recipe_content
from oea_cli.training_checkpoint import (
    CHECKPOINT_FILE,
    checkpoint_step,
    load_checkpoint,
    recipe_digest,
    save_checkpoint,
)
from oea_cli.training_data import Batch, Batches, training_texts
from oea_cli.training_sounds import open_sources

LOG_FILE = "train_log.jsonl"
STORAGE = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
WHITENING_BATCHES = 8
VALIDATION_BATCHES = 4


@dataclass(frozen=True)
class StepReport:
    """What a step did; `losses` by name, mean over the steps since the last report."""

    step: int
    total: int
    stage: str
    losses: dict[str, float]
    learning_rate: float
    clips_per_second: float = 0.0
    seconds_left: float = 0.0
    validation: dict[str, float] = field(default_factory=dict)


OnStep = Callable[[StepReport], None]


@dataclass
class Learner:
    """What learns: the model, the label losses, their optimiser, the running average of weights."""

    model: OmniModel
    modules: nn.ModuleDict  # the model and both label losses, by the names in a checkpoint
    optimizer: torch.optim.Optimizer
    average: dict[str, Tensor]
    device: torch.device


def train(
    recipe: Recipe,
    output: Path,
    *,
    device: str = "auto",
    workers: int = 1,
    resume: bool = True,
    on_step: OnStep = lambda report: None,
) -> Path:
    """Train by a recipe and write the encoder into `output`; returns that folder.

    A checkpoint in `output` is continued (its recipe must be the same one) unless resume is False.
    Ctrl-C and SIGTERM finish the step, save, and raise KeyboardInterrupt.
    """
    output.mkdir(parents=True, exist_ok=True)
    content = recipe_content(recipe)
    digest = recipe_digest(content)
    first = (checkpoint_step(output, digest) if resume else None) or 0
    (output / "recipe.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    torch.manual_seed(recipe.seed)
    settings = EncoderSettings(dim=recipe.model.dim, max_seconds=recipe.model.max_seconds)
    sizes = model_sizes(recipe)
    tokenizer = train_tokenizer(training_texts(recipe), recipe.model.vocab_size)
    front_end = new_front_end(tokenizer, sizes, settings)
    batches = Batches(recipe, front_end, open_sources(recipe, output / "sounds", workers))
    learner = new_learner(recipe, sizes, front_end, batches.num_labels, resolve_device(device))
    if not first:
        centre_input(learner, batches)
    else:
        load_checkpoint(output, learner.modules, learner.optimizer, learner.average)
    _keep_log_until(output / LOG_FILE, first)
    with _stop_request() as stop:
        for report in steps(recipe, learner, batches, first, workers):
            done = report.step == report.total
            if report.step % recipe.checkpoint_every == 0 or stop.is_set() or done:
                save_checkpoint(output, report.step, digest, *_state(learner))
            if report.losses:
                _append(output / LOG_FILE, report)
                on_step(report)
            if stop.is_set() and not done:
                raise KeyboardInterrupt
    told: dict[str, Any] = {"recipe": recipe.name, "steps": recipe.num_steps, "seed": recipe.seed}
    told |= {"classes": batches.labels}
    _save_result(learner, output, front_end, replace(settings, training=told), recipe)
    return output


def steps(
    recipe: Recipe, learner: Learner, batches: Batches, first: int, workers: int
) -> Iterator[StepReport]:
    """Do the steps from `first` on, yielding after each; reports between two logs are empty."""
    log = _Log(recipe)
    for step, batch in zip(
        range(first, recipe.num_steps), _loader(batches, first, workers), strict=True
    ):
        stage, within = stage_at(recipe, step)
        if stage.whiten and within == 0:
            whiten_heads(learner, batches, step)
        rate = learning_rate(stage, within)
        losses = training_step(recipe, stage, learner, batch, within / stage.steps, rate)
        # Young averages forget faster, so that they do not cling to the random start.
        _follow(learner, min(recipe.average, (step + 1) / (step + 10)))
        log.add(losses, batch.size)
        yield log.report(step + 1, stage, rate, learner, batches)


def training_step(
    recipe: Recipe, stage: Stage, learner: Learner, batch: Batch, progress: float, rate: float
) -> dict[str, Tensor]:
    """One update of the weights; returns the parts of the loss."""
    for group in learner.optimizer.param_groups:
        group["lr"] = rate
    learner.modules.train()
    losses = batch_losses(recipe, stage, learner, batch.to(learner.device))
    weights = {
        "contrast": 1.0,
        "margin": stage.margin_weight,
        "labels": label_weight(stage, progress),
    }
    total = torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
    learner.optimizer.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(learner.modules.parameters(), recipe.clip_norm)
    learner.optimizer.step()
    return {name: loss.detach() for name, loss in losses.items()}


def batch_losses(recipe: Recipe, stage: Stage, learner: Learner, batch: Batch) -> dict[str, Tensor]:
    """The parts of the loss by name: `labels`, and for pairs `contrast` and `margin`."""
    model, modules = learner.model, learner.modules
    with _precision(recipe, learner.device):
        texts = model.pool(batch.texts)
        sounds = model.pool(batch.sounds) if batch.sounds else None
    labels = modules["text_labels"](texts, batch.text_labels)
    if sounds is None:
        return {"labels": labels}
    heard = modules["sound_labels"](sounds, batch.sound_labels)
    text_vectors, sound_vectors = model.project(texts, "text"), model.project(sounds, "audio")
    scale = recipe.temperature
    return {
        "contrast": info_nce(text_vectors, sound_vectors, same=batch.same, temperature=scale),
        "labels": labels + heard,
        "margin": exclusion_margin(
            text_vectors, sound_vectors, batch.hard_negative, temperature=scale
        ),
    }


# --- the schedule ---


def stage_at(recipe: Recipe, step: int) -> tuple[Stage, int]:
    """The stage of a step counted from 0, and the step within it."""
    for stage in recipe.stages:
        if step < stage.steps:
            return stage, step
        step -= stage.steps
    raise IndexError(f"the recipe has only {recipe.num_steps} steps")


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


# --- what learns ---


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
    decayed = [p for p in modules.parameters() if p.ndim > 1]
    plain = [p for p in modules.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=device.type != "mps")
    learner = Learner(model, modules, optimizer, {}, device)
    _restart_average(learner)
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
    _restart_average(learner)


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
    _restart_average(learner)


def _use_attention(model: OmniModel, kind: str) -> None:
    # Written-out attention trains 1.4 times as fast as the fused kernel on a CPU in bfloat16: its
    # backward pass is slow on the many short chunks of the audio tower.
    for part in (model.backbone.audio_tower, model.backbone.language_model):
        part.config._attn_implementation = kind


def _state(learner: Learner) -> tuple[nn.Module, torch.optim.Optimizer, dict[str, Tensor]]:
    return learner.modules, learner.optimizer, learner.average


def _restart_average(learner: Learner) -> None:
    learner.average = {
        name: tensor.detach().clone()
        for name, tensor in learner.modules.state_dict().items()
        if name.startswith("model.") and tensor.is_floating_point()
    }


@torch.no_grad()
def _follow(learner: Learner, keep: float) -> None:
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


def _save_result(
    learner: Learner,
    output: Path,
    front_end: FrontEnd,
    settings: EncoderSettings,
    recipe: Recipe,
) -> None:
    with averaged(learner) as model:
        save_encoder_folder(output, model, front_end, settings, STORAGE[recipe.storage])


def _precision(recipe: Recipe, device: torch.device) -> torch.autocast:
    wanted = recipe.precision == "bfloat16"
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)


# --- data, interruption, log ---


def _loader(batches: Batches, first: int, workers: int) -> Iterator[Batch]:
    """Batches in order, made ahead by background processes (none for workers=0)."""
    loader: DataLoader[Batch] = DataLoader(
        batches,
        sampler=range(first, len(batches)),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=6 if workers else None,
        worker_init_fn=_ignore_interrupts,
    )
    return iter(loader)


def _ignore_interrupts(worker: int) -> None:
    # Ctrl-C reaches the whole process group; the loop decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _stop_request() -> Iterator[threading.Event]:
    """Set by Ctrl-C or SIGTERM, so that a step is never cut in the middle."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Log:
    """Gathers losses and speed between two reports."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._restart()

    def _restart(self) -> None:
        self.losses: list[dict[str, Tensor]] = []
        self.clips, self.since = 0, time.monotonic()

    def add(self, losses: dict[str, Tensor], clips: int) -> None:
        self.losses.append(losses)
        self.clips += clips

    def report(
        self, step: int, stage: Stage, rate: float, learner: Learner, batches: Batches
    ) -> StepReport:
        total, every = self.recipe.num_steps, self.recipe.validate_every
        if step % self.recipe.log_every and step != total:
            return StepReport(step, total, stage.name, {}, rate)
        means = {
            name: float(torch.stack([x[name] for x in self.losses if name in x]).mean())
            for name in self.losses[-1]
        }
        passed = max(1e-9, time.monotonic() - self.since)
        speed, left = self.clips / passed, (total - step) * passed / len(self.losses)
        due = every and stage.modality == "pairs" and (step % every == 0 or step == total)
        measured = validate(learner, batches) if due else {}
        self._restart()
        return StepReport(step, total, stage.name, means, rate, speed, left, measured)


def validate(learner: Learner, batches: Batches) -> dict[str, float]:
    """R@1 and R@10 of texts among clips of steps that are never trained on, averaged weights."""
    fresh = [batches[len(batches) + i].to(learner.device) for i in range(VALIDATION_BATCHES)]
    with averaged(learner) as model, torch.no_grad():
        texts = torch.cat([model(batch.texts, "text") for batch in fresh])
        sounds = torch.cat([model(batch.sounds, "audio") for batch in fresh if batch.sounds])
    scores = texts @ sounds.T
    ranks = 1 + (scores > scores.diagonal().unsqueeze(1)).sum(1)
    return {f"r@{k}": float((ranks <= k).float().mean()) for k in (1, 10)}


def _append(path: Path, report: StepReport) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(report)) + "\n")


def _keep_log_until(path: Path, step: int) -> None:
    """Drop the lines of steps that will be done again."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
    path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")


__all__ = ["CHECKPOINT_FILE", "LOG_FILE", "StepReport", "train"]
