"""A document on stdout: as JSON for a program, as a table for a person."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from oea_cli.commands.options.shared import TableFormat

Document = Mapping[str, Any]


def show(line: str) -> None:
    """A line on stdout for a person, whatever stands in it."""
    from oea_cli.records.visible import visible

    sys.stdout.write(f"{visible(line)}\n")


def write_document(
    document: Document, format: TableFormat | None, to_table: Callable[[Any], str]
) -> None:
    """Write it in the format asked for; without one, a table where a person reads stdout."""
    if format is None:
        format = TableFormat.table if sys.stdout.isatty() else TableFormat.json
    if format is TableFormat.table:
        sys.stdout.write(to_table(document))
    else:
        import orjson

        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.flush()
