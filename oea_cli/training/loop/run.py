"""The training loop, from a checkpoint to the end.

Every step's examples, and all that is drawn at random in it, follow from the recipe's seed and the
step's number alone, so a run that was stopped and continued ends where an uninterrupted one ends.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from oea_cli.errors import OeaError
from oea_cli.records.recipe_files.validation import plain_content
from oea_cli.training.data.batch import Pairing, TrainingBatch, content_key
from oea_cli.training.data.examples import Data, Examples, Validation
from oea_cli.training.data.schedule import describe_batch, learning_rate
from oea_cli.training.loop.checkpoint import (
    BEST_FILE,
    CHECKPOINT_FILE,
    Progress,
    finish_best,
    load_checkpoint,
    save_checkpoint,
)
from oea_cli.training.loop.interruption import StopRequest
from oea_cli.training.loop.learner import Learner
from oea_cli.training.loop.micro_batches import batches_of_steps
from oea_cli.training.loop.result import save_result
from oea_cli.training.loop.starting_point import StartingPoint
from oea_cli.training.loop.validation import validate
from oea_cli.training.loop.warm_start import centre_input, whiten_heads
from oea_cli.training.objective.grad_cache import back_propagate
from oea_cli.training.objective.objective import weighted
from oea_cli.training.processes import Processes
from oea_cli.training.recipe.recipe import Recipe, Stage, stage_at
from oea_cli.training.results.log import Log, OnStep


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
    stop: StopRequest
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
            content = yaml.safe_dump(plain_content(self.recipe), sort_keys=False)
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
        steps = range(first, start + stage.steps)
        for step, batches in batches_of_steps(
            self.examples, stage, steps, self.processes, self.workers
        ):
            rate = learning_rate(stage, step - start)
            losses, pairing = self._training_step(
                stage, step, (step - start) / stage.steps, rate, batches
            )
            if step == first:
                batch = describe_batch(stage, pairing, self.processes.count)
                self._notify(f"{stage.name}: {batch}")
            if log:
                log.add(losses, len(pairing.sounds if batches[0].sounds else pairing.texts))
            if self._after(stage, step + 1, start + stage.steps, rate, log):
                return

    def _training_step(
        self, stage: Stage, step: int, along: float, rate: float, batches: Sequence[TrainingBatch]
    ) -> tuple[dict[str, Tensor], Pairing]:
        """One update of the weights; returns the parts of the loss, and who was whose negative."""
        learner, optimizer = self.learner, self.learner.optimizer
        for group in optimizer.param_groups:
            group["lr"] = rate
        learner.modules.train()
        optimizer.zero_grad(set_to_none=True)
        parts: dict[str, Tensor] = {}

        def loss(texts: Tensor, sounds: Tensor | None, pairing: Pairing) -> Tensor:
            known = pairing.with_negatives(stage.negatives_within, masks=stage.masks)
            losses = learner.objective(learner.model, texts, sounds, known)
            parts.update({name: part.detach() for name, part in losses.items()})
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
        return parts, pairing

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
            raise self.stop.interrupt
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
        training: dict[str, Any] = {"recipe": self.recipe.name, "data": data.description}
        training |= {"steps": self.progress.updates, "seed": self.recipe.seed}
        if self.progress.best is not None:
            training |= {"best r@10": self.progress.best, "best step": self.progress.best_step}
        if self.examples.labels:
            training["classes"] = list(self.examples.labels)
        save_result(self.output, self.learner, start, training, self.recipe.storage)

    def _share_weights(self) -> None:
        self.processes.share(self.learner.state().values())

    def _notify(self, text: str) -> None:
        if self.processes.is_first:
            self.notice(text)
