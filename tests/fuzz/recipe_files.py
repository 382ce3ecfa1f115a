"""Targets: recipes for training and for the paper's evaluation, with what they extend."""

from pathlib import Path
from random import Random

import orjson
import yaml

from oea_cli.errors import OeaError
from oea_cli.evaluation.paper.recipe import load_paper_recipe
from oea_cli.training.recipe.loading import load_recipe
from tests.conftest import REPOSITORY
from tests.fuzz.mutations import any_of, damaged_bytes, damaged_lines, lying_json
from tests.fuzz.target import Target

RECIPES = REPOSITORY / "recipes"
TRAINING = ("smoke.yaml", "oea-qwen3b.yaml")


def lying_yaml(random: Random, whole: bytes) -> bytes:
    """YAML that is still YAML: a value, a key or an item is another one, missing or doubled."""
    tree = orjson.dumps(yaml.safe_load(whole), default=str)
    return lying_json(random, tree)


def odd_yaml(random: Random, whole: bytes) -> bytes:
    """A value replaced by what only YAML has: anchors, tags, dates, merges, odd numbers."""
    lines = whole.decode().splitlines()
    places = [number for number, line in enumerate(lines) if ": " in line and "#" not in line]
    place = random.choice(places)
    key = lines[place].partition(": ")[0]
    lines[place] = f"{key}: {random.choice(ODD_VALUES)}"
    return "\n".join([*random.choice(ODD_STARTS), *lines]).encode()


ODD_VALUES = (
    "*all", "*loop", "2026-13-45", "1:60:60", "0b", "!!python/object:os.system x", "!!binary '@'",
    "{<<: *all}", "~nobody-at-home/x", '"\\0"', "/dev/zero", ".inf", ".nan", "-0", "9" * 5000,
    "[[[[[[[[[[]]]]]]]]]]", "? x", "&x", "|", ">", "null", "[*all, *all]", "x" * 5000, "{1: 2}",
    "{? [1, 2]: 3}", "!!set {a, b}", "!!omap [a: 1]", "!!timestamp x", "!!int x", "!!float x",
)  # fmt: skip
ODD_STARTS = (
    ["all: &all {a: 1}"],
    ["all: &all [x, x]", "loop: &loop [*loop]"],
    ["all: &all {a: &b [x, x, x]}", "---"],
    ["%YAML 9.9", "---"],
    [],
)


def _make_training(folder: Path) -> list[str]:
    for path in RECIPES.glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    return list(TRAINING)


def _make_paper(folder: Path) -> list[str]:
    content = (RECIPES / "paper-eval.yaml").read_bytes()
    (folder / "paper-eval.yaml").write_bytes(content)
    return ["paper-eval.yaml"]


def _read_training(folder: Path) -> None:
    errors = []
    for name in TRAINING:
        try:
            load_recipe(folder / name)
        except OeaError as error:
            errors.append(error)
    if errors:
        raise errors[0]


DAMAGE = any_of(lying_yaml, odd_yaml, damaged_lines, damaged_bytes)
TARGETS = [
    Target("recipe", _make_training, _read_training, DAMAGE, 0.5),
    Target("recipe-paper", _make_paper, lambda f: load_paper_recipe(f / "paper-eval.yaml"), DAMAGE),
]
