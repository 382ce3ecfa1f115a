"""What a run reports: to a person, to train_log.jsonl, to TensorBoard."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from oea_cli.encoder.memory import peak_memory
from oea_cli.errors import UsageError
from oea_cli.training.recipe.recipe import Recipe, Stage

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
    memory: int = 0  # bytes at the peak: of the GPU, or of this process
    validation: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """All of it in one line."""
        measured = "".join(f"  {name} {value:.3f}" for name, value in self.validation.items())
        return (
            f"{self.stage} {self.step}/{self.total}  {self.losses_text}{measured}  "
            f"rate {self.learning_rate:.1e}  {self.speed_text}"
        )

    @property
    def losses_text(self) -> str:
        """`contrast 2.481  margin 0.317`."""
        return "  ".join(f"{name} {value:.3f}" for name, value in self.losses.items())

    @property
    def speed_text(self) -> str:
        """`39 clips/s  0:41:07 left  1.3 GB`."""
        minutes, seconds = divmod(int(self.seconds_left), 60)
        left = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        speed = self.clips_per_second
        clips = f"{speed:.0f}" if speed >= 10 else f"{speed:.2g}"
        return f"{clips} clips/s  {left} left  {self.memory / 1e9:.1f} GB"


OnStep = Callable[[StepReport], None]


class Log:
    """Gathers losses and speed between two reports, and keeps them in a run's folder."""

    def __init__(self, recipe: Recipe, folder: Path, first: int, device: torch.device) -> None:
        self.recipe, self.path, self.device = recipe, folder / LOG_FILE, device
        self._board = _board(folder, first) if recipe.tensorboard else None
        keep_log_until(self.path, first)
        self._restart()

    def _restart(self) -> None:
        self.losses: list[dict[str, Tensor]] = []
        self.clips, self.since = 0, time.monotonic()

    def add(self, losses: dict[str, Tensor], clips: int) -> None:
        """Count a step: its losses, and the clips of all processes together."""
        self.losses.append(losses)
        self.clips += clips

    def is_due(self, step: int, validation: dict[str, float]) -> bool:
        """True where a report belongs after this many steps."""
        return not step % self.recipe.log_every or step == self.recipe.num_steps or bool(validation)

    def report(
        self, step: int, stage: Stage, rate: float, validation: dict[str, float], seconds: float
    ) -> StepReport:
        """Write what happened since the last report, of which validation took some seconds."""
        means = {
            name: float(torch.stack([x[name] for x in self.losses if name in x]).mean())
            for name in self.losses[-1]
        }
        passed = max(1e-9, time.monotonic() - self.since - seconds)
        left = (self.recipe.num_steps - step) * passed / len(self.losses)
        report = StepReport(
            step,
            self.recipe.num_steps,
            stage.name,
            means,
            rate,
            self.clips / passed,
            left,
            peak_memory(str(self.device)),
            validation,
        )
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(report)) + "\n")
        if self._board is not None:
            _write_to(self._board, report)
        self._restart()
        return report


def keep_log_until(path: Path, step: int) -> None:
    """Drop the lines of steps that will be done again."""
    kept = [json.dumps(row) + "\n" for row in read_log(path) if row["step"] <= step]
    path.write_text("".join(kept), encoding="utf-8")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The reports in a train_log.jsonl; a line that a kill has cut is left out."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def check_tensorboard(recipe: Recipe) -> None:
    """Raise UsageError where a recipe asks for TensorBoard and it is not installed."""
    if recipe.tensorboard:
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError as error:
            raise UsageError(
                "tensorboard: true, but it is not installed; pip install tensorboard"
            ) from error


def _board(folder: Path, first: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"), purge_step=first)


def _write_to(board: Any, report: StepReport) -> None:
    values = {f"loss/{name}": value for name, value in report.losses.items()}
    values |= {f"validation/{name}": value for name, value in report.validation.items()}
    values |= {"learning_rate": report.learning_rate, "clips/s": report.clips_per_second}
    for name, value in values.items():
        board.add_scalar(name, value, report.step)
    board.flush()
