"""MECAT: one {"ID": {"short": [...], "long": [...], ...}} per line; "None" is filler.

A clip's captions are the three short ones, as the published figures count them: 2,544 of 848 clips.
The others stay under their own names.
"""

from typing import Any

from oea_cli.errors import Failure, Report
from oea_cli.records.datasets.finder import SUFFIXES, SoundFinder
from oea_cli.records.datasets.values import texts_of
from oea_cli.records.fields import RowError
from oea_cli.records.rows import Rows

FILLER = "None"
KINDS = ("short", "long")


def is_mecat(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() >= set(KINDS)


def mecat_rows(rows: Rows, finder: SoundFinder, report: Report) -> Rows:
    for where, row in rows:
        clip, fields = next(iter(row.items()), ("", None))
        if len(row) != 1 or not isinstance(fields, dict) or not fields.keys() & set(KINDS):
            yield where, row
            continue
        try:
            own = {kind: texts_of(fields.get(kind), kind) for kind in KINDS}
        except RowError as problem:
            report(Failure(where, str(problem), clip))
            continue
        texts = {key: _without_filler(value) for key, value in {**fields, **own}.items()}
        captions = texts.pop("short")
        path = finder.find([clip + suffix for suffix in (".flac", *SUFFIXES)])
        yield where, {**texts, "id": clip, "path": path, "captions": captions}


def _without_filler(value: Any) -> Any:
    return [text for text in value if text != FILLER] if isinstance(value, list) else value
