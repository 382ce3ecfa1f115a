"""What every kind of recipe shares: YAML -> checked dataclasses, overrides, all mistakes at once.

A recipe is a frozen dataclass; its fields say which keys there are and what they hold. A mistake is
a line that names the key; the caller gathers them and raises them together.
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from oea_cli.errors import UsageError


def read_mapping(path: Path) -> dict[str, Any]:
    """The YAML mapping in a file; raises UsageError for anything else."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML ({_one_line(error)})") from error
    if not isinstance(tree, dict):
        raise UsageError(f"{path}: a recipe is a mapping of keys to values")
    return tree


def read_extended(
    path: Path, place: Callable[[dict[str, Any], Path], dict[str, Any]]
) -> dict[str, Any]:
    """The mapping in a file over those that it `extends`, one by one.

    A key of the nearer file wins; mappings are merged, and so are lists of named parts, where a new
    name goes to the end. `place` makes a file's paths relative to its folder. Raises UsageError.
    """
    files, trees = [path.resolve()], [read_mapping(path)]
    while isinstance(other := trees[-1].pop("extends", None), str):
        files.append((files[-1].parent / Path(other).expanduser()).resolve())
        if files[-1] in files[:-1]:
            raise UsageError(f"{path}: extends itself, by way of {files[-1].name}")
        trees.append(read_mapping(files[-1]))
    if other is not None:
        raise UsageError(f"{files[-1]}: extends: needs the name of a recipe, not {other!r}")
    merged: Any = {}
    for file, tree in zip(reversed(files), reversed(trees), strict=True):
        merged = _merged(merged, place(tree, file.parent))
    return typing.cast(dict[str, Any], merged)


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _merged(below.get(key), value) for key, value in above.items()}
    if not (above and _are_named(below) and _are_named(above)):
        return above
    named = {item["name"]: item for item in below}
    named |= {item["name"]: _merged(named.get(item["name"]), item) for item in above}
    return list(named.values())


def _are_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(i, dict) and "name" in i for i in value)


def raise_mistakes(path: Path, errors: Sequence[str]) -> None:
    """Raise UsageError with every mistake on a line of its own, if there is any."""
    if errors:
        noun = "mistake" if len(errors) == 1 else "mistakes"
        raise UsageError(f"{path}: {len(errors)} {noun}\n" + "\n".join(f"  {e}" for e in errors))


def plain_content(recipe: Any) -> dict[str, Any]:
    """A recipe, or a part of one, as plain JSON and YAML values."""
    return typing.cast(dict[str, Any], _plain(dataclasses.asdict(recipe)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


# --- overrides ---


def apply_override(tree: dict[str, Any], override: str, errors: list[str]) -> None:
    """Set one `key=value` in a tree, with dots for what lies inside; mistakes go to errors."""
    key, equals, text = override.partition("=")
    if not equals:
        errors.append(f"--set {override}: write key=value")
        return
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        errors.append(f"--set {override}: not a YAML value ({_one_line(error)})")
        return
    *parents, last = key.strip().split(".")
    place: Any = tree
    for name in parents:
        place = _enter(place, name)
    if isinstance(place, dict):
        place[last] = value
    else:
        errors.append(f"--set {override}: there is no '{'.'.join(parents)}' in this recipe")


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


# --- from a tree of plain values to the dataclasses ---


def build(kind: type, tree: Any, where: str, errors: list[str]) -> Any:
    """An instance of a dataclass, or None with the mistakes appended to errors."""
    if not isinstance(tree, dict):
        errors.append(f"{where}: needs keys and values, not {tree!r}")
        return None
    before = len(errors)
    hints = typing.get_type_hints(kind)
    prefix = f"{where}." if where else ""
    errors.extend(_unknown(str(key), hints, prefix) for key in tree if key not in hints)
    values = {
        key: _convert(hints[key], value, f"{prefix}{key}", errors)
        for key, value in tree.items()
        if key in hints
    }
    errors.extend(f"{prefix}{name}: is missing" for name in _required(kind) if name not in tree)
    return kind(**values) if len(errors) == before else None


def _required(kind: type) -> list[str]:
    return [
        item.name
        for item in dataclasses.fields(kind)
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    ]


def _unknown(key: str, known: dict[str, Any], prefix: str) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    return f"{prefix}{key}: unknown key; did you mean {prefix}{near[0]}?"


def _convert(hint: Any, value: Any, where: str, errors: list[str]) -> Any:
    if isinstance(hint, types.UnionType):
        return None if value is None else _convert(hint.__args__[0], value, where, errors)
    if typing.get_origin(hint) is tuple:
        return _convert_list(typing.get_args(hint)[0], value, where, errors)
    if dataclasses.is_dataclass(hint):
        return build(typing.cast(type, hint), value, where, errors)
    converted = _scalar(hint, value)
    if converted is None:
        errors.append(f"{where}: needs {_kind_name(hint)}, not {value!r}")
    return converted


def _convert_list(hint: Any, value: Any, where: str, errors: list[str]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        errors.append(f"{where}: needs a list, not {value!r}")
        return ()
    return tuple(_convert(hint, item, f"{where}[{i}]", errors) for i, item in enumerate(value))


def _scalar(hint: Any, value: Any) -> Any:
    """The value as the wanted type, or None where it is not one."""
    if hint is Path:
        return Path(value).expanduser() if isinstance(value, str) else None
    if hint is float:
        return _number(value)
    if hint is int and isinstance(value, bool):
        return None
    return value if isinstance(value, hint) else None


def _number(value: Any) -> float | None:
    # YAML 1.1 reads 2e-3 (without a dot) as a string.
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _kind_name(hint: Any) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(hint, "a folder")
