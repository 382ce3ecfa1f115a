"""Training: a recipe and examples in, an encoder folder out.

`recipe` says what a recipe holds, `data` makes batches of clips, `objective` is the loss, `loop`
the loop over steps, `results` what a run reports. A project with examples of its own implements
`Data` and gives it to `train`. The names below are loaded when they are asked for: a mistake in a
recipe is found before torch is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oea_cli.training.data.batch import TrainingBatch
    from oea_cli.training.data.examples import Data, Examples, Validation
    from oea_cli.training.loop.train import train
    from oea_cli.training.recipe.loading import load_recipe
    from oea_cli.training.recipe.recipe import Recipe
    from oea_cli.training.results.log import StepReport

__all__ = [
    "Data",
    "Examples",
    "Recipe",
    "StepReport",
    "TrainingBatch",
    "Validation",
    "load_recipe",
    "train",
]
_MODULES = {
    "Data": "data.examples",
    "Examples": "data.examples",
    "Recipe": "recipe.recipe",
    "StepReport": "results.log",
    "TrainingBatch": "data.batch",
    "Validation": "data.examples",
    "load_recipe": "recipe.loading",
    "train": "loop.train",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
