"""What a run says about itself: reports for a person, and train_log.jsonl."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from oea_cli.recipe import Recipe, Stage
from oea_cli.training_data import Batches
from oea_cli.training_learner import Learner, validate

LOG_FILE = "train_log.jsonl"


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


class Log:
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


def append_report(path: Path, report: StepReport) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(report)) + "\n")


def keep_log_until(path: Path, step: int) -> None:
    """Drop the lines of steps that will be done again."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
    path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
