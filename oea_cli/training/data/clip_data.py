"""A recipe's clips, found and checked before any model is loaded."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from oea_cli.clips.leaks import find_leaks
from oea_cli.encoder.omni.front_end import FrontEnd
from oea_cli.errors import Failure, OeaError, UsageError
from oea_cli.records.addresses import is_remote
from oea_cli.records.artefacts import AtomicFile
from oea_cli.records.inputs import read_records
from oea_cli.records.rows import Record
from oea_cli.training.data.clip_audio import ClipAudio, undecodable
from oea_cli.training.data.clip_examples import ANY_CAPTION, ClipExamples, StageClips
from oea_cli.training.data.contrasts import ClipNumbers, read_exclusions, read_same
from oea_cli.training.data.examples import Data, Examples
from oea_cli.training.data.fit_keys import FitKeys
from oea_cli.training.data.order import epoch_shares
from oea_cli.training.data.schedule import with_steps
from oea_cli.training.data.sources import Lengths, Reading, blacklisted, counted, read_source
from oea_cli.training.recipe.clips import ClipSource
from oea_cli.training.recipe.loading import unset_folders
from oea_cli.training.recipe.recipe import Recipe, Stage

MISSING_FILE = "missing.jsonl"
LISTED = 10


def open_data(
    recipe: Recipe, folder: Path, notice: Callable[[str], object] = lambda text: None
) -> Data:
    """The clips of a recipe's stages; `folder` is the run's, for what has to be found out once.

    `notice` receives what was found. Raises OeaError that names what is missing.
    """
    if not any(stage.data for stage in recipe.stages):
        raise UsageError(
            f"{recipe.name}: its stages name no data; give each a list of clips, "
            "`data: [{path: clips.jsonl}]`"
        )
    return ClipData(recipe, folder, notice)


class ClipData:
    """Clips with captions, as files describe them. Implements `Data`."""

    def __init__(self, recipe: Recipe, folder: Path, notice: Callable[[str], object]) -> None:
        """Find all clips; raises OeaError or UsageError that names all that is wrong with them."""
        _check_inputs(recipe)
        self.recipe, self.folder = recipe, folder
        lengths = Lengths(folder)
        never = [record for name in recipe.never for record in blacklisted(name)]
        validation = [read_source(source, [], lengths) for source in recipe.validation]
        self.validated = [clip for reading in validation for clip in reading.clips]
        validated = [record for reading in validation for record in _records_of(reading)]
        _refuse_tests(validated, never)
        stages = [
            [read_source(source, [*never, *validated], lengths) for source in stage.data]
            for stage in recipe.stages
        ]
        readings = {f"stages.{s.name}.data": r for s, r in zip(recipe.stages, stages, strict=True)}
        readings |= {"validation": validation} if validation else {}
        self._refuse_missing(readings)
        for where, found in readings.items():
            notice(f"{where}: {'; '.join(map(str, found))}")
        self.stages = {
            stage.name: self._stage(stage, found)
            for stage, found in zip(recipe.stages, stages, strict=True)
        }
        self._names = "; ".join(
            f"{name} {counted(len(stage.clips))}" for name, stage in self.stages.items()
        )

    @property
    def has_validation(self) -> bool:
        """Whether the recipe names clips to validate on."""
        return bool(self.validated)

    @property
    def description(self) -> str:
        """How many clips each stage has, and how many of them turned out to be broken."""
        broken = len(undecodable(self.folder))
        return self._names + (f"; {broken} of them cannot be decoded" if broken else "")

    def clips(self, stage: str) -> int:
        """How many an epoch of a stage goes through."""
        return sum(epoch_shares(self.stages[stage].sizes, self.stages[stage].weights))

    def texts(self) -> Iterator[str]:
        """All captions."""
        for stage in self.stages.values():
            for clip in stage.clips:
                yield from clip.captions

    def examples(self, front_end: FrontEnd) -> Examples:
        """Batches of them."""
        settings = front_end.settings
        audio = ClipAudio(self.folder, settings.sample_rate, self.recipe.model.max_seconds)
        recipe = with_steps(self.recipe, self)
        stages = list(self.stages.values())
        # Like lengths pad little.
        validated = sorted(self.validated, key=lambda clip: clip.seconds)
        return ClipExamples(recipe, front_end, stages, validated, audio)

    def _stage(self, stage: Stage, readings: Sequence[Reading]) -> StageClips:
        clips = [clip for reading in readings for clip in reading.clips]
        numbers = ClipNumbers.of(clips)
        entries = [_entries_of(reading) for reading in readings]
        sizes = [len(reading.clips) for reading in readings]
        firsts = np.cumsum(sizes) - sizes
        places = [own + np.array([n, 0]) for own, n in zip(entries, firsts, strict=True)]
        return StageClips(
            clips,
            np.concatenate([np.zeros((0, 2), np.int64), *places]),
            numbers,
            FitKeys(read_same(self.recipe.near_duplicates, numbers)),
            read_exclusions(stage.exclusions, clips, numbers),
            [len(own) for own in entries],
            [reading.source.weight for reading in readings],
        )

    def _refuse_missing(self, readings: dict[str, list[Reading]]) -> None:
        """Name what is missing in a file; raise OeaError where it is too much, or all."""
        missing = [one for found in readings.values() for r in found for one in r.missing]
        path = self.folder / MISSING_FILE
        with AtomicFile(path) as aside:
            aside.write_text("".join(map(_line, missing)), encoding="utf-8")
        problems = []
        for where, found in readings.items():
            for reading in found:
                if reading.missing_share > self.recipe.max_missing:
                    problems.append(_too_many(where, reading, self.recipe.max_missing, path))
                elif not reading.clips:
                    problems.append(f"{where}: {reading}: none of its clips can be used")
        if problems:
            raise OeaError(problems[0], problems[1:])


def _entries_of(reading: Reading) -> np.ndarray:
    """What an epoch goes through of a source (E, 2), as `StageClips.entries`."""
    if reading.source.entries == "clips":
        found = [(number, ANY_CAPTION) for number in range(len(reading.clips))]
    else:
        found = [
            (number, caption)
            for number, clip in enumerate(reading.clips)
            for caption in range(len(clip.captions))
        ]
    return np.array(found, np.int64).reshape(-1, 2)


def _check_inputs(recipe: Recipe) -> None:
    """Raise UsageError that names every file and folder which the recipe needs and is not there."""
    problems = unset_folders(recipe)
    named: list[tuple[str, str | None]] = []
    for stage in recipe.stages:
        named += _named(f"stages.{stage.name}.data", stage.data)
        named += [(f"stages.{stage.name}.exclusions", name) for name in stage.exclusions]
    named += _named("validation", recipe.validation)
    named += [(key, name) for key in ("never", "near_duplicates") for name in getattr(recipe, key)]
    for where, name in named:
        if name and not name.startswith("{") and not _is_there(name):
            problems.append(f"{where}: {name} does not exist{_hint(recipe, name)}")
    if problems:
        raise UsageError(f"{recipe.name}: its data are not all there", [*dict.fromkeys(problems)])


def _named(where: str, sources: Sequence[ClipSource]) -> list[tuple[str, str | None]]:
    return [
        (f"{where}[{i}]", name)
        for i, source in enumerate(sources)
        for name in (source.path, source.root, *source.blacklists)
    ]


def _hint(recipe: Recipe, name: str) -> str:
    """How clips come into a recipe's own folder for them, which others than datasets lie in."""
    folder = recipe.folders.clips
    if folder is None or not name.startswith(str(folder)):
        return ""
    return f"; `oea demo {folder}` puts clips there, --set folders.clips=DIR names others"


