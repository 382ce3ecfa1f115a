"""What no verb takes: an empty name, and a file that it reads to write to."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oea_cli.commands.options.panels import OUTPUT
from oea_cli.errors import UsageError

WRITTEN = {"output", "rejects", "report", "stats", "answers", "errors"}
READ_AND_WRITTEN = {"review": {"output"}, "gen-queries": {"answers"}}
"""Files that a verb goes on with."""


def refuse_overwriting(verb: str, ctx: Any) -> None:
    """Raise UsageError where a file that is written is also read, or written as something else."""
    read = {path for _, _, path in _files(ctx, is_output=False)}
    written: dict[str, str] = {}
    for option, name, path in _files(ctx, is_output=True):
        if option.removeprefix("--") in READ_AND_WRITTEN.get(verb, ()):
            continue
        if path in read:
            raise UsageError(f"{option} {name}: is an input; what is written needs another name")
        if written.setdefault(path, option) != option:
            raise UsageError(f"{option} {name}: is the file of {written[path]}; give another name")


def _files(ctx: Any, is_output: bool) -> Iterator[tuple[str, str, str]]:
    """(option, name, real path) of each file, or name for one, that the command line gives."""
    for param in ctx.command.params:
        is_written_qrels = param.name == "qrels" and param.rich_help_panel == OUTPUT
        if (param.name in WRITTEN or is_written_qrels) is not is_output:
            continue
        given = ctx.params.get(param.name)
        for value in given if isinstance(given, list | tuple) else [given]:
            if isinstance(value, str | Path):
                option = max(param.opts, key=len)
                places = _places(str(value), is_output)
                yield from ((option, name, path) for name, path in places)


def _places(name: str, is_output: bool) -> Iterator[tuple[str, str]]:
    """A name and its real path; a matrix has its records and its description beside it."""
    stem = name.removesuffix(".npy")
    for one in (name, *([f"{stem}.jsonl", f"{stem}.meta.json"] if stem != name else [])):
        path = os.path.realpath(one) if "\0" not in one else one
        if one and one != "-" and (_is_file(path) or (is_output and not _exists(path))):
            yield one, path


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a text that is too long for a name, or holds a NUL
        return False


def _exists(path: str) -> bool:
    return "\0" in path or os.path.lexists(path)


MAY_BE_EMPTY = {"text_prompt", "audio_prompt", "overrides"}


def refuse_empty(ctx: Any, given: Mapping[str, Any]) -> None:
    """Raise UsageError for an empty name or value, which mostly is a variable that is not set.

    `given` holds what was typed. A text to embed may be empty: it is a row that fails.
    """
    for param in ctx.command.params:
        value = given.get(param.name)
        is_empty = value == "" or (isinstance(value, list | tuple) and "" in value)
        is_text = param.name == "inputs" and given.get("text")
        if is_empty and not is_text and param.name not in MAY_BE_EMPTY:
            is_argument = param.param_type_name == "argument"
            name = param.metavar or param.name if is_argument else max(param.opts, key=len)
            raise UsageError(f"{name} must not be empty")
