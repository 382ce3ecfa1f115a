"""`oea models info NAME`: what is known of one encoder."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from oea_cli.commands.options.shared import VerboseOption


class Format(StrEnum):
    """How a description is written."""

    text = "text"
    json = "json"


def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As --model takes it.")],
    format: Annotated[Format, typer.Option("--format", "-f", help="Of the answer.")] = Format.text,
    verbose: VerboseOption = False,
) -> None:
    """Tell what an encoder is: base, licence, prompts, pooling, and how it was trained.

    Of built-in, released and local encoders; nothing is downloaded, no weights are read.

    \b
    Examples:
      oea models info mini
      oea models info oea-qwen3b
      oea models info adapters/mine -f json
    """
    from oea_cli.encoder.names.parsing import parse_name
    from oea_cli.encoder.tools.catalogue import describe

    described = describe(parse_name(name))
    if format is Format.json:
        typer.echo(json.dumps(described, indent=2))
        return
    width = max(map(len, described))
    for key, value in described.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        typer.echo(f"{key:<{width}}  {shown}")
