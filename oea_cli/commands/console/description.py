"""`oea --describe`: the whole command line as one JSON document, taken from Typer's commands.

Keys are added in later versions, and none is removed or means another thing under one number of
the format.
"""

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from oea_cli.commands.options.contents import CONTENTS, read_by, written_by
from oea_cli.commands.options.environment import variables_of_verb
from oea_cli.errors import EXIT_CODES, PartialError

Document = dict[str, Any]
ALWAYS = (0, 1, 2, 130)
"""The exit codes of every verb."""


def describe(version: str, commands: Mapping[str, Any], options: Iterable[Any]) -> Document:
    """The document: `commands` are the verbs by their words, `options` those of `oea` itself."""
    from oea_cli.records.format_versions import format_mark

    return {
        "format": format_mark("oea-description"),
        "version": version,
        "exit_codes": {str(code): meaning for code, meaning in EXIT_CODES.items()},
        "contents": CONTENTS,
        "options": [_option("", param) for param in options],
        "verbs": {words: _verb(words, command) for words, command in commands.items()},
    }


def _verb(words: str, command: Any) -> Document:
    text, _, examples = inspect.cleandoc(command.help).partition("\b\nExamples:\n")
    summary, _, description = text.partition("\n\n")
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option"]
    return {
        "summary": summary,
        "description": _unwrapped(description),
        "examples": [line.strip() for line in examples.strip().splitlines()],
        "arguments": [_argument(words, param) for param in arguments],
        "options": [_option(words, param) for param in options],
        "stdout": {"contents": written_by(words, "stdout"), "formats": _formats(options)},
        "exit_codes": exit_codes_of(command),
    }


def _unwrapped(text: str) -> str:
    """Paragraphs without the line ends of the source."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def _argument(verb: str, param: Any) -> Document:
    return {"name": param.metavar or param.name.upper(), **_value(verb, param)}


def _option(verb: str, param: Any) -> Document:
    """An option: its names, those that turn a flag off, and its value."""
    return {
        "name": max(param.opts, key=len),
        "names": list(param.opts),
        "off_names": list(param.secondary_opts),
        "value": None if param.is_flag else param.metavar,
        **_value(verb, param),
        "environment": variables_of_verb(verb, param),
    }


def _value(verb: str, param: Any) -> Document:
    """What a parameter takes, and what it is for."""
    described = param.type_descriptor
    choices = described.choices
    return {
        "type": type_of(param),
        "choices": None if choices is None else [_plain(choice) for choice in choices],
        "minimum": param.min,
        "maximum": param.max,
        "count": param.nargs if param.nargs > 1 else 1,
        "repeatable": bool(getattr(param, "multiple", False)) or param.nargs == -1,
        "required": param.required,
        "default": _plain(param.default),
        "reads": read_by(verb, param.name),
        "writes": written_by(verb, param.name),
        "panel": param.rich_help_panel,
        "help": param.help,
    }


def type_of(param: Any) -> str:
    """`flag`, `choice`, `integer`, `number`, `path` or `text`."""
    if getattr(param, "is_flag", False):
        return "flag"
    if param.type_descriptor.choices is not None:
        return "choice"
    annotation = str(param.type_descriptor.annotation)
    kinds = {"int": "integer", "float": "number", "Path": "path"}
    return next((name for kind, name in kinds.items() if kind in annotation), "text")


def _plain(value: Any) -> Any:
    """A default or a choice as JSON has it."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    value = getattr(value, "value", value)
    return str(value) if isinstance(value, Path) else value


def _formats(options: Iterable[Any]) -> list[str]:
    """What -f offers; none where stdout has one form."""
    chosen = (option for option in options if option.name == "format")
    return [_plain(choice) for option in chosen for choice in option.type_descriptor.choices]


def exit_codes_of(command: Any) -> list[int]:
    """Those of every verb, 3 where it goes on after failed inputs, and that of its gates."""
    known = inspect.unwrap(command.callback).__globals__
    partial = [PartialError.exit_code] if {"FailureLog", "PartialError"} & known.keys() else []
    gates = [param.default for param in command.params if param.name == "gate_exit_code"]
    return sorted({*ALWAYS, *partial, *gates})
