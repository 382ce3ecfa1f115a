"""Where queries go: files written whole, or stdout."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oea_cli.artefacts import write_whole
from oea_cli.json_records import as_json
from oea_cli.tables import Record


def write_rows(rows: Sequence[Record], output: str | Path) -> None:
    """Write rows as JSON lines to a file, all or nothing, or to stdout ("-")."""
    write_text("".join(as_json(row) + "\n" for row in rows), output)


def write_document(content: dict[str, Any], output: str | Path) -> None:
    """Write one JSON document for programs."""
    write_text(json.dumps(content, indent=2) + "\n", output)


def write_text(text: str, output: str | Path) -> None:
    """Write a text to a file, all or nothing, or to stdout ("-")."""
    if output == "-":
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    else:
        write_whole(Path(output), text.encode())
