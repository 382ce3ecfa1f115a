"""`oea models list`: the encoders that have a short name, and the kinds of others."""

import json
from typing import Any

import typer

from oea_cli.commands.console.documents import show
from oea_cli.commands.options.shared import TableFormat, TableFormatOption, VerboseOption


def list_models(
    format: TableFormatOption = TableFormat.table,
    verbose: VerboseOption = False,
) -> None:
    """List the encoders that have a name.

    Shows their dimensions, sizes and licences; nothing is downloaded. A released checkpoint is
    fetched when it is first used, after a line that gives its size and its licence.

    \b
    Examples:
      oea models list
      oea models list -f json | jq -r '.[].name'
    """
    from oea_cli.encoder.names.kinds import KINDS
    from oea_cli.encoder.tools.catalogue import catalogue

    known = catalogue()
    if format is TableFormat.json:
        typer.echo(json.dumps(known, indent=2))
        return
    for one in known:
        show(_line(one))
    typer.echo("")
    typer.echo(f"{'DIR':<27} a folder made by `oea train` or `oea models convert`")
    for kind, (place, meaning, _) in KINDS.items():
        typer.echo(f"{f'{kind}:{place}':<27} {meaning}")


def _line(one: dict[str, Any]) -> str:
    """Name, dimensions, size and licence; of a plug-in, the package that has it."""
    if "package" in one:
        return f"{one['name']:<14} from the package {one['package']} {one.get('version', '')}"
    size = one.get("download", one.get("weights"))
    return f"{one['name']:<14} {one['dim']:>5}-d {size:>8}  {one.get('licence', '')}".rstrip()
