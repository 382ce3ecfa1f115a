"""`oea train`: a recipe in, an encoder folder out."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from oea_cli.commands.console.terminal import is_interactive, say
from oea_cli.commands.options.panels import INPUT, OUTPUT, RARE
from oea_cli.commands.options.shared import (
    DeviceOption,
    OverridesOption,
    QuietOption,
    VerboseOption,
)
from oea_cli.errors import UsageError

if TYPE_CHECKING:
    from oea_cli.training import StepReport


def train(
    recipe: Annotated[
        Path | None,
        typer.Argument(metavar="RECIPE", help="A recipe: a YAML file.", rich_help_panel=INPUT),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            envvar="OEA_OUTPUT",
            metavar="DIR",
            help="Folder for the encoder, its checkpoints and its log.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overrides: OverridesOption = None,
    device: DeviceOption = "auto",
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            "-j",
            envvar="OEA_WORKERS",
            min=0,
            metavar="N",
            help="Background processes that prepare examples; 0 prepares them between steps.",
            rich_help_panel=RARE,
        ),
    ] = 1,
    resume: Annotated[
        bool,
        typer.Option(
            help="Go on from the checkpoint in the output folder, if there is one.",
            rich_help_panel=OUTPUT,
        ),
    ] = True,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge",
            help="Also write DIR/merged: the backbone with its LoRA merged in.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="DIR",
            help="Draw the curves of an earlier run, and train nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Train an encoder from a recipe.

    After an interruption the same command goes on from the last checkpoint, also with more or fewer
    processes. The result is an encoder folder, ready for `oea embed -m DIR`. Progress goes to
    stderr and to DIR/train_log.jsonl, the name of the folder to stdout.

    \b
    Examples:
      oea train recipes/smoke.yaml -o runs/smoke
      oea train recipes/mini.yaml -o runs/mini --set sounds.esc10=~/ESC-10
      oea train --plot runs/mini
      torchrun --nproc-per-node 4 -m oea_cli train recipes/mini.yaml -o runs/mini
    """
    if plot is not None:
        _plot(plot, recipe)
        return
    if recipe is None or output is None:
        missing = "RECIPE" if recipe is None else "-o DIR"
        raise UsageError(f"oea train needs RECIPE and -o DIR; {missing} is missing")
    from oea_cli.recipe import load_recipe

    loaded = load_recipe(recipe, overrides or [])
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is a file; -o needs a folder")
    from oea_cli.training import train as run

    is_first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun started
    with _shown(quiet or not is_first) as shown:
        lengths = (f"{stage.name} {stage.steps or stage.epochs:g}" for stage in loaded.stages)
        shown.tell(f"oea train: {loaded.name}, {' + '.join(lengths)}, into {output}")
        run(
            loaded,
            output,
            device=device,
            workers=workers,
            resume=resume,
            on_step=shown.step,
            notice=shown.tell,
        )
    if is_first and merge:
        _merge(output, loaded.storage, device, quiet)
    if is_first:
        typer.echo(str(output))


def _plot(folder: Path, recipe: Path | None) -> None:
    if recipe is not None:
        raise UsageError("--plot draws a run's folder and takes no recipe")
    from oea_cli.training.curves import write_curves

    typer.echo(str(write_curves(folder)))


def _merge(folder: Path, storage: str, device: str, quiet: bool) -> None:
    from oea_cli.encoder.tools.export import export

    for check in export(str(folder), folder / "merged", storage=storage, device=device):
        if not quiet:
            say(f"oea train: merged, {check.what}: off by {check.value:.2g}")


def _shown(quiet: bool) -> "_Lines":
    return _Lines(_nothing) if quiet else _Bar() if is_interactive() else _Lines(say)


def _nothing(text: str) -> None:
    pass


class _Lines:
    """One line per report."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self.tell = tell

    def step(self, report: "StepReport") -> None:
        """Write the line."""
        self.tell(report_line(report))

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


class _Bar(_Lines):
    """A bar that moves; what was measured, and what is said, stays above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self.task = self.bar.add_task("", total=None, told="")
        self.best = ""
        super().__init__(lambda text: self.bar.console.print(text, markup=False))

    def step(self, report: "StepReport") -> None:
        """Move the bar; a report with a measurement also becomes a line."""
        if report.validation:
            self.tell(report_line(report))
            self.best = f"R@10 {report.validation['r@10']:.3f}  "
        told = f"{losses_of(report)}  {self.best}{speed_of(report)}"
        self.bar.update(
            self.task,
            description=report.stage,
            completed=report.step,
            total=report.total,
            told=told,
        )

    def __enter__(self) -> "_Bar":
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bar.stop()


def report_line(report: "StepReport") -> str:
    """A report in one line: where it is, losses, learning rate, speed, time left, memory."""
    measured = "".join(f"  {name} {value:.3f}" for name, value in report.validation.items())
    return (
        f"{report.stage} {report.step}/{report.total}  {losses_of(report)}{measured}  "
        f"rate {report.learning_rate:.1e}  {speed_of(report)}"
    )


def losses_of(report: "StepReport") -> str:
    """`contrast 2.481  margin 0.317`."""
    return "  ".join(f"{name} {value:.3f}" for name, value in report.losses.items())


def speed_of(report: "StepReport") -> str:
    """Speed, time left, memory."""
    minutes, seconds = divmod(int(report.seconds_left), 60)
    left = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    speed = report.clips_per_second
    clips = f"{speed:.0f}" if speed >= 10 else f"{speed:.2g}"
    return f"{clips} clips/s  {left} left  {report.memory / 1e9:.1f} GB"
