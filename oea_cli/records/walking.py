"""Walks folders: each file once, in a stable order; what cannot be read is named, never waited for.

Links to folders are followed. A folder that is reached twice, by its own name and by links, in
circles too, is walked once: by its own name where that lies in the folder that is walked.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from oea_cli.errors import Failure, Report
from oea_cli.records.file_kinds import problem_of, why_unreadable


@dataclass(frozen=True, slots=True)
class _Entry:
    """One name in a folder; `name` ends in a slash for a folder, `problem` says what is wrong."""

    name: str
    is_link: bool
    problem: str | None

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


class Walk:
    """The files below a folder, hidden ones left out, whose names `wanted` accepts.

    What cannot be read goes to `report`: folders, links that lead nowhere, FIFOs, sockets and
    devices with a name that is wanted, and names that are not UTF-8.
    """

    def __init__(self, folder: str, wanted: Callable[[str], bool], report: Report) -> None:
        self._folder, self._wanted, self._report = folder, wanted, report
        # Where walking began and where links led, all links resolved.
        self._bases = {os.path.realpath(folder)}

    def __iter__(self) -> Iterator[str]:
        """Yield POSIX paths relative to the folder, sorted."""
        return self._below(self._folder, "", os.path.realpath(self._folder))

    def _below(self, folder: str, relative: str, real: str) -> Iterator[str]:
        # A folder sorts as "name/", so that depth first is also the order of the whole paths.
        for entry in sorted(self._entries(folder), key=lambda entry: entry.name):
            path = os.path.join(folder, entry.name)  # noqa: PTH118 - once per file of a large tree
            if entry.problem is not None:
                self._name(path, entry)
            elif entry.is_folder:
                inside = self._real_folder(path, entry, real)
                if inside is not None:
                    yield from self._below(path, relative + entry.name, inside)
            elif self._wanted(entry.name):
                if _is_utf8(entry.name):
                    yield relative + entry.name
                else:
                    self._report(Failure(repr(path), "the file's name is not UTF-8; rename it"))

    def _entries(self, folder: str) -> list[_Entry]:
        try:
            with os.scandir(folder) as entries:
                return [_entry(entry) for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            self._report(Failure(folder, why_unreadable(error)))
            return []

    def _name(self, path: str, entry: _Entry) -> None:
        # A link that leads nowhere may have led to a folder of sounds, unless its suffix says what
        # else it was.
        may_be_folder = entry.is_link and not PurePosixPath(entry.name).suffix
        if may_be_folder or self._wanted(entry.name):
            self._report(Failure(path, str(entry.problem)))

    def _real_folder(self, path: str, entry: _Entry, parent: str) -> str | None:
        """Where a folder really lies; None for one that is walked elsewhere."""
        if not entry.is_link:
            real = f"{parent.rstrip('/')}/{entry.name[:-1]}"
            return None if real in self._bases else real
        real = os.path.realpath(path)
        if any(_is_below(real, base) for base in self._bases):
            return None
        self._bases.add(real)
        return real


def _entry(entry: os.DirEntry[str]) -> _Entry:
    problem = problem_of(entry)
    is_folder = problem is None and entry.is_dir()
    return _Entry(f"{entry.name}/" if is_folder else entry.name, entry.is_symlink(), problem)


def _is_below(real: str, base: str) -> bool:
    """True for `base` itself and for folders that walking it comes to: none is hidden."""
    inside = real == base or real.startswith(base.rstrip("/") + "/")
    return inside and not any(part.startswith(".") for part in real[len(base) :].split("/"))


def _is_utf8(name: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in name)
