"""`oea train`: a recipe in, an encoder folder out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oea_cli.errors import UsageError
from oea_cli.options import DeviceOption, QuietOption, VerboseOption
from oea_cli.terminal import is_interactive, say

if TYPE_CHECKING:
    from oea_cli.training.log import StepReport


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe: a YAML file.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            envvar="OEA_OUTPUT",
            metavar="DIR",
            help="Folder for the encoder, its checkpoint and its log.",
        ),
    ],
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
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Train an encoder by a recipe.

    The same command goes on after an interruption, from the last checkpoint. The result is an
    encoder folder: `oea embed -m DIR` works at once. Progress goes to stderr and to
    DIR/train_log.jsonl; stdout gets the folder's name.

    \b
    Examples:
      oea train recipes/smoke.yaml -o runs/smoke
      oea train recipes/mini.yaml -o runs/mini --set sounds.esc10=~/ESC-10
    """
    from oea_cli.recipe import load_recipe

    loaded = load_recipe(recipe, overrides or [])
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is a file; -o needs a folder")
    from oea_cli.training import train as run

    if not quiet:
        pairs = " + ".join(f"{stage.name} {stage.steps}" for stage in loaded.stages)
        say(f"oea train: {loaded.name}, {pairs} steps, into {output}")
    run(
        loaded,
        output,
        device=device,
        workers=workers,
        resume=resume,
        on_step=_ignore if quiet else _Shown().show,
        notice=_ignore if quiet else say,
    )
    typer.echo(str(output))


def _ignore(report: object) -> None:
    pass


class _Shown:
    """One line per report; on a terminal the line moves, except where something was measured."""

    def __init__(self) -> None:
        self.moving = is_interactive()

    def show(self, report: "StepReport") -> None:
        """Write the line."""
        line = report_line(report)
        if not self.moving:
            say(line)
            return
        lasting = bool(report.validation) or report.step == report.total
        typer.echo("\r\x1b[K" + line, err=True, nl=lasting)


def report_line(report: "StepReport") -> str:
    """A report in one line: where it is, losses, learning rate, speed, time left."""
    losses = "  ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
    measured = "".join(f"  {name} {value:.3f}" for name, value in report.validation.items())
    left = int(report.seconds_left)
    return (
        f"{report.stage} {report.step}/{report.total}  {losses}{measured}  "
        f"rate {report.learning_rate:.1e}  {report.clips_per_second:.0f} clips/s  "
        f"{left // 60}:{left % 60:02} left"
    )
