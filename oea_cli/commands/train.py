"""`oea train`: a recipe in, an encoder folder out."""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from oea_cli.commands.console.terminal import is_interactive, say
from oea_cli.commands.options.shared import DeviceOption, QuietOption, VerboseOption
from oea_cli.errors import UsageError

if TYPE_CHECKING:
    from oea_cli.training.results.log import StepReport


def train(
    recipe: Annotated[
        Path | None, typer.Argument(metavar="RECIPE", help="A recipe: a YAML file.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            envvar="OEA_OUTPUT",
            metavar="DIR",
            help="Folder for the encoder, its checkpoints and its log.",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Replaces a recipe's value; repeatable."),
    ] = None,
    device: DeviceOption = "auto",
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            "-j",
            envvar="OEA_WORKERS",
            min=0,
            metavar="N",
            help="Background processes that make examples; 0 makes them in between.",
        ),
    ] = 1,
    resume: Annotated[
        bool, typer.Option(help="Go on from the checkpoint in the output folder, if there is one.")
    ] = True,
    merge: Annotated[
        bool,
        typer.Option("--merge", help="Also write DIR/merged: the backbone with its LoRA in it."),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="DIR", help="Draw the curves of a run, and train nothing."),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="List the keys of a recipe, and train nothing."),
    ] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Train an encoder by a recipe.

    The same command goes on after an interruption, from the last checkpoint, and so does one with
    fewer or more processes. The result is an encoder folder: `oea embed -m DIR` works at once.
    Progress goes to stderr and to DIR/train_log.jsonl; stdout gets the folder's name.

    \b
    Examples:
      oea train recipes/smoke.yaml -o runs/smoke --set folders.clips=sounds
      oea train recipes/oea-qwen3b.yaml -o adapters/mine --set folders.clotho=~/Clotho
      oea train --explain
      oea train --plot runs/smoke
      torchrun --nproc-per-node 4 -m oea_cli train recipes/smoke.yaml -o runs/smoke
    """
    if explain:
        _explain()
        return
    if plot is not None:
        _plot(plot, recipe)
        return
    if recipe is None or output is None:
        missing = "RECIPE" if recipe is None else "-o DIR"
        raise UsageError(f"oea train needs RECIPE and -o DIR; {missing} is missing")
    from oea_cli.training.recipe.loading import load_recipe

    loaded = load_recipe(recipe, overrides or [])
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is a file; -o needs a folder")
    from oea_cli.training.loop.train import train as run

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


def _explain() -> None:
    from oea_cli.records.recipe_files.reference import reference
    from oea_cli.training.recipe.recipe import Recipe

    typer.echo(reference(Recipe, markdown=False), nl=False)


def _plot(folder: Path, recipe: Path | None) -> None:
    if recipe is not None:
        raise UsageError("--plot draws a run's folder and takes no recipe")
    from oea_cli.training.results.curves import write_curves

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
        self.tell(str(report))

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
            self.tell(str(report))
            self.best = f"R@10 {report.validation['r@10']:.3f}  "
        figures = f"{report.losses_text}  {self.best}{report.speed_text}"
        self.bar.update(
            self.task,
            description=report.stage,
            completed=report.step,
            total=report.total,
            figures=figures,
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
