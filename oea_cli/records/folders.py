"""Finds the sounds in a folder, of a pattern or at a remote address, in a stable order."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from oea_cli.errors import Failure, OeaError, Report
from oea_cli.records.addresses import is_remote, join
from oea_cli.records.tables import table_suffix
from oea_cli.records.text import forms_of

AUDIO_SUFFIXES = frozenset(
    {
        ".wav", ".wave", ".w64", ".rf64", ".flac", ".ogg", ".oga", ".opus", ".mp3",
        ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf",
        # through PyAV
        ".m4a", ".m4b", ".mp4", ".aac", ".wma", ".webm", ".mka", ".spx", ".amr", ".ac3",
    }
)  # fmt: skip
"""What counts as a sound file when a folder is read; files named one by one may have any suffix."""
GLOB_MARKS = frozenset("*?[")


def is_sound(name: str) -> bool:
    """True when the name ends like an audio file's."""
    return PurePosixPath(name.lower()).suffix in AUDIO_SUFFIXES


def is_pattern(name: str) -> bool:
    """True for a name with wildcards that is not the name of an existing file."""
    return bool(GLOB_MARKS & set(name)) and not Path(name).exists()


def exists(name: str) -> bool:
    """True for a local file that exists; remote addresses count as existing until opened."""
    if is_remote(name):
        return True
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def existing(name: str) -> str | None:
    """The name in the form of Unicode in which it exists; None where it does not."""
    return next(filter(exists, forms_of(name)), None)


def resolved(path: str, folder: str) -> str:
    """A path as written in a table of `folder`: relative to it, or else to the working directory;
    in the form of Unicode in which it exists.

    Where none exists, the first is returned.
    """
    inside = join(folder, path)
    places = [inside] if inside == path else [inside, path]
    tried = (form for place in places for form in forms_of(place))
    return next(filter(exists, tried), inside)


def is_folder(name: str) -> bool:
    """True for a local folder, or a remote address that ends in a slash or answers as a folder."""
    if not is_remote(name):
        return Path(name).is_dir()
    if name.endswith("/"):
        return True
    if PurePosixPath(name).suffix or name.startswith(("http://", "https://")):
        return False
    file_system, root = _remote(name)
    return bool(file_system.isdir(root))


def sounds_under(folder: str, report: Report) -> Iterator[str]:
    """Yield the relative POSIX paths of the sounds in a folder and below, sorted by that path.

    Hidden files and folders are skipped; links to folders are followed, but not in circles.
    Folders that cannot be read and names that are not UTF-8 go to `report`.
    """
    if is_remote(folder):
        file_system, root = _remote(folder)
        yield from sorted(_remote_sounds(file_system.find(root), root))
    else:
        yield from _walk(folder, "", report, (Path(folder).resolve(),))


def _remote_sounds(paths: list[str], root: str) -> Iterator[str]:
    for path in paths:
        relative = path.removeprefix(root.rstrip("/") + "/").lstrip("/")
        if is_sound(relative) and not any(part.startswith(".") for part in relative.split("/")):
            yield relative


def _walk(folder: str, relative: str, report: Report, above: tuple[Path, ...]) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            found = [(e.name, e.is_dir()) for e in entries if not e.name.startswith(".")]
    except OSError as error:
        report(Failure(folder, error.strerror or str(error)))
        return
    # A folder sorts as "name/", so that depth first is also the order of the whole paths.
    for name, is_dir in sorted((f"{name}/" if d else name, d) for name, d in found):
        path = os.path.join(folder, name)  # noqa: PTH118 - once per file of a large tree
        if is_dir:
            inside = Path(path).resolve()
            if inside not in above:
                yield from _walk(path, relative + name, report, (*above, inside))
        elif is_sound(name):
            if _is_utf8(name):
                yield relative + name
            else:
                report(Failure(repr(path), "the file's name is not UTF-8; rename it"))


def _is_utf8(name: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in name)


def matches(pattern: str) -> list[str]:
    """The files that a pattern such as wavs/**/*.flac matches, sorted; hidden ones never.

    Only sounds, and tables of records where the pattern ends like one. Raises OeaError where
    none matches.
    """
    suffix = table_suffix(pattern)
    found = [
        name
        for name in _expanded(pattern)
        if is_sound(name) or (suffix and table_suffix(name) == suffix)
    ]
    if not found:
        raise OeaError(f"{pattern}: no sound file matches")
    return found


def _expanded(pattern: str) -> list[str]:
    if is_remote(pattern):
        file_system, root = _remote(pattern)
        scheme = pattern.partition("://")[0]
        return sorted(f"{scheme}://{path.lstrip('/')}" for path in file_system.glob(root))
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob finds hidden files
    return sorted(Path(name).as_posix() for name in names if not Path(name).is_dir())


def _remote(address: str) -> tuple[Any, str]:
    """The file system behind an address and the path in it; raises OeaError without its driver."""
    import fsspec

    try:
        file_system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError, OSError) as error:
        raise OeaError(f"{address}: {error}") from error
    return file_system, path
