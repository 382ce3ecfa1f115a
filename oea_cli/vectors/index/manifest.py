"""`index.json`: the files of an index folder, and the lock for its one writer at a time.

Files never change once named in `index.json`. A change writes new files, then replaces `index.json`
in one step, then removes what is no longer named: a reader sees the index before or after.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import orjson

from oea_cli.errors import OeaError
from oea_cli.records.format_versions import check_format, format_mark
from oea_cli.records.locks import FileLock, LockedError
from oea_cli.vectors.index.checking import REMEMBERED, remember
from oea_cli.vectors.index.contents import Manifest, manifest_of

FORMAT = "oea-index"
MANIFEST = "index.json"
LOCK = ".lock"
_OURS = ("vectors-*.npy", "graph-*.usearch", "records-*.parquet", "deleted-*.npy", "*.tmp")
_HIDDEN = (LOCK, REMEMBERED)


def is_index(folder: Path) -> bool:
    """Return whether there is an `index.json` in the folder."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Read `index.json`; raises OeaError for any other folder."""
    try:
        content = orjson.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise OeaError(f"{folder}: {_why_no_index(folder)}") from error
    except (OSError, orjson.JSONDecodeError) as error:
        raise OeaError(f"{folder / MANIFEST}: cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise OeaError(f"{folder / MANIFEST}: damaged (no JSON object); build the index again")
    check_format(content, FORMAT, folder / MANIFEST)
    return manifest_of(content, str(folder / MANIFEST))


def _why_no_index(folder: Path) -> str:
    if not folder.exists():
        return "no such index; build one with `oea embed ./wavs | oea index -o NAME.oea`"
    if not folder.is_dir():
        return "is a file, not an index folder"
    return f"not an index (a folder without {MANIFEST})"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace `index.json` in one step, after everything it names is on the disk."""
    head = {"format": format_mark(FORMAT), "count": manifest.num_live}
    content = orjson.dumps(head | asdict(manifest), option=orjson.OPT_INDENT_2)
    temporary = folder / f"{MANIFEST}.tmp"
    with temporary.open("wb") as file:
        file.write(content + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / MANIFEST)
    remember(folder, [name for segment in manifest.segments for name in segment.files()])


def remove_stale(folder: Path, manifest: Manifest | None) -> None:
    """Remove files of ours that `index.json` does not name: left by a change, or by a crash."""
    named = set().union(*(segment.files() for segment in manifest.segments)) if manifest else set()
    for pattern in _OURS:
        for path in folder.glob(pattern):
            if path.name not in named:
                path.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Lock the folder for one writer, and create it where it does not exist.

    The lock ends with the process, whatever happens to it. Raises OeaError where another process
    writes, or where the folder contains something other than an index.
    """
    check_target(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
    except LockedError as error:
        raise OeaError(
            f"{folder}: another `oea index` is writing it; wait until it ends"
        ) from error
    except OSError as error:
        raise OeaError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        _tidy(folder)
        yield
    finally:
        found = _tidy(folder)
        lock.release()
        if not found:
            with suppress(OSError):  # another job may have come in
                folder.rmdir()


def check_target(folder: Path) -> None:
    """Raise OeaError where no index can be: in place of something other than an index."""
    if folder.is_dir() and not is_index(folder):
        foreign = [
            path.name for path in folder.iterdir() if path.name not in _HIDDEN and not _ours(path)
        ]
        if foreign:
            raise OeaError(f"{folder}: contains other files ({min(foreign)}); choose another -o")
    elif folder.exists() and not folder.is_dir():
        raise OeaError(f"{folder}: is a file, but an index is a folder; choose another -o")


def _ours(path: Path) -> bool:
    return any(path.match(pattern) for pattern in _OURS)


def unused_number(folder: Path) -> int:
    """Return a number for the next segment that no file has, nor had while readers could see it."""
    names = [path.name for pattern in _OURS for path in folder.glob(pattern)]
    numbers = [int(number) for name in names for number in re.findall(r"-(\d+)", name)]
    manifest = _readable(folder)
    return max([0, *numbers, manifest.next_number - 1 if manifest else 0]) + 1


def _readable(folder: Path) -> Manifest | None:
    """Return the content of `index.json`; None where it is missing or damaged."""
    try:
        return read_manifest(folder)
    except OeaError:
        return None


def _tidy(folder: Path) -> bool:
    """Remove what an interrupted change left; return whether there is an `index.json`."""
    manifest = _readable(folder)
    found = is_index(folder)
    if manifest is not None or not found:
        remove_stale(folder, manifest)
    return found
