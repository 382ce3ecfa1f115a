"""Which clip a name means: the same clip is written with and without suffix, in other cases.

UIQ's positive rows call a Clotho clip `Santa Motor.wav`, its negative rows `Santa Motor`; an index
made from a folder calls it as the file is called on that disk, perhaps inside a folder.
"""

from collections.abc import Callable, Iterable
from functools import cached_property

from oea_cli.clips.folded_names import FoldedNames
from oea_cli.errors import OeaError
from oea_cli.records.file_names import is_absolute, plain_name
from oea_cli.records.folders import AUDIO_SUFFIXES
from oea_cli.records.text import nfc

LISTED = 5
"""So many of a list's members stand in an error line."""


class AmbiguousNameError(OeaError):
    """A name that means several clips; the text names them."""


def without_suffix(name: str) -> str:
    """A name without the suffix of a sound file; other dots belong to the name."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in AUDIO_SUFFIXES else name


def folded(name: str) -> str:
    """A name without suffix and without what case and a disk's form of Unicode change."""
    return nfc(without_suffix(name)).casefold()


def _one_form(name: str) -> str:
    return nfc(plain_name(name))


def _plain_without_suffix(name: str) -> str:
    return without_suffix(_one_form(name))


def _plain_folded(name: str) -> str:
    return folded(plain_name(name))


def _file_name(name: str) -> str:
    return folded(plain_name(name).rpartition("/")[2])


# From the strictest to the loosest; the first at which anything matches decides.
_SPELLINGS: tuple[Callable[[str], str], ...] = (_one_form, _plain_without_suffix)
"""What tells apart names that are equal but for suffix and case."""


class ClipNames:
    """The names of the clips there are; a look-up by any of their spellings takes constant time."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = dict.fromkeys(names)

    def find(self, name: str) -> str | None:
        """The clip that `name` means, None where there is none.

        Tried in order: the same name; the same path, written otherwise (`./a`, backslashes, the
        other form of Unicode); without the suffix of a sound file; without case; for a name without
        folders, the last part of a path; for an absolute path, what follows some folder in it.
        Raises AmbiguousNameError for several.
        """
        if name in self._names:
            return name
        plain = plain_name(name)
        if plain in self._names:
            return plain
        if found := self._by_path(name, plain):
            return found
        if "/" not in plain:  # a name with folders means that folder, and no other
            return _only(name, self._folded.with_file_name(_file_name(plain)))
        return self._below_a_folder(name, plain) if is_absolute(plain) else None

    @cached_property
    def _folded(self) -> FoldedNames:
        """Built when first needed: where every name is spelled alike, it never is."""
        return FoldedNames(self._names, _plain_folded, _file_name)

    def _by_path(self, name: str, path: str) -> str | None:
        """The clip whose whole name a path is; raises AmbiguousNameError for several."""
        folded_alike = self._folded.with_path(_plain_folded(path))
        for spelling in _SPELLINGS:
            wanted = spelling(path)
            if found := [other for other in folded_alike if spelling(other) == wanted]:
                return _only(name, found)
        return _only(name, folded_alike)

    def _below_a_folder(self, name: str, plain: str) -> str | None:
        """The clip whose id, relative to a folder, is how an absolute path ends; the longest."""
        parts = plain.split("/")
        tails = ("/".join(parts[start:]) for start in range(1, len(parts)))
        return next((found for tail in tails if (found := self._by_path(name, tail))), None)


def _only(name: str, found: list[str]) -> str | None:
    if len(found) > 1:
        raise AmbiguousNameError(f"'{name}' means {len(found)} clips: {listed(found)}")
    return found[0] if found else None


def listed(items: list[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = f", and {len(items) - LISTED} more" if len(items) > LISTED else ""
    return ", ".join(items[:LISTED]) + more
