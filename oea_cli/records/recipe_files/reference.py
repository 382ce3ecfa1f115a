"""All keys of a kind of recipe, as JSON Schema for editors and as a reference page."""

import json
from collections.abc import Iterator
from typing import Any

from oea_cli.records.recipe_files.fields import RecipeFile

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
}


def json_schema(kind: type[RecipeFile]) -> str:
    """The JSON Schema of a kind of recipe, as it is stored beside the recipes.

    A recipe that extends another one may leave out what that one has.
    """
    schema = _without_titles(kind.model_json_schema())
    properties = {"extends": {"type": "string", "description": "The recipe beneath this one."}}
    whole = {"required": schema.pop("required")}
    rest = {
        "properties": schema.pop("properties") | properties,
        "anyOf": [{"required": ["extends"]}, whole],
    }
    return json.dumps({"$schema": DIALECT} | schema | rest, indent=1, ensure_ascii=False) + "\n"


def _without_titles(schema: Any) -> Any:
    """Without the titles, which repeat the keys."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: v for k, v in schema.items() if k != "title" or not isinstance(v, str)}
    return {key: _without_titles(value) for key, value in kept.items()}


def reference(kind: type[RecipeFile], *, markdown: bool = True) -> str:
    """Every key of a kind of recipe with its default and its description, section by section.

    As Markdown tables, or as plain lines for a terminal.
    """
    schema = kind.model_json_schema()
    lines: list[str] = []
    for title, section in _sections("", schema, schema.get("$defs", {})):
        if lines:
            lines.append("")
        lines += _table(title, section) if markdown else _plain(title, section)
    return "\n".join(lines) + "\n"


def _sections(
    title: str, section: Schema, known: dict[str, Schema]
) -> Iterator[tuple[str, Schema]]:
    """A section, and then each one within it, by the key that leads there."""
    yield title, section
    for key, field in section["properties"].items():
        if name := _section_name(field):
            is_list = "items" in field
            inner = f"{title}{key}[]" if is_list else f"{title}{key}"
            yield from _sections(f"{inner}.", known[name], known)


def _table(title: str, section: Schema) -> list[str]:
    head = f"### `{title.removesuffix('.')}`" if title else "### The recipe"
    lines = [head, "", " ".join(section.get("description", "").split()), ""]
    lines += ["| key | what it holds | default | meaning |", "|---|---|---|---|"]
    for key, field in section["properties"].items():
        cells = (f"`{key}`", _kind(field), _default(key, section), _description(field))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _plain(title: str, section: Schema) -> list[str]:
    lines = [f"{title.removesuffix('.') or 'recipe'}: {_description(section)}"]
    for key, field in section["properties"].items():
        default = _default(key, section).replace("`", "")
        holds = ", ".join(part for part in (_kind(field), default) if part)
        lines.append(f"  {title}{key}  ({holds})")
        lines.append(f"      {_description(field)}")
    return lines


def _description(field: Schema) -> str:
    return " ".join(field.get("description", "").split())


def _default(key: str, section: Schema) -> str:
    if key in section.get("required", ()):
        return "required"
    default = section["properties"][key].get("default")
    if default in (None, "", []) or isinstance(default, dict):
        return ""
    return f"`{json.dumps(default)}`"


def _section_name(field: Schema) -> str | None:
    """The section that a key holds, alone or in a list."""
    for one in (field, field.get("items", {}), *field.get("anyOf", ())):
        if "$ref" in one:
            return str(one["$ref"]).rpartition("/")[2]
    return None


def _kind(field: Schema) -> str:
    """`whole number above 0`, `list of texts`."""
    if "anyOf" in field:
        return _kind(next(one for one in field["anyOf"] if one.get("type") != "null"))
    if "enum" in field:
        return " or ".join(str(choice) for choice in field["enum"])
    if field.get("type") == "array":
        if "maxItems" in field:
            return "two numbers"
        return "list of sections" if _section_name(field) else f"list of {_kind(field['items'])}s"
    if _section_name(field):
        return "section"
    kind = "path" if field.get("format") == "path" else KINDS.get(str(field.get("type")), "")
    return kind + _range(field)


def _range(field: Schema) -> str:
    if "exclusiveMinimum" in field:
        return f" above {field['exclusiveMinimum']:g}"
    if "maximum" in field:
        return f" from {field['minimum']:g} to {field['maximum']:g}"
    return " of 0 or more" if "minimum" in field else ""
