"""The parts of a folder of shards: which job writes which files, and when all of them are there.

    DIR/manifest-2-of-8.json    one part of several, whole; the last job then writes manifest.json
    DIR/.part-2-of-8.lock       locked while a job writes that part; says what the job makes

Part I of N has the shards I-1, I-1+N, I-1+2N, ...: jobs never want the same name. One job for
everything is part 1 of 1.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from oea_cli.errors import OeaError
from oea_cli.records.columns import open_parquet
from oea_cli.records.locks import FileLock, LockedError, remove_unlocked

MANIFEST = "manifest.json"
FOLDER_LOCK = ".lock"
NAMED = 10  # missing parts in a message
_PART = re.compile(r"manifest-(\d+)-of-(\d+)\.json")

Settings = Mapping[str, Any]
"""What all vectors of a folder have in common: encoder, kind, storage, and the number of parts."""
Notice = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Part:
    """Part `number` (from 1) of `of` parts."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"part {self.number} of {self.of}"

    def owns(self, shard: int) -> bool:
        """Whether a shard's number is one of this part's."""
        return shard % self.of == self.number - 1

    def after(self, shard: int | None) -> int:
        """The number of this part's next shard."""
        return self.number - 1 if shard is None else shard + self.of

    @property
    def manifest(self) -> str:
        """The file that makes the part whole."""
        return MANIFEST if self.of == 1 else f"manifest-{self.number}-of-{self.of}.json"

    @property
    def lock(self) -> str:
        """The file that a job locks while it writes the part."""
        return f".part-{self.number}-of-{self.of}.lock"


WHOLE = Part()


def settings_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The settings out of a shard's metadata or a manifest; one without parts is whole."""
    found = {key: stored.get(key) for key in ("encoder", "kind", "storage")}
    # Which channel of a sound was heard decides its vector, too.
    channel = (stored.get("metadata") or {}).get("channel", "mix")
    return {**found, "channel": channel, "parts": part_of(stored).of}


def part_of(stored: Mapping[str, Any]) -> Part:
    """The part that a shard or a manifest belongs to."""
    part = stored.get("part")
    is_pair = isinstance(part, list) and len(part) == 2 and all(type(one) is int for one in part)
    return Part(*part) if isinstance(part, list) and is_pair else WHOLE


def claimed(folder: Path, part: Part, settings: Settings, notice: Notice) -> FileLock:
    """Take a part for this job, until the lock is released; call it under the folder's lock.

    Raises OeaError where another job writes this part, or anything of other settings.
    """
    lock = _part_lock(folder, part)
    try:
        if lock.is_held:
            _check_others(folder, part, settings)
            lock.write(orjson.dumps(dict(settings)))
        else:
            notice(
                f"{folder}: this file system has no locks; make sure that no other job writes "
                f"{part} here"
            )
    except BaseException:
        lock.release()
        raise
    return lock


def check_free(folder: Path, part: Part) -> None:
    """Raise OeaError where another job writes this part; nothing is kept."""
    if (folder / part.lock).exists():
        _part_lock(folder, part).release()


def _part_lock(folder: Path, part: Part) -> FileLock:
    try:
        return FileLock(folder / part.lock)
    except LockedError as error:
        what = "" if part.of == 1 else f" {part} of"
        raise OeaError(
            f"{folder}: another job is writing{what} these vectors; wait until it ends"
        ) from error


def _check_others(folder: Path, part: Part, settings: Settings) -> None:
    """Raise OeaError for a job at work with other settings; locks of killed jobs go."""
    for path in folder.glob(".part-*-of-*.lock"):
        if path.name == part.lock or remove_unlocked(path, Path.unlink):
            continue
        with suppress(FileNotFoundError, orjson.JSONDecodeError):
            found = orjson.loads(path.read_bytes())
            if isinstance(found, dict) and found != settings:
                raise OeaError(
                    f"{folder}: another job is writing {difference(found, settings)}; "
                    "choose another folder"
                )


def difference(found: Settings, wanted: Settings) -> str:
    """What differs, as `vectors of m:1, not of m:2`."""
    if found.get("encoder") != wanted["encoder"]:
        return f"vectors of {found.get('encoder')}, not of {wanted['encoder']}"
    if found.get("parts") != wanted["parts"]:
        return f"{_parts(found)}, not {_parts(wanted)}"
    if found.get("channel") != wanted["channel"]:
        return f"vectors of channel {found.get('channel')}, not of {wanted['channel']}"
    keys = [key for key in ("kind", "storage") if found.get(key) != wanted[key]]
    values = [" ".join(str(one.get(key)) for key in keys) for one in (found, wanted)]
    return f"{values[0]} vectors, not {values[1]}"


def _parts(settings: Settings) -> str:
    number = settings.get("parts")
    return "vectors in one part" if number == 1 else f"one of {number} parts"


def part_manifests(folder: Path) -> Iterator[tuple[Part, Path]]:
    """The manifests of single parts that are there."""
    for path in folder.glob("manifest-*-of-*.json"):
        if found := _PART.fullmatch(path.name):
            yield Part(int(found[1]), int(found[2])), path


def num_parts(folder: Path) -> int:
    """Of how many parts an unfinished folder is; 1 where nothing says so."""
    for part, _ in part_manifests(folder):
        return part.of
    for path in folder.glob("metadata/metadata_*.parquet"):
        with suppress(OeaError):
            return part_of(open_parquet(path).metadata).of
    return 1


def missing_parts(folder: Path, of: int) -> list[int]:
    """The parts without a manifest."""
    there = {part.number for part, _ in part_manifests(folder) if part.of == of}
    return [number for number in range(1, of + 1) if number not in there]


def advice(folder: Path, missing: list[int], of: int) -> str:
    """Which parts are missing, and how to make them."""
    named = ", ".join(map(str, missing[:NAMED]))
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    parts = f"part {named}" if len(missing) == 1 else f"parts {named}{more}"
    are, each = ("is", "") if len(missing) == 1 else ("are", " and so on")
    return (
        f"{parts} of {of} {are} missing; run `oea embed` with "
        f"--shard {missing[0]}/{of} -o {folder}/{each}"
    )
