"""Finds the sounds in a folder, of a pattern or at a remote address, in a stable order."""

import glob
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from oea_cli.errors import OeaError, Report
from oea_cli.records.addresses import in_container, is_remote, join
from oea_cli.records.tables import table_suffix
from oea_cli.records.walking import Walk

AUDIO_SUFFIXES = frozenset(
    {
        ".wav", ".wave", ".w64", ".rf64", ".flac", ".ogg", ".oga", ".opus", ".mp3",
        ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".bwf", ".mp2", ".voc", ".sph", ".nist",
        # through PyAV
        ".m4a", ".m4b", ".mp4", ".aac", ".adts", ".wma", ".webm", ".mka", ".spx", ".amr", ".3gp",
        ".ac3", ".eac3", ".dts", ".wv", ".tta", ".ape", ".mpc", ".tak", ".dsf", ".ra",
        ".mkv", ".mov", ".avi",
    }
)  # fmt: skip
"""What counts as a sound file when a folder is read; files named one by one may have any suffix."""
METADATA_NAMES = frozenset({"metadata.csv", "metadata.jsonl", "metadata.parquet"})
"""What Hugging Face's audiofolder calls the tables that describe a folder's sounds."""
GLOB_MARKS = frozenset("*?[")


def is_sound(name: str) -> bool:
    """True when the name ends like an audio file's."""
    return PurePosixPath(in_container(name).lower()).suffix in AUDIO_SUFFIXES


def is_pattern(name: str) -> bool:
    """True for a name with wildcards that is not the name of an existing file."""
    # In a web address, ? begins the query.
    marks = GLOB_MARKS - {"?"} if name.startswith(("http://", "https://")) else GLOB_MARKS
    return bool(marks & set(name)) and not Path(name).exists()


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

    Hidden files and folders are skipped. Links to folders are followed, each folder is walked once.
    What is no file and what cannot be read goes to `report`.
    """
    return _files_under(folder, is_sound, report)


def metadata_under(folder: str) -> list[str]:
    """The relative paths of the tables that describe the sounds of a folder; the deepest first,
    because the nearest one tells most of a sound."""
    found = _files_under(folder, METADATA_NAMES.__contains__, lambda _: None)
    return sorted(found, key=lambda name: -name.count("/"))


def _files_under(folder: str, wanted: Callable[[str], bool], report: Report) -> Iterator[str]:
    """Relative POSIX paths, sorted, of the files whose last part is `wanted`."""
    if is_remote(folder):
        file_system, root = _remote(folder)
        return iter(sorted(_remote_files(file_system.find(root), root, wanted)))
    return iter(Walk(folder, wanted, report))


def _remote_files(paths: list[str], root: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    for path in paths:
        relative = path.removeprefix(root.rstrip("/") + "/").lstrip("/")
        *folders, name = relative.split("/")
        if wanted(name) and not any(part.startswith(".") for part in (*folders, name)):
            yield relative


def matches(pattern: str, report: Report) -> list[str]:
    """The files that a pattern such as wavs/**/*.flac matches, sorted; hidden ones never.

    Only sounds, and tables of records where the pattern ends like one. `**` walks folders as
    `sounds_under` does, with the same `report`. Raises OeaError where none matches.
    """
    suffix = table_suffix(pattern)
    found = [
        name
        for name in _expanded(pattern, report)
        if is_sound(name) or (suffix and table_suffix(name) == suffix)
    ]
    if not found:
        raise OeaError(f"{pattern}: no sound file matches")
    return found


def _expanded(pattern: str, report: Report) -> list[str]:
    if is_remote(pattern):
        file_system, root = _remote(pattern)
        scheme, _, rest = pattern.partition("://")
        _, mark, container = rest.partition("::")  # tar://*.wav::sounds.tar
        found = (path.lstrip("/") for path in file_system.glob(root))
        return sorted(f"{scheme}://{path}{mark}{container}" for path in found)
    if "**" in pattern.split("/"):
        return list(_walked(pattern, report))
    names = glob.glob(pattern)  # noqa: PTH207 - Path.glob finds hidden files
    return sorted(Path(name).as_posix() for name in names if not Path(name).is_dir())


def _walked(pattern: str, report: Report) -> Iterator[str]:
    """As `glob.glob`, which would follow links in circles for ever."""
    parts = PurePosixPath(pattern).parts
    fixed = next(number for number, part in enumerate(parts) if GLOB_MARKS & set(part))
    wanted = parts[fixed:]
    base = PurePosixPath(*parts[:fixed]).as_posix()
    if not Path(base).is_dir():
        return
    for name in Walk(base, lambda name: _fits((name,), wanted[-1:]), report):
        if _fits(tuple(name.split("/")), wanted):
            yield join(base, name)


def _fits(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _remote(address: str) -> tuple[Any, str]:
    """The file system behind an address and the path in it; raises OeaError without its driver."""
    import fsspec

    try:
        file_system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError, OSError) as error:
        raise OeaError(f"{address}: {error}") from error
    return file_system, path
