"""Published caption files, recognised by their keys, as rows like anyone's.

    Clotho     file_name, caption_1..caption_5; sounds in development/, validation/, evaluation/;
               the metadata file is ISO-8859-1
    AudioCaps  audiocap_id, youtube_id, start_time, caption: one row per caption, gathered per clip
               with the id YOUTUBEID_START; sounds {id}_{start}, Y{id} or {id}, any suffix
    WavCaps    {"data": [{"id", "caption", "audio", ...}]}; sounds {id}.flac
    MECAT      one {"ID": {"short": [...], "long": [...], ...}} per line; "None" is filler

Sounds are looked for beside the caption file, in the folder of its name or split, and in those that
start with audio, wav, flac, sound or clotho_audio, there and one level up. Where there is none,
`path` is the name it should have: embedding that record reports a missing file, its captions are
as good as ever.
"""

import html
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from oea_cli.tables import Record, Rows, is_remote, peek

Layout = Callable[[Rows, "SoundFinder"], Rows]
SPLITS = ("development", "validation", "evaluation", "train", "val", "test")
SOUND_FOLDERS = ("audio", "wav", "flac", "sound", "clotho_audio")
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm")
AUDIOCAPS_KEYS = {"youtube_id", "start_time", "caption"}
CLOTHO_METADATA_KEYS = {"file_name", "sound_id", "start_end_samples"}


class SoundFinder:
    """Finds the sounds that a caption file names; each folder is listed once."""

    def __init__(self, caption_file: str | None, root: str | None = None) -> None:
        self._folders: list[Path] | None = None
        self._caption_file, self._root = caption_file, root
        self._listings: dict[Path, set[str]] = {}

    def find(self, names: list[str]) -> str:
        """The path of the first name that exists, else the first name as a guess."""
        if self._folders is None:
            own = [Path(place) for place, _, _ in os.walk(self._root)] if self._root else []
            self._folders = own or list(_likely_folders(self._caption_file))
        for folder in self._folders:
            listing = self._listing(folder)
            for name in names:
                if name in listing or ("/" in name and (folder / name).is_file()):
                    return (folder / name).as_posix()
        return names[0]

    def _listing(self, folder: Path) -> set[str]:
        if folder not in self._listings:
            self._listings[folder] = {entry.name for entry in _entries(folder)}
        return self._listings[folder]


def _likely_folders(caption_file: str | None) -> Iterator[Path]:
    if caption_file is None:
        yield Path()
        return
    if is_remote(caption_file):
        return
    home = Path(caption_file).parent
    stem = Path(caption_file).stem.lower()
    split = next((name for name in SPLITS if name in stem), None)
    for base in (home, Path(os.path.normpath(home / ".."))):
        yield base
        for folder in _entries(base):
            name = folder.name.lower()
            if folder.is_dir() and (name in (split, stem) or name.startswith(SOUND_FOLDERS)):
                yield folder
                if split and (folder / split).is_dir():
                    yield folder / split


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def interpret(rows: Rows, caption_file: str | None, root: str | None = None) -> Rows:
    """Turn the rows of a published layout into plain ones; other rows pass as they are.

    `caption_file` is where they were read, None for a stream; `root` is where the sounds lie, in
    it or below, if that is known. AudioCaps is gathered in memory,
    because the captions of a clip stand far apart; everything else streams.
    """
    first, rows = peek(rows)
    layout = _layout_of(first[1]) if first else None
    return layout(rows, SoundFinder(caption_file, root)) if layout else rows


def _layout_of(row: Record) -> Layout | None:
    keys = row.keys()
    if keys >= AUDIOCAPS_KEYS:
        return _audiocaps
    if "file_name" in keys and (keys >= CLOTHO_METADATA_KEYS or "caption_1" in keys):
        return _clotho
    if {"id", "audio", "duration"} <= keys and ("caption" in keys or "caption_1" in keys):
        return _wavcaps
    if len(row) == 1 and _is_mecat(next(iter(row.values()))):
        return _mecat
    return None


def _is_mecat(value: Any) -> bool:
    return isinstance(value, dict) and {"short", "long"} <= value.keys()


def _clotho(rows: Rows, finder: SoundFinder) -> Rows:
    for where, row in rows:
        cells = {key: _from_latin1(value) for key, value in row.items()}
        name = cells.pop("file_name")
        # Names were made from titles: entities and colons were written out in some releases.
        plain = html.unescape(name)
        variants = [name, plain, plain.replace(":", "_"), name.replace(":", "_")]
        yield where, {"id": name, "path": finder.find(variants), **cells}


def _from_latin1(cell: Any) -> Any:
    if not isinstance(cell, str) or cell.isascii():
        return cell
    content = cell.encode("utf-8", "surrogateescape")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("iso-8859-1")


def _audiocaps(rows: Rows, finder: SoundFinder) -> Rows:
    clips: dict[str, tuple[str, Record]] = {}
    for where, row in rows:
        clip = f"{row['youtube_id']}_{row['start_time']}"
        _, gathered = clips.setdefault(clip, (where, _audiocaps_clip(clip, row)))
        gathered["captions"].append(row["caption"])
        if "audiocap_id" in row:
            gathered["audiocap_ids"].append(row["audiocap_id"])
    for where, row in clips.values():
        video = row["youtube_id"]
        stems = (row["id"], f"Y{row['id']}", f"Y{video}", video)
        path = finder.find([stem + suffix for stem in stems for suffix in SUFFIXES])
        yield where, {**row, "path": path}


def _audiocaps_clip(clip: str, row: Record) -> Record:
    rest = {key: value for key, value in row.items() if key not in ("caption", "audiocap_id")}
    return {"id": clip, "captions": [], "audiocap_ids": [], **rest}


def _wavcaps(rows: Rows, finder: SoundFinder) -> Rows:
    for where, row in rows:
        stem = str(row["id"]).removesuffix(".wav")
        names = [f"{stem}.flac"] + [stem + suffix for suffix in SUFFIXES]
        # Retrieval trees name absolute paths on their maker's disk; only the last part is of use.
        names += [Path(row[key]).name for key in ("wav", "audio") if isinstance(row.get(key), str)]
        audio = row["audio"]
        path = audio if _is_file(audio) else finder.find(names)
        yield where, {**{key: row[key] for key in row if key != "audio"}, "path": path}


def _is_file(name: Any) -> bool:
    return isinstance(name, str) and Path(name).is_file()


def _mecat(rows: Rows, finder: SoundFinder) -> Rows:
    for where, row in rows:
        clip, fields = next(iter(row.items()))
        if not _is_mecat(fields):
            yield where, row
            continue
        said = {key: _without_filler(value) for key, value in fields.items()}
        captions = said.pop("short") + said.pop("long")
        path = finder.find([clip + suffix for suffix in (".flac", *SUFFIXES)])
        yield where, {"id": clip, "path": path, "captions": captions, **said}


def _without_filler(value: Any) -> Any:
    return [text for text in value if text != "None"] if isinstance(value, list) else value
