"""Train `mini`, the built-in encoder, by oea's training API.

From the root of the repository, an hour on two cores:

    python -m recipes.mini.train -o runs/mini --esc10 ~/ESC-10 --game-sounds ~/game_sounds

The same command goes on after an interruption. Several processes share the work with

    torchrun --nproc-per-node 4 -m recipes.mini.train -o runs/mini --esc10 ~/ESC-10 ...
"""

import argparse
import os
import sys
from pathlib import Path

from oea_cli.errors import OeaError
from oea_cli.training.loop.train import train
from oea_cli.training.recipe.loading import load_recipe
from recipes.mini.recipe import MiniRecipe
from recipes.mini.scenes.data import Scenes

MINI = Path(__file__).parent / "mini.yaml"


def main() -> None:
    """Train by the options; an error is one line and its exit code."""
    options = parsed()
    try:
        run(options)
    except KeyboardInterrupt:
        sys.exit(130)
    except OeaError as error:
        print(f"recipes.mini.train: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def run(options: argparse.Namespace) -> None:
    """Train, and print the folder of the encoder."""
    recipe = load_recipe(options.recipe, overrides(options), kind=MiniRecipe)
    is_first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun started
    show = shown if is_first else ignored
    data = Scenes(recipe, options.output / "sounds", options.workers)
    folder = train(
        recipe,
        options.output,
        data=data,
        device=options.device,
        workers=options.workers,
        resume=options.resume,
        on_step=lambda report: show(str(report)),
        notice=show,
    )
    if is_first:
        print(folder)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m recipes.mini.train",
        description="Train mini, or another encoder on composed scenes.",
    )
    parser.add_argument("recipe", nargs="?", type=Path, default=MINI, help="default: mini.yaml")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--esc10", metavar="DIR", help="ESC-10, with esc10_meta.csv")
    parser.add_argument("--game-sounds", metavar="DIR", help="recordings, with meta.csv")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--device", default="auto")
    parser.add_argument("-j", "--workers", type=int, default=1, metavar="N")
    parser.add_argument("--resume", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def overrides(options: argparse.Namespace) -> list[str]:
    """The options that stand for keys of the recipe, as such."""
    folders = {"sounds.esc10": options.esc10, "sounds.game_sounds": options.game_sounds}
    return [*options.set, *(f"{key}={folder}" for key, folder in folders.items() if folder)]


def shown(text: str) -> None:
    """A line for people."""
    print(text, file=sys.stderr, flush=True)


def ignored(text: str) -> None:
    """What another process shows."""


if __name__ == "__main__":
    main()
