"""The word lists of the grammar: YAML files in `english/`, each read once, when it is first needed.

A list written as text is a set of words, one written as lines keeps their order, and a mapping says
what each of its words stands for.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("english")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it is there: 2 ms, not 50


@cache
def read_word_lists(name: str) -> dict[str, Any]:
    """The lists of `english/NAME.yaml` by name: sets, tuples and mappings of words."""
    content = read_yaml(FOLDER / f"{name}.yaml")
    return {key: _word_list(value) for key, value in content.items()}


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that comes with the program."""
    content: dict[str, Any] = yaml.load(path.read_bytes(), Loader=LOADER)
    return content


def _word_list(value: str | list[str] | dict[str, str]) -> Any:
    if isinstance(value, str):
        return frozenset(value.split())
    return tuple(value) if isinstance(value, list) else value
