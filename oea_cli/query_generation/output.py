"""Where queries go: files written whole, or stdout."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from oea_cli.records.artefacts import write_whole
from oea_cli.records.json_lines import as_json as json_line
from oea_cli.records.rows import Record


def write_rows(rows: Sequence[Record], output: str | Path) -> None:
    """Write rows as JSON lines to a file, all or nothing, or to stdout ("-")."""
    write_text("".join(json_line(row) + "\n" for row in rows), output)


def write_counts(
    counts: dict[str, Any],
    as_table: Callable[[dict[str, Any]], str],
    output: str,
    *,
    as_json: bool,
) -> None:
    """Write counts as one JSON document for programs, or as a table for people."""
    text = json.dumps(counts, indent=2) + "\n" if as_json else as_table(counts)
    write_text(text, output)


def write_text(text: str, output: str | Path) -> None:
    """Write a text to a file, all or nothing, or to stdout ("-")."""
    if output == "-":
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    else:
        write_whole(Path(output), text.encode())
