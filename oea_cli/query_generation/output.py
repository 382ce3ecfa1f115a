"""Writes queries to files, each written whole, or to stdout."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from oea_cli.records.artefacts import named_when_full, write_whole
from oea_cli.records.json_lines import json_line
from oea_cli.records.rows import Record


def write_rows(rows: Sequence[Record], output: str | Path) -> None:
    """Write rows as JSON lines to a file, all or nothing, or to stdout ("-")."""
    write_bytes(b"".join(map(json_line, rows)), output)


def write_counts(
    counts: dict[str, Any],
    as_table: Callable[[dict[str, Any]], str],
    output: str,
    *,
    as_json: bool,
) -> None:
    """Write counts as one JSON document for programs, or as a table for people."""
    text = json.dumps(counts, indent=2) + "\n" if as_json else as_table(counts)
    if output == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_whole(Path(output), text.encode())


def write_bytes(content: bytes, output: str | Path) -> None:
    """Write to a file, all or nothing, or to stdout ("-")."""
    if output == "-":
        with named_when_full("stdout"):
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
    else:
        write_whole(Path(output), content)
