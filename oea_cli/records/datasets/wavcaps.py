"""WavCaps: {"data": [{"id", "caption", "audio", ...}]}; sounds are {id}.flac."""

from pathlib import Path
from typing import Any

from oea_cli.errors import Report
from oea_cli.records.datasets.finder import SUFFIXES, SoundFinder
from oea_cli.records.datasets.values import rows_with
from oea_cli.records.file_names import exists
from oea_cli.records.rows import Rows


def wavcaps_rows(rows: Rows, finder: SoundFinder, report: Report) -> Rows:
    for where, row in rows_with(rows, "WavCaps", ("id",), report):
        stem = row["id"].removesuffix(".wav")
        names = [f"{stem}.flac"] + [stem + suffix for suffix in SUFFIXES]
        # Some releases have absolute paths of another machine; only the last part is useful.
        names += [Path(row[key]).name for key in ("wav", "audio") if isinstance(row.get(key), str)]
        audio = row.pop("audio", None)
        yield where, {**row, "path": audio if _is_file(audio) else finder.find(names)}


def _is_file(name: Any) -> bool:
    return isinstance(name, str) and exists(name) and Path(name).is_file()
