"""WavCaps: {"data": [{"id", "caption", "audio", ...}]}; sounds are {id}.flac."""

from pathlib import Path
from typing import Any

from oea_cli.records.datasets.finder import SUFFIXES, SoundFinder
from oea_cli.records.rows import Rows


def wavcaps_rows(rows: Rows, finder: SoundFinder) -> Rows:
    for where, row in rows:
        stem = str(row["id"]).removesuffix(".wav")
        names = [f"{stem}.flac"] + [stem + suffix for suffix in SUFFIXES]
        # Some releases have absolute paths of another machine; only the last part is useful.
        names += [Path(row[key]).name for key in ("wav", "audio") if isinstance(row.get(key), str)]
        audio = row["audio"]
        path = audio if _is_file(audio) else finder.find(names)
        yield where, {**{key: row[key] for key in row if key != "audio"}, "path": path}


def _is_file(name: Any) -> bool:
    return isinstance(name, str) and Path(name).is_file()
