"""MECAT: one {"ID": {"short": [...], "long": [...], ...}} per line; "None" is filler."""

from typing import Any

from oea_cli.records.datasets.finder import SUFFIXES, SoundFinder
from oea_cli.records.rows import Rows


def is_mecat(value: Any) -> bool:
    return isinstance(value, dict) and {"short", "long"} <= value.keys()


def mecat_rows(rows: Rows, finder: SoundFinder) -> Rows:
    for where, row in rows:
        clip, fields = next(iter(row.items()))
        if not is_mecat(fields):
            yield where, row
            continue
        texts = {key: _without_filler(value) for key, value in fields.items()}
        captions = texts.pop("short") + texts.pop("long")
        path = finder.find([clip + suffix for suffix in (".flac", *SUFFIXES)])
        yield where, {"id": clip, "path": path, "captions": captions, **texts}


def _without_filler(value: Any) -> Any:
    return [text for text in value if text != "None"] if isinstance(value, list) else value
