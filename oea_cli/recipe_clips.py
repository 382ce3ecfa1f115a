"""What a training recipe says of clips with captions: where they are, which of them, how they vary.

A path may begin with `{wavcaps}`, `{audiocaps}`, `{clotho}` or `{mecat}`, the recipe's `folders`;
OEA_WAVCAPS_FOLDER and its like fill them in. (OEA_AUDIOCAPS and its like name the test captions
for `recipes/paper-eval.yaml`, which nothing is trained on.)
"""

import dataclasses
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from oea_cli.records.addresses import is_remote


@dataclass(frozen=True)
class Folders:
    """Where the published datasets lie; used in paths as `{clotho}/clotho_captions_...csv`."""

    wavcaps: Path | None = None
    audiocaps: Path | None = None
    clotho: Path | None = None
    mecat: Path | None = None


@dataclass(frozen=True)
class ClipSource:
    """Clips with captions, in any form that `oea embed` reads: a table, a pattern, a folder."""

    path: str
    root: str | None = (
        None  # where the sounds lie, if not beside the table; searched with all below
    )
    split: str = ""  # only records of this `split`, or in a folder of this name
    min_seconds: float | None = None  # shorter clips are left out
    max_seconds: float | None = None  # longer ones too
    blacklists: tuple[str, ...] = ()  # clips to leave out: WavCaps' JSON, or records
    limit: int | None = None  # the first so many
    weight: float = 1.0  # times that each of its clips is heard in an epoch


@dataclass(frozen=True)
class Augment:
    """How clips vary from epoch to epoch; nothing does by default."""

    gain_db: float = 0.0  # up to so much louder or softer, short of clipping
    noise: float = 0.0  # chance of white noise
    noise_snr: tuple[float, ...] = (10.0, 40.0)  # dB, from and to
    time_masks: int = 0  # stretches of the mel that are blanked
    time_width: float = 0.5  # seconds at most, and a fifth of the clip
    frequency_masks: int = 0
    frequency_width: int = 16  # mel bands at most
    mix: float = 0.0  # chance of a second clip beneath it, and of "A and B" for a caption
    mix_snr: tuple[float, ...] = (-3.0, 9.0)  # dB of the first over the second


TEST_WORDS = {"test", "testing", "eval", "evaluation"}
ENVIRONMENT = {item.name: f"OEA_{item.name.upper()}_FOLDER" for item in dataclasses.fields(Folders)}
PLACEHOLDER = re.compile(r"\{(\w*)\}/?")
Tree = dict[str, Any]
Move = Callable[[str], str]


def is_test_split(name: str) -> bool:
    """True where a split, a file or its folder is called a test or evaluation split."""
    path = PurePosixPath(name)
    words = set(re.split(r"[^a-z]+", path.name.lower()))
    return bool(words & TEST_WORDS) or path.parent.name.lower() in TEST_WORDS


# --- where paths come from ---


def with_folders_of_environment(tree: Tree) -> Tree:
    """The tree with the folders that the environment names."""
    found = {
        name: str(Path(os.environ[key]).absolute())
        for name, key in ENVIRONMENT.items()
        if os.environ.get(key)
    }
    folders = tree.get("folders", {})
    return tree | {"folders": folders | found} if found and isinstance(folders, dict) else tree


def absolute_clip_paths(tree: Tree, folder: Path) -> Tree:
    """The tree with all paths to clips, and to lists of them, as meant from a folder."""

    def absolute(name: str) -> str:
        if is_remote(name) or name.startswith("{"):
            return name
        return str((folder / Path(name).expanduser()).resolve())

    moved = _moved_paths(tree, absolute)
    if isinstance(folders := tree.get("folders"), dict):
        moved["folders"] = {
            key: absolute(value) if isinstance(value, str) else value
            for key, value in folders.items()
        }
    return moved


def filled_clip_paths(tree: Tree) -> Tree:
    """The tree with `{clotho}` replaced by that folder, where it is known."""
    given = tree.get("folders")
    folders = given if isinstance(given, dict) else {}

    def filled(name: str) -> str:
        match = PLACEHOLDER.match(name)
        folder = folders.get(match[1]) if match else None
        if not match or not isinstance(folder, str):
            return name
        return str(Path(folder).expanduser() / name[match.end() :])

    return _moved_paths(tree, filled)


