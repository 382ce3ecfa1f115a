"""Write the JSON Schemas beside the recipes anew: `python tests/recipe_schemas.py`."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent


def main() -> None:
    """One for each kind of recipe."""
    from oea_cli.evaluation.paper.recipe import PaperRecipe
    from oea_cli.records.recipe_files.reference import json_schema
    from oea_cli.training.recipe.recipe import Recipe
    from recipes.mini.recipe import MiniRecipe

    kinds = {"recipe": Recipe, "paper-eval": PaperRecipe, "mini/mini": MiniRecipe}
    for name, kind in kinds.items():
        path = REPOSITORY / "recipes" / f"{name}.schema.json"
        path.write_text(json_schema(kind), encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    main()
