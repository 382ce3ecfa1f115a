"""Finds the sounds that a published caption file names."""

import os
from collections.abc import Iterator
from pathlib import Path

from oea_cli.records.addresses import is_remote
from oea_cli.records.file_names import existing
from oea_cli.records.text import nfc

SPLITS = ("development", "validation", "evaluation", "train", "val", "test")


SOUND_FOLDERS = ("audio", "wav", "flac", "sound", "clotho_audio")


SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm")


class SoundFinder:
    """Finds the sounds that a caption file names; each folder is listed once."""

    def __init__(self, caption_file: str | None, root: str | None = None) -> None:
        self._folders: list[Path] | None = None
        self._caption_file, self._root = caption_file, root
        self._listings: dict[Path, dict[str, str]] = {}

    def find(self, names: list[str]) -> str:
        """The path of the first name that exists, else the first name."""
        if self._folders is None:
            own = [Path(place) for place, _, _ in os.walk(self._root)] if self._root else []
            self._folders = own or list(_likely_folders(self._caption_file))
        for folder in self._folders:
            listing = self._listing(folder)
            for name in names:
                if found := listing.get(nfc(name)):
                    return (folder / found).as_posix()
                if "/" in name and (below := existing((folder / name).as_posix())):
                    return below
        return names[0]

    def _listing(self, folder: Path) -> dict[str, str]:
        """The names in a folder, by the one form of Unicode of each."""
        if folder not in self._listings:
            self._listings[folder] = {nfc(entry.name): entry.name for entry in _entries(folder)}
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
