"""Where a clip comes from, as far as its record tells: the marks by which two records are one clip.

YouTube    Y{id}.wav (WavCaps), {id}_{start} (AudioCaps), {id}_{start}_{end} (AudioSet; MECAT
           with `_` for the decimal point), {id}.wav; the keys youtube_id, ytid; an address
Freesound  the keys sound_id (Clotho), freesound_id, fsid, src_file (ESC-50); an address; names
           like 1234__user__title.wav (its downloads) and 1-1234-A-5.wav (ESC-50); in records
           or folders that say FreeSound, an id that is a number (WavCaps)
title      the title or file name it was published under, letters and digits only
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from oea_cli.clips.names import folded, without_suffix
from oea_cli.records.rows import Record

KINDS = ("id", "youtube id", "freesound id", "content", "title")
"""By what two records can be one clip, the surest first."""

YOUTUBE_KEYS = ("youtube_id", "ytid")
FREESOUND_KEYS = ("sound_id", "freesound_id", "fsid", "src_file")
ADDRESS_KEYS = ("sound_link", "href", "download_link", "url", "source")
TITLE_KEYS = ("title", "file_name")
SOURCES = ("freesound", "audioset", "soundbible", "bbc")

YOUTUBE_NAMES = (
    re.compile(r"Y(?P<id>[\w-]{11})(?:_\d[\d.]*)*", re.ASCII),
    re.compile(r"(?P<id>[\w-]{11})(?:_\d[\d.]*)+", re.ASCII),
)
BARE_YOUTUBE = re.compile(r"[\w-]{11}", re.ASCII)
YOUTUBE_ADDRESS = re.compile(r"youtu(?:\.be/|be\.com/.*?[?&/](?:v=|embed/)?)([\w-]{11})", re.ASCII)
FREESOUND_ADDRESS = re.compile(r"(?:freesound\.org/.*?|^/?people/[^/]+/)(?:sounds|s)/(\d+)")
FREESOUND_NAMES = (
    re.compile(r"(?P<id>\d+)__[^_].*?__(?P<title>.+)"),
    re.compile(r"\d-(?P<id>\d+)-[A-Z](?:-\d+)?"),
)


class Mark(NamedTuple):
    """One of KINDS and its value; records that share a mark are one clip."""

    kind: str
    value: str


def marks_of(record: Record) -> list[Mark]:
    """All marks of a record but its content, the surest first."""
    found = [Mark("id", name) for name in _ids(record)]
    found += [Mark("youtube id", name) for name in _youtube_ids(record)]
    found += [Mark("freesound id", name) for name in _freesound_ids(record)]
    found += [Mark("title", name) for name in _titles(record)]
    return list(dict.fromkeys(found))


def source_of(record: Record) -> str | None:
    """Which collection a record says it is from; None where it says nothing."""
    folder = _text(record, "path").rpartition("/")[0]
    named = " ".join([folder, *(_text(record, key) for key in ADDRESS_KEYS)]).casefold()
    if FREESOUND_ADDRESS.search(_text(record, "href")):
        return "freesound"
    return next((source for source in SOURCES if source in named), None)


def may_be_one(mark: Mark, one: Record, other: Record) -> bool:
    """False for a number that two collections use as an id: it means another clip in each."""
    if mark.kind != "id" or not mark.value.isdecimal():
        return True
    sources = {source_of(one), source_of(other)} - {None}
    return len(sources) < 2


def _ids(record: Record) -> Iterator[str]:
    name = folded(_text(record, "id"))
    # A text without an id of its own is called by its line number, which identifies nothing.
    is_line_number = name.isdecimal() and not record.get("path") and source_of(record) is None
    if name and not is_line_number:
        yield name


def _youtube_ids(record: Record) -> Iterator[str]:
    yield from (text for key in YOUTUBE_KEYS if (text := _text(record, key)))
    for key in ADDRESS_KEYS:
        yield from YOUTUBE_ADDRESS.findall(_text(record, key))
    for stem in _stems(record):
        yield from _youtube_name(stem)


def _youtube_name(stem: str) -> list[str]:
    """The YouTube id in the name of a file. Words are eleven letters long, too, so an id needs a
    digit or a capital inside, and a bare one small letters and capitals: 1 in 200 has not.
    """
    for pattern in YOUTUBE_NAMES:
        match = pattern.fullmatch(stem)
        if match and re.search(r"\d|.[A-Z]", match["id"]):
            return [match["id"]]
    if BARE_YOUTUBE.fullmatch(stem) and re.search(r"[a-z]", stem) and re.search(r".[A-Z]", stem):
        return [stem]
    return []


def _freesound_ids(record: Record) -> Iterator[str]:
    yield from (text for key in FREESOUND_KEYS if (text := _text(record, key)).isdecimal())
    for key in ADDRESS_KEYS:
        yield from FREESOUND_ADDRESS.findall(_text(record, key))
    for stem in _stems(record):
        if stem.isdecimal() and source_of(record) == "freesound":
            yield stem
        found = (pattern.fullmatch(stem) for pattern in FREESOUND_NAMES)
        yield from (match["id"] for match in found if match)


def _titles(record: Record) -> Iterator[str]:
    named = [without_suffix(text) for key in TITLE_KEYS if (text := _text(record, key))]
    for name in [*named, *_stems(record)]:
        download = FREESOUND_NAMES[0].fullmatch(name)
        is_number = bool(FREESOUND_NAMES[1].fullmatch(name)) or name.isdecimal()
        if is_number or _youtube_name(name):
            continue
        words = re.sub(r"[\W_]+", " ", html.unescape(download["title"] if download else name))
        if title := words.strip().casefold():
            yield title


def _stems(record: Record) -> list[str]:
    """The names of the record's id, where it is the name of a file or a number, and of its file."""
    names = [_text(record, key).rpartition("/")[2] for key in ("id", "path")]
    return list(dict.fromkeys(without_suffix(name) for name in names if name))


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""
