"""`oea train`: a recipe in, an encoder folder out."""

import os
from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.console.boundary import going_on
from oea_cli.commands.console.streams import tell_path
from oea_cli.commands.console.terminal import say
from oea_cli.commands.console.training_display import training_display
from oea_cli.commands.options.panels import INPUT, OUTPUT, RARE, Panel
from oea_cli.commands.options.shared import (
    DeviceOption,
    OverridesOption,
    QuietOption,
    VerboseOption,
)
from oea_cli.errors import UsageError

INSTEAD = Panel("Instead of training")


def train(
    recipe: Annotated[
        Path | None, INPUT.argument(metavar="RECIPE", help="A recipe: a YAML file.")
    ] = None,
    output: Annotated[
        Path | None,
        OUTPUT.option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder for the encoder, its checkpoints and its log.",
        ),
    ] = None,
    overrides: OverridesOption = None,
    device: DeviceOption = "auto",
    workers: Annotated[
        int,
        RARE.option(
            "--workers",
            "-j",
            min=0,
            metavar="N",
            help="Background processes that prepare examples; 0 prepares them between steps.",
        ),
    ] = 1,
    resume: Annotated[
        bool, OUTPUT.option(help="Go on from the checkpoint in the output folder, if there is one.")
    ] = True,
    merge: Annotated[
        bool,
        OUTPUT.option(
            "--merge", help="Also write DIR/merged: the backbone with its LoRA merged in."
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        INSTEAD.option("--plot", metavar="DIR", help="Draw the curves of an earlier run."),
    ] = None,
    explain: Annotated[
        bool, INSTEAD.option("--explain", help="List the keys of a recipe.")
    ] = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Train an encoder from a recipe.

    After an interruption the same command goes on from the last checkpoint, also with more or fewer
    processes. The result is an encoder folder, ready for `oea embed -m DIR`. Progress goes to
    stderr and to DIR/train_log.jsonl, the name of the folder to stdout.

    \b
    Examples:
      oea train recipes/smoke.yaml -o smoke --set folders.clips=sounds
      oea train recipes/oea-qwen3b.yaml -o mine --set folders.clotho=~/Clotho
      torchrun --nproc-per-node 4 -m oea_cli train recipes/smoke.yaml -o smoke
    """
    if explain:
        _explain()
        return
    if plot is not None:
        _plot(plot, recipe)
        return
    if recipe is None or output is None:
        missing = "RECIPE" if recipe is None else "-o DIR"
        raise UsageError(f"{missing} is missing; training needs RECIPE and -o DIR")
    from oea_cli.training.recipe.loading import load_recipe

    loaded = load_recipe(recipe, overrides or [])
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is a file; -o needs a folder")
    from oea_cli.training.loop.train import train as run

    is_first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun started
    advice = f"the same command goes on from the last checkpoint in {output}"
    with going_on(advice), training_display(quiet or not is_first) as display:
        lengths = (f"{stage.name} {stage.steps or stage.epochs:g}" for stage in loaded.stages)
        display.write(f"oea train: {loaded.name}, {' + '.join(lengths)}, into {output}")
        run(
            loaded,
            output,
            device=device,
            workers=workers,
            resume=resume,
            on_step=display.step,
            notice=display.write,
        )
    if is_first and merge:
        _merge(output, loaded.storage, device, quiet)
    if is_first:
        tell_path(output)


def _explain() -> None:
    from oea_cli.records.recipe_files.reference import reference
    from oea_cli.training.recipe.recipe import Recipe

    typer.echo(reference(Recipe, markdown=False), nl=False)


def _plot(folder: Path, recipe: Path | None) -> None:
    if recipe is not None:
        raise UsageError("--plot draws a run's folder and takes no recipe")
    from oea_cli.training.results.curves import write_curves

    tell_path(write_curves(folder))


def _merge(folder: Path, storage: str, device: str, quiet: bool) -> None:
    from oea_cli.encoder.tools.export import export

    for check in export(str(folder), folder / "merged", storage=storage, device=device):
        if not quiet:
            say(f"oea train: merged, {check.what}: off by {check.value:.2g}")
