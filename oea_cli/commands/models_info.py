"""`oea models info NAME`: what is known of one encoder."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from oea_cli.commands.console.documents import show
from oea_cli.commands.options.panels import OUTPUT
from oea_cli.commands.options.shared import EncoderArgument, VerboseOption


class Format(StrEnum):
    """How a description is written."""

    text = "text"
    json = "json"


def info(
    name: EncoderArgument,
    format: Annotated[
        Format, OUTPUT.option("--format", "-f", help="How the description is written.")
    ] = Format.text,
    verbose: VerboseOption = False,
) -> None:
    """Describe one encoder.

    Shows its base, licence, prompts, pooling and training, as far as they are known here; nothing
    is downloaded and no weights are read.

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
        show(f"{key:<{width}}  {shown}")
