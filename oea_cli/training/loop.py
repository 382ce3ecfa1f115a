"""The training loop: a recipe in, an encoder folder out.

Every step's examples, and all that is drawn at random in it, follow from the recipe's seed and the
step's number alone, so a run that was stopped and continued ends where an uninterrupted one ends.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from oea_cli.errors import OeaError, UsageError
from oea_cli.recipe import Recipe, Stage, recipe_content, stage_at
from oea_cli.training.batch import Batch, Pairing, content_key
from oea_cli.training.checkpoint import (
    BEST_FILE,
    CHECKPOINT_FILE,
    Progress,
    finish_best,
    load_checkpoint,
    read_progress,
    recipe_digest,
    save_checkpoint,
)
from oea_cli.training.examples import Data, Examples, Validation, open_data
from oea_cli.training.grad_cache import back_propagate
from oea_cli.training.learner import Learner, new_learner
from oea_cli.training.log import Log, OnStep, check_tensorboard
from oea_cli.training.objective import weighted
from oea_cli.training.processes import Processes, processes_of_run
from oea_cli.training.result import save_result
from oea_cli.training.schedule import describe_batch, learning_rate, num_parts, with_steps
from oea_cli.training.starting_point import StartingPoint, starting_point
from oea_cli.training.validation import validate
from oea_cli.training.warm_start import centre_input, whiten_heads


def train(
    recipe: Recipe,
    output: Path,
    *,
    device: str = "auto",
    workers: int = 1,
    resume: bool = True,
    on_step: OnStep = lambda report: None,
    notice: Callable[[str], object] = lambda text: None,
) -> Path:
    """Train by a recipe and write the encoder into `output`; returns that folder.

    A checkpoint in `output` is continued (its recipe must be the same one) unless resume is False.
    Ctrl-C and SIGTERM finish the step, save, and raise KeyboardInterrupt. Of the processes that
    torchrun starts, the first one alone writes, validates, and calls `on_step` and `notice`.
    """
    check_tensorboard(recipe)
    output.mkdir(parents=True, exist_ok=True)
    with processes_of_run(device) as processes, _stop_request() as stop:
        with processes.first_goes_ahead():
            data = open_data(recipe, output, workers, notice if processes.is_first else _ignore)
        recipe = with_steps(recipe, data)
        _check(recipe, data, processes)
        digest = recipe_digest(recipe_content(recipe))
        progress = (read_progress(output, digest) if resume else None) or Progress()
        with processes.first_goes_ahead():
            anew = not progress.step and processes.is_first
            start = starting_point(recipe, data, output, anew=anew)
        examples = data.examples(start.front_end)
        learner = new_learner(recipe, start, len(examples.labels), processes)
        run = Run(recipe, output, digest, learner, examples, workers, on_step, notice, stop)
        run.prepare(progress, is_new=start.is_new)
        run.go()
        if processes.is_first:
            run.save_result(start, data)
    return output


@dataclass
class Run:
    """A run from its checkpoint to its end."""

    recipe: Recipe
    output: Path
    digest: str
    learner: Learner
    examples: Examples
    workers: int
    on_step: OnStep
    notice: Callable[[str], object]
    stop: threading.Event
    progress: Progress = field(default_factory=Progress)

    @property
    def processes(self) -> Processes:
        """This one among those of the run."""
        return self.learner.processes

    def prepare(self, progress: Progress, *, is_new: bool) -> None:
        """Be where the checkpoint was, or at the start."""
        self.progress = progress
        if progress.step:
            load_checkpoint(self.output / CHECKPOINT_FILE, self.learner)
        elif is_new:
            centre_input(self.learner, self.recipe, self.examples)
        self._share_weights()
        if self.processes.is_first:
            if progress.step:
                finish_best(self.output, progress)
            else:
                (self.output / BEST_FILE).unlink(missing_ok=True)
            content = yaml.safe_dump(recipe_content(self.recipe), sort_keys=False)
            (self.output / "recipe.yaml").write_text(content, encoding="utf-8")

    def go(self) -> None:
        """Do the stages that are left. Raises KeyboardInterrupt when asked to stop, all saved."""
        log = None
        if self.processes.is_first:
            log = Log(self.recipe, self.output, self.progress.step, self.processes.device)
        while self.progress.step < self.recipe.num_steps:
            self._stage(log)

    def _stage(self, log: Log | None) -> None:
        stage, within = stage_at(self.recipe, self.progress.step)
        first = self.progress.step
        start = first - within
        if within == 0:
            self.progress = replace(self.progress, best=None, best_step=0, waited=0)
            if stage.whiten:
                whiten_heads(self.learner, self.recipe, self.examples, first)
                self._share_weights()
        for step, batches in self._batches(stage, first, start + stage.steps):
            rate = learning_rate(stage, step - start)
            losses, pairing = self._training_step(
                stage, step, (step - start) / stage.steps, rate, batches
            )
            if step == first:
                self._tell(f"{stage.name}: {describe_batch(stage, pairing, self.processes.count)}")
            if log:
                log.add(losses, len(pairing.sounds if batches[0].sounds else pairing.texts))
            if self._after(stage, step + 1, start + stage.steps, rate, log):
                return

    def _training_step(
        self, stage: Stage, step: int, along: float, rate: float, batches: Sequence[Batch]
    ) -> tuple[dict[str, Tensor], Pairing]:
        """One update of the weights; returns the parts of the loss, and who was whose negative."""
        learner, optimizer = self.learner, self.learner.optimizer
        for group in optimizer.param_groups:
            group["lr"] = rate
        learner.modules.train()
        optimizer.zero_grad(set_to_none=True)
        told: dict[str, Tensor] = {}

        def loss(texts: Tensor, sounds: Tensor | None, pairing: Pairing) -> Tensor:
            known = pairing.with_negatives(stage.negatives_within, masks=stage.masks)
            losses = learner.objective(learner.model, texts, sounds, known)
            told.update({name: part.detach() for name, part in losses.items()})
            return weighted(losses, stage, along)

        first_part = self.processes.rank * len(batches)
        pairing = back_propagate(
            batches,
            [content_key(self.recipe.seed, step, first_part + i) for i in range(len(batches))],
            learner.pool,
            loss,
            loss_seed=content_key(self.recipe.seed, step),
            processes=self.processes,
        )
        learner.add_up_gradients()
        norm = nn.utils.clip_grad_norm_(learner.modules.parameters(), self.recipe.clip_norm)
        if not torch.isfinite(norm):
            # One such step would poison all weights, and then the checkpoint.
            raise OeaError(
                f"step {step + 1}: the gradient is not finite; the last checkpoint is from before. "
                f"A lower stages.{stage.name}.learning_rate may help"
            )
        optimizer.step()
        # Young averages forget faster, so that they do not cling to the random start.
        learner.follow(min(self.recipe.average, (step + 1) / (step + 10)))
        return told, pairing

    def _after(self, stage: Stage, done: int, end: int, rate: float, log: Log | None) -> bool:
        """Validate, save and report where that is due; True where the stage is over."""
        since = time.monotonic()
        validation = self._validate(stage, done, end)
        seconds = time.monotonic() - since
        progress = self.progress.after_step(done, validation.get("r@10"))
        is_over = done == end or 0 < stage.patience <= progress.waited
        if is_over and stage.patience and progress.best is not None and progress.best_step < done:
            load_checkpoint(self.output / BEST_FILE, self.learner)
            progress = replace(progress, updates=progress.updates - (done - progress.best_step))
        self.progress = replace(progress, step=end) if is_over else progress
        stopping = self.processes.any(self.stop.is_set())
        if log:
            if is_over or stopping or validation or done % self.recipe.checkpoint_every == 0:
                save_checkpoint(self.output, self.progress, self.digest, self.learner)
            if log.is_due(done, validation):
                self.on_step(log.report(done, stage, rate, validation, seconds))
        if stopping and self.progress.step < self.recipe.num_steps:
            raise KeyboardInterrupt
        return is_over

    def _validate(self, stage: Stage, done: int, end: int) -> dict[str, float]:
        """R@1 and R@10 where they are due; the first process measures, and tells the others."""
        every = self.recipe.validate_every
        if not every or stage.modality != "pairs" or (done % every and done != end):
            return {}
        measured = torch.zeros(2, device=self.processes.device)
        if self.processes.is_first and (validation := self.validation) is not None:
            found = validate(self.learner, validation)
            measured = torch.tensor([found["r@1"], found["r@10"]], device=measured.device)
        self.processes.share([measured])
        return {"r@1": measured[0].item(), "r@10": measured[1].item()}

    @cached_property
    def validation(self) -> Validation | None:
        """What is measured on."""
        return self.examples.validation()

    def save_result(self, start: StartingPoint, data: Data) -> None:
        """Write the encoder, and what it came from."""
        told: dict[str, Any] = {"recipe": self.recipe.name, "data": data.description}
        told |= {"steps": self.progress.updates, "seed": self.recipe.seed}
        if self.progress.best is not None:
            told |= {"best r@10": self.progress.best, "best step": self.progress.best_step}
        if self.examples.labels:
            told["classes"] = list(self.examples.labels)
        save_result(self.output, self.learner, start, told, self.recipe.storage)

    def _share_weights(self) -> None:
        self.processes.share(self.learner.state().values())

    def _tell(self, text: str) -> None:
        if self.processes.is_first:
            self.notice(text)

    def _batches(self, stage: Stage, first: int, end: int) -> Iterator[tuple[int, list[Batch]]]:
        """This process's micro-batches of each step, made ahead by background processes."""
        parts = num_parts(stage, self.processes.count)
        share = parts // self.processes.count
        loader: DataLoader[Batch] = DataLoader(
            MicroBatches(self.examples, self.processes.rank * share, share, parts),
            sampler=range(first * share, end * share),
            batch_size=None,
            num_workers=self.workers,
            prefetch_factor=6 if self.workers else None,
            worker_init_fn=_ignore_interrupts,
            # Its own: a loader draws a number when it starts, which would shift a continued run's.
            generator=torch.Generator(),
        )
        made = iter(loader)
        for step in range(first, end):
            yield step, [next(made) for _ in range(share)]


class MicroBatches(Dataset[Batch]):
    """One process's share of all steps, in order."""

    def __init__(self, examples: Examples, first: int, share: int, parts: int) -> None:
        self.examples, self.first, self.share, self.parts = examples, first, share, parts

    def __getitem__(self, index: int) -> Batch:
        step, part = divmod(index, self.share)
        return self.examples.batch(step, self.first + part, self.parts)


def _check(recipe: Recipe, data: Data, processes: Processes) -> None:
    """Raise UsageError for what the recipe wants and these data or processes cannot give."""
    for stage in recipe.stages:
        num_parts(stage, processes.count)
        if stage.patience and not data.has_validation:
            raise UsageError(
                f"stages.{stage.name}.patience: {data.description} are not validated on"
            )


def _ignore(text: str) -> None:
    pass


def _ignore_interrupts(worker: int) -> None:
    # Ctrl-C, and a time limit's SIGTERM, reach the whole process group; the loop decides when its
    # workers end. They end by themselves when it is gone.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


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
