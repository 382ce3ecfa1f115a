"""Write docs/recipes.md, every key of a recipe for `oea train`, out of the JSON Schema beside the
recipes: `python -m tests.docs.recipe_keys`."""

import json
from collections.abc import Iterator
from typing import Any

from tests.docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "recipes.md"
SCHEMA = REPOSITORY / "recipes" / "recipe.schema.json"
INTRODUCTION = """# Every key of a recipe

What a recipe for [`oea train`](train.md) may say. `oea train --explain` prints the same; editors
complete the keys by `recipes/recipe.schema.json`. This page is written by `make docs`.
"""
KINDS = {
    "boolean": "`true`, `false`",
    "integer": "whole number",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
Schema = dict[str, Any]


def recipe_keys() -> str:
    """The whole page: a table for the recipe, and one for each object in it."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    objects = {"Recipe": schema, **schema["$defs"]}
    sections = [_section(name, thing) for name, thing in objects.items() if "properties" in thing]
    return "".join([INTRODUCTION, *sections])


def _section(name: str, thing: Schema) -> str:
    rows = "".join(_rows(thing))
    about = thing.get("description", "").replace("\n", " ")
    return f"\n## {name}\n\n{about}\n\n| key | value | default | what |\n|---|---|---|---|\n{rows}"


def _rows(thing: Schema) -> Iterator[str]:
    required = thing.get("required", [])
    for key, value in thing["properties"].items():
        default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
        default = "required" if key in required else default.replace("`null`", "")
        about = value.get("description", "").replace("\n", " ").replace("|", "\\|")
        yield f"| `{key}` | {_kind(value)} | {default} | {about} |\n"


def _kind(value: Schema) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if "anyOf" in value:
        return " or ".join(_kind(part) for part in value["anyOf"] if part.get("type") != "null")
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    return KINDS[value["type"]]


if __name__ == "__main__":
    PAGE.write_text(recipe_keys(), encoding="utf-8")
