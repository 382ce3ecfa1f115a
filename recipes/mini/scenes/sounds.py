"""The sounds that training scenes are made of: rendered events and labelled recordings.

All takes lie in one memory-mapped file of 16-bit samples, written once per output folder, so that
background workers share them and a continued run finds the same ones.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.audio.windows import read_audio
from oea_cli.errors import OeaError
from recipes.mini.recipe import MiniRecipe, Sounds
from recipes.mini.synthesis.events import EVENTS

SAMPLE_RATE = 16_000
INDEX, SAMPLES = "index.json", "samples.i16"
Labelled = Iterator[tuple[str, np.ndarray]]
LOUDNESS = 0.1  # root mean square that every take is brought to, where its peak allows
QUIET = 0.02  # of a take's peak: what lies below at its ends is cut off

ESC10_CLASSES = {
    "dog": "dog",
    "rain": "rain",
    "sea_waves": "sea waves",
    "crying_baby": "crying baby",
    "clock_tick": "clock tick",
    "sneezing": "sneeze",
    "helicopter": "helicopter",
    "chainsaw": "chainsaw",
    "rooster": "rooster",
    "crackling_fire": "crackling fire",
}


@dataclass(frozen=True)
class Take:
    """One stretch of the samples: a sound of one class."""

    label: str
    start: int
    length: int


class Sources:
    """Takes by class; `pick` chooses one, `samples_of` reads it."""

    def __init__(self, rendered: "Bank", recorded: "Bank") -> None:
        self.rendered, self.recorded = rendered, recorded
        self.labels = sorted({*rendered.takes, *recorded.takes})

    def pick(self, rng: np.random.Generator, label: str, recorded_share: float) -> np.ndarray:
        """One take of a class, (n,) float32: a recording with this chance, where there are both."""
        both = label in self.rendered.takes and label in self.recorded.takes
        wants_recording = rng.random() < recorded_share if both else label in self.recorded.takes
        bank = self.recorded if wants_recording else self.rendered
        takes = bank.takes[label]
        return bank.samples_of(takes[int(rng.integers(len(takes)))])


class Bank:
    """Takes by class in one memory-mapped file."""

    def __init__(self, folder: Path) -> None:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        self.takes: dict[str, list[Take]] = {}
        for row in index["takes"]:
            self.takes.setdefault(row[0], []).append(Take(*row))
        self.samples: np.ndarray = np.zeros(0, np.int16)
        if self.takes:
            self.samples = np.memmap(folder / SAMPLES, np.int16, mode="r")

    def samples_of(self, take: Take) -> np.ndarray:
        """(take.length,) float32."""
        stored = self.samples[take.start : take.start + take.length]
        return np.asarray(stored, np.float32) / np.float32(32767)


def open_sources(recipe: MiniRecipe, folder: Path, workers: int) -> Sources:
    """The sounds of a recipe, made into `folder` unless they lie there already."""
    sounds = recipe.sounds
    rendered = [recipe.seed, sounds.variants, sounds.variant_seconds, event_names(sounds)]
    _make_bank(folder / "rendered", rendered, lambda: _rendered(recipe, workers))
    recordings = [
        (label, path)
        for label, path in labelled_recordings(sounds)
        if not sounds.classes or label in sounds.classes
    ]
    recorded = [[label, str(path)] for label, path in recordings]
    _make_bank(
        folder / "recorded",
        recorded,
        lambda: ((label, read_audio(path, SAMPLE_RATE)) for label, path in recordings),
    )
    return Sources(Bank(folder / "rendered"), Bank(folder / "recorded"))


def event_names(sounds: Sounds) -> list[str]:
    """The events that a recipe renders."""
    return [name for name in EVENTS if not sounds.classes or name in sounds.classes]


def _make_bank(folder: Path, made_for: list[Any], sounds: Callable[[], Labelled]) -> None:
    digest = hashlib.sha256(json.dumps(made_for).encode()).hexdigest()[:16]
    index = folder / INDEX
    if index.is_file() and json.loads(index.read_text(encoding="utf-8"))["made_for"] == digest:
        return
    folder.mkdir(parents=True, exist_ok=True)
    index.unlink(missing_ok=True)
    takes: list[Take] = []
    start = 0
    # Aside: a run that still maps the old file keeps it, and does not fall over.
    samples = folder / f"{SAMPLES}.tmp"
    with samples.open("wb") as file:
        for label, waveform in sounds():
            levelled = level(trim(waveform))
            file.write((levelled * 32767).astype("<i2").tobytes())
            takes.append(Take(label, start, len(levelled)))
            start += len(levelled)
    samples.replace(folder / SAMPLES)
    rows = [[take.label, take.start, take.length] for take in takes]
    aside = folder / f"{INDEX}.tmp"
    aside.write_text(json.dumps({"made_for": digest, "takes": rows}), encoding="utf-8")
    aside.replace(index)


def _rendered(recipe: MiniRecipe, workers: int) -> Labelled:
    seconds = recipe.sounds.variant_seconds
    names, variants = event_names(recipe.sounds), range(recipe.sounds.variants)
    jobs = [(name, recipe.seed, i, seconds) for name in names for i in variants]
    if not workers:
        yield from ((job[0], _render(job)) for job in jobs)
        return
    with ProcessPoolExecutor(max_workers=workers + 1) as pool:
        for job, waveform in zip(jobs, pool.map(_render, jobs, chunksize=4), strict=True):
            yield job[0], waveform


def _render(job: tuple[str, int, int, float]) -> np.ndarray:
    name, seed, variant, longest = job
    rng = np.random.default_rng([seed, variant, *name.encode()])
    return EVENTS[name].render(rng, float(rng.uniform(0.4, 1.0)) * longest, SAMPLE_RATE)


# --- recordings ---


def labelled_recordings(sounds: Sounds) -> Iterator[tuple[str, Path]]:
    """(class, file) of ESC-10's chosen folds and of the game sounds whose label is known."""
    if sounds.esc10 is not None:
        for row in _rows(sounds.esc10 / "esc10_meta.csv", "sounds.esc10"):
            if int(row["fold"]) in sounds.folds:
                yield ESC10_CLASSES[row["category"]], sounds.esc10 / row["path"]
    if sounds.game_sounds is not None:
        from recipes.mini.synthesis.vocabulary import GAME_SOUNDS

        for row in _rows(sounds.game_sounds / "meta.csv", "sounds.game_sounds"):
            if label := GAME_SOUNDS.get(row["label"]):
                yield label, sounds.game_sounds / row["path"]


def _rows(path: Path, key: str) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise OeaError(
            f"{path}: {error.strerror}; say where it lies with --set {key}=FOLDER"
        ) from error


def trim(waveform: np.ndarray) -> np.ndarray:
    """Without the near-silence at both ends; at least a tenth of a second stays."""
    loud = np.flatnonzero(np.abs(waveform) > QUIET * np.abs(waveform).max(initial=0))
    if not len(loud):
        return np.zeros(SAMPLE_RATE // 10, np.float32)
    end = max(loud[-1] + 1, loud[0] + SAMPLE_RATE // 10)
    return waveform[loud[0] : end]


def level(waveform: np.ndarray) -> np.ndarray:
    """Brought to LOUDNESS, or to a peak of 1 where that would clip."""
    rms = float(np.sqrt(np.mean(waveform**2))) or 1.0
    peak = float(np.abs(waveform).max(initial=0)) or 1.0
    return waveform * np.float32(min(LOUDNESS / rms, 1 / peak))
