"""`oea models list`: the encoders that have a short name, and the kinds that have none."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from oea_cli.commands.options.shared import VerboseOption


class Format(StrEnum):
    """How a listing is written."""

    table = "table"
    json = "json"


KINDS = (
    ("DIR", "a folder made by `oea train` or `oea models convert`"),
    ("omni:HF_ID or DIR", "a bare Qwen2.5-Omni backbone, pooled as it is"),
)


def list_models(
    format: Annotated[Format, typer.Option("--format", "-f", help="Of the list.")] = Format.table,
    verbose: VerboseOption = False,
) -> None:
    """List the encoders that `--model` knows by name, with their licences and sizes.

    Nothing is downloaded. A released checkpoint is fetched when it is first used, after a line that
    says how large it is and under which licence it is.

    \b
    Examples:
      oea models list
      oea models list -f json | jq -r '.[].name'
    """
    from oea_cli.encoder.tools.catalogue import catalogue

    known = catalogue()
    if format is Format.json:
        typer.echo(json.dumps(known, indent=2))
        return
    for one in known:
        size = one.get("download", one.get("weights"))
        typer.echo(
            f"{one['name']:<14} {one['dim']:>5}-d {size:>8}  {one.get('licence', '')}".rstrip()
        )
    typer.echo("")
    for form, what in KINDS:
        typer.echo(f"{form:<19} {what}")
