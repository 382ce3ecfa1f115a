"""A training recipe from its file, checked in full before anything is loaded.

A value comes from the first of these that has one: `--set key=value`; OEA_CLOTHO_FOLDER and its
like, for folders of datasets; the recipe file; the one that it `extends`; the default. Paths are
relative to the file that names them. (OEA_CLOTHO and its like name the test captions for
`recipes/paper-eval.yaml`, which nothing is trained on.)
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar, overload

from oea_cli.records.addresses import is_remote
from oea_cli.records.recipe_files.fields import PathMark, expanded, full_path, with_paths
from oea_cli.records.recipe_files.reading import Tree, apply_overrides, read_extended
from oea_cli.records.recipe_files.validation import validated
from oea_cli.training.recipe.clips import Folders
from oea_cli.training.recipe.contradictions import PLACEHOLDER, paths_to_clips
from oea_cli.training.recipe.recipe import Recipe

R = TypeVar("R", bound=Recipe)
ENVIRONMENT = {name: f"OEA_{name.upper()}_FOLDER" for name in Folders.model_fields}


@overload
def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe: ...


@overload
def load_recipe(path: Path, overrides: Sequence[str] = (), *, kind: type[R]) -> R: ...


def load_recipe(
    path: Path, overrides: Sequence[str] = (), *, kind: type[Recipe] = Recipe
) -> Recipe:
    """Read a recipe; raises UsageError that names every mistake in it at once.

    overrides are `key=value`, with dots for what lies inside: `folders.clotho=~/Clotho`,
    `stages.clotho.steps=500` (a stage by its name or its number). A project that trains on data of
    its own gives the kind of its recipes, which has more keys.
    """
    tree = read_extended(path, lambda tree, folder: _placed(kind, tree, folder))
    tree = _with_folders_of_environment(tree)
    mistakes = apply_overrides(tree, overrides)
    tree = _filled(kind, _placed(kind, tree, Path.cwd()))
    return validated(kind, tree, path, mistakes, overrides)


def unset_folders(recipe: Recipe) -> list[str]:
    """A line for each of the folders that paths begin with and nobody has named."""
    matches = (PLACEHOLDER.match(name) for _, name in paths_to_clips(recipe))
    names = {match[1] for match in matches if match}
    return [
        f"folders.{name}: not set; --set folders.{name}=DIR or {ENVIRONMENT[name]} says where it is"
        for name in ENVIRONMENT
        if name in names
    ]


def _placed(kind: type[Recipe], tree: Tree, folder: Path) -> Tree:
    """The tree with its paths as meant from a folder."""

    def absolute(name: str, mark: PathMark) -> str:
        if is_remote(name) or name.startswith("{"):
            return name
        place = full_path(name, folder)
        return name if mark.may_be_a_name and not place.is_dir() else str(place)

    placed: Tree = with_paths(kind, tree, absolute)
    return placed


def _with_folders_of_environment(tree: Tree) -> Tree:
    found = {
        name: str(Path(os.environ[key]).absolute())
        for name, key in ENVIRONMENT.items()
        if os.environ.get(key)
    }
    folders = tree.get("folders", {})
    return tree | {"folders": folders | found} if found and isinstance(folders, dict) else tree


def _filled(kind: type[Recipe], tree: Tree) -> Tree:
    """The tree with `{clotho}` replaced by that folder, where it is known."""
    given = tree.get("folders")
    folders = given if isinstance(given, dict) else {}

    def filled(name: str, mark: PathMark) -> str:
        match = PLACEHOLDER.match(name)
        folder = folders.get(match[1]) if match else None
        if not match or not isinstance(folder, str):
            return name
        return str(expanded(folder) / name[match.end() :])

    made: Tree = with_paths(kind, tree, filled)
    return made
