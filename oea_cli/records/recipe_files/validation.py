"""Validates a tree of plain values as a recipe, with a line for every mistake in it."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_jsonable_python

from oea_cli.errors import UsageError
from oea_cli.records.recipe_files.fields import (
    CONTRADICTION,
    OUT_OF_RANGE,
    RecipeFile,
    item_of,
    keys_of,
)
from oea_cli.records.recipe_files.reading import Tree, place_of

R = TypeVar("R", bound=RecipeFile)
Place = tuple[int | str, ...]
LONGEST_LINE = 500
"""Characters: a recipe's own texts are in the lines about them."""
NEEDED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "tuple": "a list",
    "model": "keys and values",
    "model_attributes": "keys and values",
    "path": "a folder",
    "is_instance_of": "a folder",
}
# Mistakes in a value of the right type: the message names stages; all others give list positions.
ABOUT_VALUES = {"greater_than", "greater_than_equal", "literal_error", OUT_OF_RANGE}


def validated(
    kind: type[R],
    tree: Tree,
    path: Path,
    mistakes: Sequence[str] = (),
    overrides: Sequence[str] = (),
) -> R:
    """The recipe in a tree; raises UsageError with every mistake on a line of its own.

    `mistakes` are those already found, `path` is the recipe's file; what an override (`key=value`)
    put there is said of --set.
    """
    found = list(mistakes)
    try:
        recipe = kind.model_validate(tree)
    except ValidationError as error:
        found += _mistakes(kind, tree, error, overrides)
    if len(found) == 1 and found[0].startswith("--set "):
        raise UsageError(found[0])
    if found:
        noun = "mistake" if len(found) == 1 else "mistakes"
        raise UsageError(f"{path}: {len(found)} {noun}", [line[:LONGEST_LINE] for line in found])
    return recipe


def plain_content(part: Any) -> dict[str, Any]:
    """A recipe, a part of one, or a dataclass that holds such parts, as plain JSON values."""
    content: dict[str, Any] = to_jsonable_python(part)
    return content


def _mistakes(
    kind: type[RecipeFile], tree: Tree, error: ValidationError, overrides: Sequence[str]
) -> Iterator[str]:
    given = {place_of(tree, override): override for override in overrides}
    details = error.errors(include_url=False)
    wrong: list[Place] = []
    for detail in details:
        if detail["type"] == CONTRADICTION:
            yield from detail["msg"].splitlines()
        else:
            wrong.append(detail["loc"])
            yield _line(kind, tree, detail, given)
    if wrong:
        yield from _contradictions_beside(kind, tree, wrong)


def _contradictions_beside(
    kind: type[RecipeFile], tree: Tree, wrong: Sequence[Place]
) -> Iterator[str]:
    """Contradictions among the other keys, found by leaving out the wrong ones."""
    keys = "|".join(re.escape(_key(place)) for place in wrong)
    about_wrong = re.compile(rf"\b({keys})\b")
    try:
        kind.model_validate(_without(tree, wrong))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] == CONTRADICTION:
                lines = detail["msg"].splitlines()
                yield from (line for line in lines if not about_wrong.search(line))


def _key(place: Place) -> str:
    """The last key on the way to a place; an item of a list has none of its own."""
    return next((step for step in reversed(place) if isinstance(step, str)), str(place[-1]))


def _without(value: Any, wrong: Sequence[Place]) -> Any:
    """The tree without these places."""
    inside: dict[int | str, list[Place]] = {}
    for first, *rest in wrong:
        inside.setdefault(first, []).append(tuple(rest))
    if isinstance(value, dict):
        items = ((k, v, inside.get(k, inside.get(str(k)))) for k, v in value.items())
        return {k: _without(v, below) if below else v for k, v, below in items if _is_kept(below)}
    if isinstance(value, list):
        numbered = ((v, inside.get(i)) for i, v in enumerate(value))
        return [_without(v, below) if below else v for v, below in numbered if _is_kept(below)]
    return value


def _is_kept(below: list[Place] | None) -> bool:
    return below is None or () not in below


# --- a mistake in words ---


def _line(
    kind: type[RecipeFile], tree: Tree, detail: ErrorDetails, given: Mapping[Place, str]
) -> str:
    reason, place = detail["type"], detail["loc"]
    override = next((given[p] for p in given if place[: len(p)] == p), None)
    where = _where(place, tree if override or reason in ABOUT_VALUES else None)
    named = f"--set {override}" if override else where
    if reason in ("extra_forbidden", "invalid_key"):
        return f"{named}: unknown key{_nearest(kind, place, where)}"
    return f"{named}: {_reason(detail)}"


def _reason(detail: ErrorDetails) -> str:
    reason, value = detail["type"], _shortened(detail["input"])
    if reason == "missing":
        return "is missing"
    if reason == "greater_than":
        return f"must be greater than {detail['ctx']['gt']:g}; got {value}"
    if reason == "greater_than_equal":
        return f"must be 0 or more; got {value}"
    if reason == "literal_error":
        choices = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        return f"must be one of {', '.join(choices)}; got {value}"
    if needed := NEEDED.get(reason.removesuffix("_type")):
        return f"must be {needed}; got {value}"
    return detail["msg"]


def _shortened(value: Any) -> str:
    """A value, shortened: one alias in YAML can stand for more than fits into memory."""
    short = Repr()
    short.maxlevel, short.maxlist, short.maxdict = 1, 4, 4
    short.maxstring = short.maxother = 200
    return short.repr(value)


def _where(place: Place, names_in: Tree | None) -> str:
    """`stages[0].steps`; with `names_in`, `stages.words.steps`."""
    text, here = "", names_in
    for step in place:
        if isinstance(here, list | dict):
            here = here[step] if isinstance(here, list) else here.get(step)  # type: ignore
        name = here.get("name") if isinstance(here, dict) and isinstance(step, int) else None
        # A number in the first place is a key that should have been a word.
        is_item = isinstance(step, int) and bool(text)
        if is_item and not isinstance(name, str):
            text += f"[{step}]"
        else:
            text += f".{name if is_item else step}"
    return text.removeprefix(".")


def _nearest(kind: Any, place: Place, where: str) -> str:
    """`; did you mean temperature?`, or nothing where no key is like it."""
    for step in place[:-1]:
        kind = item_of(kind) if isinstance(step, int) else keys_of(kind).get(step)
    wrong = str(place[-1])
    near = difflib.get_close_matches(wrong, keys_of(kind), n=1, cutoff=0.5)
    return f"; did you mean {where.removesuffix(wrong)}{near[0]}?" if near else ""
