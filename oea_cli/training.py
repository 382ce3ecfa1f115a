"""The training loop: a recipe and labelled sounds in, an encoder folder out.

Every step's examples follow from the recipe's seed and the step's number alone, so a run that was
stopped and continued ends where an uninterrupted one ends.
"""

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from oea_cli.encoder.folder import save_encoder_folder
from oea_cli.encoder.fresh import new_front_end, train_tokenizer
from oea_cli.encoder.front_end import FrontEnd, Inputs
from oea_cli.encoder.hardware import resolve_device
from oea_cli.encoder.omni import OmniModel
from oea_cli.encoder.settings import EncoderSettings
from oea_cli.losses import exclusion_margin, info_nce
from oea_cli.recipe import Recipe, Stage, recipe_content
from oea_cli.training_checkpoint import (
    checkpoint_step,
    load_checkpoint,
    recipe_digest,
    save_checkpoint,
)
from oea_cli.training_data import Batch, Batches, training_texts
from oea_cli.training_learner import (
    Learner,
    averaged,
    centre_input,
    follow,
    model_sizes,
    new_learner,
    whiten_heads,
)
from oea_cli.training_log import LOG_FILE, Log, OnStep, StepReport, append_report, keep_log_until
from oea_cli.training_sounds import open_sources

STORAGE = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


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
    front_end = new_front_end(_tokenizer(recipe, output, anew=not first), sizes, settings)
    batches = Batches(recipe, front_end, open_sources(recipe, output / "sounds", workers))
    learner = new_learner(recipe, sizes, front_end, batches.num_labels, resolve_device(device))
    if not first:
        centre_input(learner, batches)
    else:
        load_checkpoint(output, learner.modules, learner.optimizer, learner.average)
    keep_log_until(output / LOG_FILE, first)
    with _stop_request() as stop:
        for report in steps(recipe, learner, batches, first, workers):
            done = report.step == report.total
            if report.step % recipe.checkpoint_every == 0 or stop.is_set() or done:
                save_checkpoint(output, report.step, digest, *_state(learner))
            if report.losses:
                append_report(output / LOG_FILE, report)
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
    log = Log(recipe)
    for step, batch in zip(
        range(first, recipe.num_steps), _loader(batches, first, workers), strict=True
    ):
        stage, within = stage_at(recipe, step)
        if stage.whiten and within == 0:
            whiten_heads(learner, batches, step)
        rate = learning_rate(stage, within)
        losses = training_step(recipe, stage, learner, batch, within / stage.steps, rate)
        # Young averages forget faster, so that they do not cling to the random start.
        follow(learner, min(recipe.average, (step + 1) / (step + 10)))
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
        texts = pool_by_length(model, batch.texts)
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


def pool_by_length(model: OmniModel, inputs: Inputs) -> Tensor:
    """(B, H) as `model.pool`, the shorter half of the texts apart, so that it pads less."""
    lengths = inputs["attention_mask"].sum(1)
    order = lengths.argsort(stable=True)
    pooled = []
    for rows in torch.split(order, (len(order) + 1) // 2):
        width = int(lengths[rows].max())
        pooled.append(model.pool({name: rows_of[rows, :width] for name, rows_of in inputs.items()}))
    return torch.cat(pooled)[order.argsort()]


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


# --- what goes in and comes out ---


def _tokenizer(recipe: Recipe, output: Path, *, anew: bool) -> Tokenizer:
    # Kept beside the checkpoint: a run goes on with the sub-words it started with, even where the
    # vocabulary that they were learned from has changed since.
    path = output / "tokenizer.json"
    if anew or not path.is_file():
        made = train_tokenizer(training_texts(recipe), recipe.model.vocab_size)
        made.save(str(path))
    return Tokenizer.from_file(str(path))


def _state(learner: Learner) -> tuple[nn.Module, torch.optim.Optimizer, dict[str, Tensor]]:
    return learner.modules, learner.optimizer, learner.average


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


def _loader(batches: Batches, first: int, workers: int) -> Iterator[Batch]:
    """Batches in order, made ahead by background processes (none for workers=0)."""
    loader: DataLoader[Batch] = DataLoader(
        batches,
        sampler=range(first, len(batches)),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=6 if workers else None,
        worker_init_fn=_ignore_interrupts,
        # Its own: a loader draws a number when it starts, which would shift a continued run's.
        generator=torch.Generator(),
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