def _is_there(name: str) -> bool:
    path = Path(name)
    if is_remote(name) or path.exists():
        return True
    return any(mark in name for mark in "*?[") and any(Path(path.anchor).glob(name[1:]))


def _records_of(reading: Reading) -> Iterator[Record]:
    """The records of clips that are validated on, those that are missing included."""
    source, failures = reading.source, list[Failure]()
    wanted = {clip.id for clip in reading.clips} | {failure.id for failure in reading.missing}
    records = read_records([source.path], report=failures.append, root=source.root)
    return (record for record in records if record["id"] in wanted)


def _refuse_tests(validated: Sequence[Record], never: Sequence[Record]) -> None:
    # Two sounds can share a title; that is reason enough to leave one out, but not to refuse it.
    leaks = [leak for leak in find_leaks(validated, never) if leak.by != "title"]
    if leaks:
        raise UsageError(
            f"validation: {len({leak.training for leak in leaks})} of its clips are in a test set "
            f"({leaks[0].training}, by {leaks[0].by}), and a test set is never validated on"
        )


def _too_many(where: str, reading: Reading, limit: float, path: Path) -> str:
    count, share = len(reading.missing), reading.missing_share
    lines = "".join(f"\n  {failure}" for failure in reading.missing[:LISTED])
    more = f"\n  and {count - LISTED:,} more" if count > LISTED else ""
    return (
        f"{where}: {count:,} of {count + len(reading.clips):,} clips of {reading.source.path} are "
        f"missing, {share:.1%}, more than max_missing ({limit:.0%}); all are named in {path}; "
        "if they were moved, the source's root: says where they are now"
        f"{lines}{more}"
    )


def _line(failure: Failure) -> str:
    content = {"where": failure.where, "error": failure.error, "id": failure.id}
    return json.dumps(content, ensure_ascii=False) + "\n"
