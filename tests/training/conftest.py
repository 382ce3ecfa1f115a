"""The smoke recipe on clips of a second: every part of training, in seconds."""

from pathlib import Path

import pytest

from oea_cli.training.recipe.loading import load_recipe
from oea_cli.training.recipe.recipe import Recipe
from tests.conftest import REPOSITORY
from tests.evaluation.captioned import write_clips

SMOKE = REPOSITORY / "recipes" / "smoke.yaml"


@pytest.fixture(scope="session")
def smoke_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clips.jsonl of 60 tones, of which the recipe validates on 20."""
    return write_clips(tmp_path_factory.mktemp("smoke"), 60, seconds=(0.4, 0.8)).parent


@pytest.fixture(scope="session")
def smoke(smoke_clips: Path) -> Recipe:
    """recipes/smoke.yaml on those clips."""
    return load_recipe(SMOKE, [f"folders.clips={smoke_clips}"])
