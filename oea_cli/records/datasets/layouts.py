"""Published caption files, recognised by their keys and turned into plain rows.

    Clotho     file_name, caption_1..caption_5; sounds in development/, validation/, evaluation/;
               the metadata file is ISO-8859-1
    AudioCaps  audiocap_id, youtube_id, start_time, caption: one row per caption, gathered per clip
               with the id YOUTUBEID_START; sounds {id}_{start}, Y{id} or {id}, any suffix
    WavCaps    {"data": [{"id", "caption", "audio", ...}]}; sounds {id}.flac
    MECAT      one {"ID": {"short": [...], "long": [...], ...}} per line; "None" is filler; the
               three short captions count

Sounds are looked for beside the caption file, in the folder of its name or split, and in those that
start with audio, wav, flac, sound or clotho_audio, there and one level up. Where there is none,
`path` is the name it should have: embedding the record then reports a missing file, but its
captions can be used.
"""

from collections.abc import Callable

from oea_cli.errors import Report
from oea_cli.records.datasets.audiocaps import AUDIOCAPS_KEYS, audiocaps_rows
from oea_cli.records.datasets.clotho import CLOTHO_METADATA_KEYS, clotho_rows
from oea_cli.records.datasets.finder import SoundFinder
from oea_cli.records.datasets.mecat import is_mecat, mecat_rows
from oea_cli.records.datasets.wavcaps import wavcaps_rows
from oea_cli.records.lines import peek
from oea_cli.records.rows import Record, Rows

Layout = Callable[[Rows, "SoundFinder", Report], Rows]


def interpret(
    rows: Rows, caption_file: str | None, root: str | None = None, *, report: Report
) -> Rows:
    """Turn the rows of a published layout into plain ones; other rows stay as they are, and those
    that lack what the layout needs go to `report`.

    `caption_file` is where they were read, None for a stream; `root` is the folder that has the
    sounds, in it or below, if it is known. AudioCaps is gathered in memory,
    because the captions of a clip are far apart; everything else streams.
    """
    first, rows = peek(rows)
    layout = _layout_of(first[1]) if first else None
    return layout(rows, SoundFinder(caption_file, root), report) if layout else rows


def _layout_of(row: Record) -> Layout | None:
    keys = row.keys()
    if keys >= AUDIOCAPS_KEYS:
        return audiocaps_rows
    if "file_name" in keys and (keys >= CLOTHO_METADATA_KEYS or "caption_1" in keys):
        return clotho_rows
    if {"id", "audio", "duration"} <= keys and ("caption" in keys or "caption_1" in keys):
        return wavcaps_rows
    if len(row) == 1 and is_mecat(next(iter(row.values()))):
        return mecat_rows
    return None
