"""Every key of a recipe as docs/recipes.md: `python -m tests.docs.recipe_keys` writes it."""

from oea_cli.records.recipe_files.reference import reference
from oea_cli.training.recipe.recipe import Recipe
from tests.docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "recipes.md"
INTRODUCTION = """# Every key of a recipe

What a recipe for [`oea train`](train.md) may say. `oea train --explain` prints the same; editors
complete the keys by `recipes/recipe.schema.json`. This page is written by `make docs`.

"""


def recipe_keys() -> str:
    """The whole page."""
    return INTRODUCTION + reference(Recipe)


if __name__ == "__main__":
    PAGE.write_text(recipe_keys(), encoding="utf-8")
