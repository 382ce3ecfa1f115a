"""The word lists of the grammar: TOML files in `english/`, each read once, when it is first needed.

A text is a set of words, a list keeps its order, and a table maps each of its words to
another. TOML, because Python reads it in a few milliseconds where importing a YAML reader takes 40.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("english")


@cache
def read_word_lists(name: str) -> dict[str, Any]:
    """The lists of `english/NAME.toml` by name: sets, tuples and mappings of words."""
    return {key: _word_list(value) for key, value in read_toml(FOLDER / f"{name}.toml").items()}


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file that comes with the program."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _word_list(value: str | list[str] | dict[str, str]) -> Any:
    if isinstance(value, str):
        return frozenset(value.split())
    return tuple(value) if isinstance(value, list) else value
