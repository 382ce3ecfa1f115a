"""The data that a recipe names."""

from collections.abc import Callable
from pathlib import Path

from oea_cli.errors import UsageError
from oea_cli.training.data.clip_data import ClipData
from oea_cli.training.data.examples import Data
from oea_cli.training.recipe.recipe import Recipe


def open_data(
    recipe: Recipe, folder: Path, notice: Callable[[str], object] = lambda text: None
) -> Data:
    """The clips of a recipe's stages; `folder` is the run's, for what has to be found out once.

    `notice` receives what was found. Raises OeaError that names what is missing.
    """
    if not any(stage.data for stage in recipe.stages):
        raise UsageError(
            f"{recipe.name}: its stages name no data; give each a list of clips, "
            "`data: [{path: clips.jsonl}]`"
        )
    return ClipData(recipe, folder, notice)
