"""The progress of a training run, for a person or a log."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from oea_cli.commands.console.terminal import is_interactive, say

if TYPE_CHECKING:
    from oea_cli.training.results.log import StepReport


def training_display(quiet: bool) -> "TrainingLines":
    """A bar where a person watches, else lines; with `quiet`, nothing."""
    if quiet:
        return TrainingLines(_nothing)
    return TrainingBar() if is_interactive() else TrainingLines(say)


def _nothing(text: str) -> None:
    pass


class TrainingLines:
    """One line per report."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write

    def step(self, report: "StepReport") -> None:
        """Write the line."""
        self.write(str(report))

    def __enter__(self) -> "TrainingLines":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TrainingBar(TrainingLines):
    """A bar that moves; measurements and notices stay above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self.task = self.bar.add_task("", total=None, figures="")
        self.best = ""
        super().__init__(lambda text: self.bar.console.print(text, markup=False))

    def step(self, report: "StepReport") -> None:
        """Move the bar; a report with a measurement also becomes a line."""
        if report.validation:
            self.write(str(report))
            self.best = f"R@10 {report.validation['r@10']:.3f}  "
        figures = f"{report.losses_text}  {self.best}{report.speed_text}"
        self.bar.update(
            self.task,
            description=report.stage,
            completed=report.step,
            total=report.total,
            figures=figures,
        )

    def __enter__(self) -> "TrainingBar":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
