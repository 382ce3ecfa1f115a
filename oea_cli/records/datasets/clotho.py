"""Clotho: file_name, caption_1 to caption_5; its metadata file is ISO-8859-1."""

import html
from typing import Any

from oea_cli.errors import Report
from oea_cli.records.datasets.finder import SoundFinder
from oea_cli.records.datasets.values import rows_with
from oea_cli.records.rows import Rows

CLOTHO_METADATA_KEYS = {"file_name", "sound_id", "start_end_samples"}


def clotho_rows(rows: Rows, finder: SoundFinder, report: Report) -> Rows:
    for where, row in rows_with(rows, "Clotho", ("file_name",), report):
        cells = {key: _from_latin1(value) for key, value in row.items()}
        name = cells.pop("file_name")
        # Names were made from titles: some releases have HTML entities and colons in them.
        plain = html.unescape(name)
        variants = [name, plain, plain.replace(":", "_"), name.replace(":", "_")]
        yield where, {**cells, "id": name, "path": finder.find(variants)}


def _from_latin1(cell: Any) -> Any:
    if not isinstance(cell, str) or cell.isascii():
        return cell
    content = cell.encode("utf-8", "surrogateescape")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("iso-8859-1")
