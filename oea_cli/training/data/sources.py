"""Records -> clips that can be trained on, and a word about those that cannot."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import soundfile

from oea_cli.clips.clip import clip_from
from oea_cli.clips.leaks import find_leaks, load_blacklist
from oea_cli.errors import Failure, OeaError
from oea_cli.records.addresses import is_remote
from oea_cli.records.artefacts import AtomicFile
from oea_cli.records.inputs import read_records
from oea_cli.records.rows import Record
from oea_cli.records.sections import file_section
from oea_cli.training.recipe.clips import ClipSource
from oea_cli.training.recipe.contradictions import is_test_split

SECONDS_FILE = "seconds.json"
HEADERS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class TrainingClip:
    """What training keeps of a clip; a million of them with their records would fill the memory.

    Captions are there once each. `seconds` is 0 where neither the record nor the file tells.
    """

    id: str
    path: str
    captions: tuple[str, ...]
    seconds: float
    start: float = 0.0  # of its section in the file
    channel: str = "mix"  # of the file: left, right or a number from 1
    negatives: tuple[str, ...] = ()  # ids of clips that its captions do not fit, though nearly
    negative_captions: tuple[str, ...] = ()


@dataclass
class Reading:
    """What a source has: clips, and what was left out of them and why."""

    source: ClipSource
    clips: list[TrainingClip] = field(default_factory=list)
    missing: list[Failure] = field(default_factory=list)
    kept_out: int = 0  # blacklisted, or held out
    uncaptioned: int = 0

    @property
    def missing_share(self) -> float:
        """Of the clips that are wanted, how many are not there or cannot be read."""
        return len(self.missing) / max(1, len(self.missing) + len(self.clips))

    def __str__(self) -> str:
        text = f"{PurePosixPath(self.source.path).name} {counted(len(self.clips))}"
        left_out = {
            "missing": len(self.missing),
            "kept out": self.kept_out,
            "without captions": self.uncaptioned,
        }
        reasons = ", ".join(f"{count:,} {why}" for why, count in left_out.items() if count)
        return f"{text} ({reasons})" if reasons else text


def counted(clips: int) -> str:
    """`1 clip`, `3,839 clips`."""
    return f"{clips:,} clip" + "s" * (clips != 1)


def read_source(source: ClipSource, forbidden: Sequence[Record], seconds: "Lengths") -> Reading:
    """The clips of a source that pass its filters and are none of the `forbidden`.

    Raises OeaError for a source that cannot be read, or holds a test split that is not left out.
    """
    reading = Reading(source)
    banned = [*forbidden, *(one for name in source.blacklists for one in blacklisted(name))]
    clips: list[TrainingClip] = []
    records = _records(reading, clips)  # goes by and fills clips
    found = {leak.training for leak in find_leaks(records, banned)} if banned else set()
    deque(records, maxlen=0)
    kept = [clip for clip in clips if clip.id not in found]
    reading.kept_out = len(clips) - len(kept)
    there = []
    for clip in kept:
        if is_remote(clip.path) or Path(clip.path).is_file():
            there.append(clip)
        else:
            reading.missing.append(Failure(clip.path, "no such file", clip.id))
    reading.clips = [clip for clip in seconds.filled(there) if _has_length(source, clip.seconds)]
    if source.limit:
        reading.clips = reading.clips[: source.limit]
    return reading


def _records(reading: Reading, clips: list[TrainingClip]) -> Iterator[Record]:
    """The records of a source that make clips; those go to `clips`, on the way."""
    source = reading.source
    for record in read_records([source.path], report=reading.missing.append, root=source.root):
        if not _is_of_split(source, record):
            continue
        clip = training_clip_from(record)
        if clip is None:
            reading.uncaptioned += 1
        elif _has_length(source, clip.seconds):
            clips.append(clip)
            yield record


def training_clip_from(record: Record) -> TrainingClip | None:
    """None for a record without a sound or without captions."""
    clip = clip_from(record)
    if clip.path is None or not clip.captions:
        return None
    return TrainingClip(
        id=clip.id,
        path=clip.path,
        # One that is published twice must not be drawn twice as often.
        captions=tuple(dict.fromkeys(clip.captions)),
        seconds=clip.seconds or 0.0,
        start=clip.start or 0.0,
        channel=file_section(record)["channel"],
        negatives=clip.negatives,
        negative_captions=clip.negative_captions,
    )


def blacklisted(name: str) -> list[Record]:
    """Clips to keep out: WavCaps' lists of ids, or records in any form."""
    if name.endswith(".json"):
        try:
            return load_blacklist(name)
        except OeaError:
            pass  # other records may be JSON, too
    failures: list[Failure] = []
    records = list(read_records([name], report=failures.append))
    if failures or not records:
        why = failures[0] if failures else Failure(name, "no records in it")
        raise OeaError(f"{why}; it names clips that must not be trained on")
    return records


def _is_of_split(source: ClipSource, record: Record) -> bool:
    split = record.get("split")
    splits = {split} if isinstance(split, str) else set(PurePosixPath(str(record["id"])).parts[:-1])
    if source.split:
        return source.split in splits
    if test := sorted(name for name in splits if is_test_split(name)):
        raise OeaError(
            f"{source.path}: holds a test split ('{test[0]}'), which nothing is trained on; "
            "name another with split:"
        )
    return True


def _has_length(source: ClipSource, seconds: float) -> bool:
    longest = source.max_seconds or float("inf")
    return not seconds or (source.min_seconds or 0) <= seconds <= longest


class Lengths:
    """How long sounds are, out of their headers; remembered in a file of the run's folder.

    91,000 headers take minutes on a slow disk, and a run that goes on must see the same lengths.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / SECONDS_FILE
        known: dict[str, float] = {}
        if self._path.is_file():
            known = json.loads(self._path.read_text(encoding="utf-8"))
        self._known = known

    def filled(self, clips: Sequence[TrainingClip]) -> list[TrainingClip]:
        """The clips, each with its length; 0 where the file's header does not tell."""
        unknown = list({clip.path for clip in clips if not clip.seconds} - self._known.keys())
        with ThreadPoolExecutor(HEADERS_AT_ONCE) as pool:
            self._known |= zip(unknown, pool.map(_seconds_of, unknown), strict=True)
        if unknown:
            with AtomicFile(self._path) as aside:
                aside.write_text(json.dumps(self._known), encoding="utf-8")
        return [
            clip
            if clip.seconds
            else replace(clip, seconds=max(0.0, self._known[clip.path] - clip.start))
            for clip in clips
        ]


def _seconds_of(path: str) -> float:
    """0 where libsndfile cannot tell: whether it can be decoded is found out when it is used."""
    try:
        info = soundfile.info(path)
        return float(info.duration) if 0 < info.frames < 2**62 else 0.0
    except (soundfile.LibsndfileError, OSError, RuntimeError):
        return 0.0
