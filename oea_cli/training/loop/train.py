"""Training: a recipe and examples in, an encoder folder out."""

from collections.abc import Callable
from pathlib import Path

from oea_cli.errors import UsageError
from oea_cli.records.recipe_files.validation import plain_content
from oea_cli.training.data.clip_data import open_data
from oea_cli.training.data.examples import Data
from oea_cli.training.data.schedule import num_parts, with_steps
from oea_cli.training.loop.checkpoint import Progress, read_progress, recipe_digest
from oea_cli.training.loop.interruption import stop_request
from oea_cli.training.loop.learner import new_learner
from oea_cli.training.loop.run import Run
from oea_cli.training.loop.starting_point import starting_point
from oea_cli.training.processes import Processes, processes_of_run
from oea_cli.training.recipe.recipe import Recipe
from oea_cli.training.results.log import OnStep, check_tensorboard


def train(
    recipe: Recipe,
    output: Path,
    *,
    data: Data | None = None,
    device: str = "auto",
    workers: int = 1,
    resume: bool = True,
    on_step: OnStep = lambda report: None,
    notice: Callable[[str], object] = lambda text: None,
) -> Path:
    """Train by a recipe and write the encoder into `output`; returns that folder.

    The examples come from `data`; without it, from the clips that the recipe's stages name. A
    checkpoint in `output` is continued (its recipe must be the same one) unless resume is False.
    `workers` background processes make the batches. Ctrl-C and SIGTERM finish the step, save, and
    raise KeyboardInterrupt. Of the processes that torchrun starts, the first one alone writes,
    validates, and calls `on_step` and `notice`. Raises OeaError.
    """
    check_tensorboard(recipe)
    output.mkdir(parents=True, exist_ok=True)
    with processes_of_run(device) as processes, stop_request() as stop:
        with processes.first_goes_ahead():
            found = data or open_data(recipe, output, notice if processes.is_first else _ignore)
        recipe = with_steps(recipe, found)
        _check(recipe, found, processes)
        digest = recipe_digest(plain_content(recipe))
        progress = (read_progress(output, digest) if resume else None) or Progress()
        with processes.first_goes_ahead():
            anew = not progress.step and processes.is_first
            start = starting_point(recipe, found, output, anew=anew)
        with processes.first_goes_ahead():  # data may make something once
            examples = found.examples(start.front_end)
        learner = new_learner(recipe, start, len(examples.labels), processes)
        run = Run(recipe, output, digest, learner, examples, workers, on_step, notice, stop)
        run.prepare(progress, is_new=start.is_new)
        run.go()
        if processes.is_first:
            run.save_result(start, found)
    return output


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
