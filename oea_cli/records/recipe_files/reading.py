"""Reads a recipe's YAML as a tree of plain values: files, what they extend, and `--set`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from oea_cli.errors import OeaError, UsageError, missing
from oea_cli.records.recipe_files.fields import full_path
from oea_cli.records.text import not_utf8, text_in

Tree = dict[str, Any]
LARGEST_FILE = 1_000_000
"""Bytes. A recipe is a page or two, and /dev/zero never ends."""
MOST_VALUES = 100_000
"""An alias stands for all it names: ten lines of aliases of aliases, for more than any memory."""


def read_mapping(path: Path) -> Tree:
    """The YAML mapping in a file; raises UsageError for anything else, OeaError where it cannot be
    read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise UsageError(f"{path}: is larger than {LARGEST_FILE:,} bytes; is it a recipe?")
        content = text_in(content, str(path))
        tree = _parsed(content.decode())
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise OeaError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start)
        problem = not_utf8(content.split(b"\n")[number])
        raise UsageError(f"{path}:{number + 1}: {problem}") from error
    except NOT_YAML as error:
        raise UsageError(f"{path}: not YAML ({_one_line(error)})") from error
    if not isinstance(tree, dict):
        raise UsageError(f"{path}: a recipe must be a mapping of keys to values")
    return tree


NOT_YAML = (
    yaml.YAMLError, RecursionError, ValueError, ArithmeticError, LookupError, TypeError,
    AttributeError,
)  # fmt: skip
"""What reading YAML raises: 2026-13-45 is taken for a date, `!!timestamp x` for one without a look,
a number for one however many digits it has."""


def _parsed(text: str) -> Any:
    """The value in a YAML text; raises one of NOT_YAML, also where aliases multiply without end."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MOST_VALUES:
            raise ValueError(f"its aliases stand for more than {MOST_VALUES:,} values")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """The number of values that a node stands for, each alias counted again.

    A node within itself has no end, and counts as more than is allowed.
    """
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        pairs = (part if isinstance(part, tuple) else (part,) for part in parts)
        known[id(node)] = 1 + sum(_size(one, known) for pair in pairs for one in pair)
    return known[id(node)]


def read_extended(path: Path, place: Callable[[Tree, Path], Tree]) -> Tree:
    """The mapping in a file over those that it `extends`, one by one.

    A key of the nearer file wins; mappings are merged, and so are lists of named parts, where a new
    name goes to the end. `place` makes a file's paths relative to its folder. Raises UsageError.
    """
    files, trees = [path.resolve()], [read_mapping(path)]
    while isinstance(other := trees[-1].pop("extends", None), str):
        files.append(_extended_file(files[-1], other))
        if files[-1] in files[:-1]:
            raise UsageError(f"{path}: extends itself through {files[-1].name}")
        if not files[-1].exists():
            raise UsageError(f"{path}: extends {other}, and there is no {files[-1]}")
        trees.append(read_mapping(files[-1]))
    if other is not None:
        raise UsageError(f"{files[-1]}: extends: must be the name of a recipe; got {other!r:.80}")
    merged: Tree = {}
    for file, tree in zip(reversed(files), reversed(trees), strict=True):
        merged = _merged(merged, place(tree, file.parent))
    return merged


def _extended_file(file: Path, name: str) -> Path:
    """The file that another one extends; raises UsageError for what is no file."""
    found = full_path(name, file.parent)
    if found.exists() and not found.is_file():
        raise UsageError(f"{file}: extends: must be the name of a file; got {name[:80]!r}")
    return found


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _merged(below.get(key), value) for key, value in above.items()}
    if not (above and _are_named(below) and _are_named(above)):
        return above
    named = {item["name"]: item for item in below}
    named |= {item["name"]: _merged(named.get(item["name"]), item) for item in above}
    return list(named.values())


def _are_named(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in value
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


# --- overrides ---


def apply_overrides(tree: Tree, overrides: Sequence[str]) -> list[str]:
    """Set each `key=value` in a tree, with dots for nested keys; returns the mistakes."""
    return [mistake for one in overrides if (mistake := _apply(tree, one))]


def _apply(tree: Tree, override: str) -> str | None:
    """Set one `key=value`; the mistake in it, if there is any."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        return f"--set {override}: must be key=value"
    try:
        value = _parsed(text)
    except NOT_YAML as error:
        return f"--set {override}: not a YAML value ({_one_line(error)})"
    *parents, last = key.strip().split(".")
    place: Any = tree
    for name in parents:
        place = _enter(place, name)
    if not isinstance(place, dict):
        return f"--set {override}: there is no '{'.'.join(parents)}' in this recipe"
    place[last] = value
    return None


def place_of(tree: Tree, override: str) -> tuple[int | str, ...]:
    """Where a `key=value` lies in a tree; an item of a list by its number, as pydantic has it."""
    place: Any = tree
    steps: list[int | str] = []
    for name in override.partition("=")[0].strip().split("."):
        inside = _enter(place, name) if isinstance(place, list) else None
        steps.append(name if inside is None else place.index(inside))
        place = place.get(name) if isinstance(place, dict) else inside
    return tuple(steps)


def _enter(place: Any, name: str) -> Any:
    """The mapping or list item called `name`; mappings are made where they are missing."""
    if isinstance(place, dict):
        return place.setdefault(name, {})
    if isinstance(place, list):
        named = [item for item in place if isinstance(item, dict) and item.get("name") == name]
        if named:
            return named[0]
        if name.isdecimal() and int(name) < len(place):
            return place[int(name)]
    return None