def _moved_paths(tree: Tree, move: Move) -> Tree:
    moved = dict(tree)
    _move(moved, ("never", "near_duplicates"), move)
    _move_sources(moved, "validation", move)
    if isinstance(stages := tree.get("stages"), list):
        moved["stages"] = [dict(stage) if isinstance(stage, dict) else stage for stage in stages]
        for stage in moved["stages"]:
            if isinstance(stage, dict):
                _move(stage, ("exclusions",), move)
                _move_sources(stage, "data", move)
    return moved


def _move_sources(tree: Tree, key: str, move: Move) -> None:
    if isinstance(sources := tree.get(key), list):
        tree[key] = [dict(source) if isinstance(source, dict) else source for source in sources]
        for source in tree[key]:
            if isinstance(source, dict):
                _move(source, ("path", "root", "blacklists"), move)


def _move(tree: Tree, keys: tuple[str, ...], move: Move) -> None:
    for key in keys:
        value = tree.get(key)
        if isinstance(value, str):
            tree[key] = move(value)
        elif isinstance(value, list):
            tree[key] = [move(item) if isinstance(item, str) else item for item in value]


# --- whether the values make sense ---


def clip_mistakes(recipe: Any) -> Iterator[str]:
    """Lines about what a recipe says of clips and cannot mean. `recipe` is a `recipe.Recipe`."""
    with_clips = [stage for stage in recipe.stages if stage.data]
    if with_clips and len(with_clips) < len(recipe.stages):
        yield "stages: all need data, or none; scenes and clips cannot take turns"
    for stage in recipe.stages:
        yield from _stage_mistakes(stage)
    yield from _source_mistakes(recipe.validation, "validation")
    if recipe.validation and not with_clips:
        yield "validation: scenes are validated on scenes; it needs stages with data"
    if with_clips and recipe.validate_every and not recipe.validation:
        yield "validate_every: needs validation, clips that are not trained on"
    for key in ("noise_snr", "mix_snr"):
        ends = getattr(recipe.augment, key)
        if len(ends) != 2 or ends[0] > ends[1]:
            yield f"augment.{key}: needs two numbers, from and to, not {list(ends)}"
    for where, name in _all_paths(recipe):
        match = PLACEHOLDER.match(name)
        if match and match[1] not in ENVIRONMENT:
            yield f"{where}: {{{match[1]}}} is none of the folders {', '.join(ENVIRONMENT)}"


def unset_folders(recipe: Any) -> list[str]:
    """A line for each of the folders that paths begin with and nobody has named."""
    names = {match[1] for _, name in _all_paths(recipe) if (match := PLACEHOLDER.match(name))}
    return [
        f"folders.{name}: not set; --set folders.{name}=DIR or {ENVIRONMENT[name]} says where it is"
        for name in ENVIRONMENT
        if name in names
    ]


def _stage_mistakes(stage: Any) -> Iterator[str]:
    where = f"stages.{stage.name}"
    yield from _source_mistakes(stage.data, f"{where}.data")
    if stage.data and stage.modality != "pairs":
        yield f"{where}.modality: clips are trained on in pairs"
    if stage.data:
        yield from (
            f"{where}.exclusions: '{name}' is a test split, which nothing is trained on"
            for name in stage.exclusions
            if is_test_split(name)
        )
        return
    for key in ("exclusions", "hard_sounds", "hard_texts"):
        if getattr(stage, key):
            yield f"{where}.{key}: has no meaning without data"


def _source_mistakes(sources: tuple[ClipSource, ...], where: str) -> Iterator[str]:
    for i, source in enumerate(sources):
        for key in ("path", "root", "split"):
            name = getattr(source, key)
            if name and is_test_split(name):
                yield f"{where}[{i}].{key}: '{name}' is a test split; it is for `oea eval` alone"
        if source.max_seconds and source.max_seconds <= (source.min_seconds or 0):
            yield f"{where}[{i}].max_seconds: must be more than min_seconds"


def _all_paths(recipe: Any) -> Iterator[tuple[str, str]]:
    """(key, path) of everything that names clips."""
    groups = [("validation", recipe.validation)]
    groups += [(f"stages.{stage.name}.data", stage.data) for stage in recipe.stages]
    for where, sources in groups:
        for i, source in enumerate(sources):
            for name in (source.path, source.root or "", *source.blacklists):
                yield f"{where}[{i}]", name
    for key in ("never", "near_duplicates"):
        yield from ((key, name) for name in getattr(recipe, key))
    for stage in recipe.stages:
        yield from ((f"stages.{stage.name}.exclusions", name) for name in stage.exclusions)
