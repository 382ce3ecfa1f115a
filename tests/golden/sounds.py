"""Sounds and captions of the golden tests, out of formulas: the same samples on every machine."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

Samples = np.ndarray
Formula = Callable[[Samples], Samples]


class Clip(NamedTuple):
    """A sound of so many seconds at a rate, what it is called, and its samples at given times."""

    seconds: float
    rate: int
    captions: tuple[str, str]
    formula: Formula


def tone(hz: float, level: float = 0.4) -> Formula:
    return lambda t: level * np.sin(2 * np.pi * hz * t)


def chirp(first: float, last: float) -> Formula:
    """From one frequency to another, linearly."""
    return lambda t: 0.4 * np.sin(2 * np.pi * (first + (last - first) * t / (2 * t[-1])) * t)


def siren(t: Samples) -> Samples:
    return 0.4 * np.sin(2 * np.pi * 700 * t + 120 * np.sin(2 * np.pi * 0.8 * t))


def noise(seed: int, level: float = 0.3) -> Formula:
    """White noise; uniform, as its generator is the same everywhere to the bit."""
    return lambda t: level * (2 * np.random.default_rng(seed).random(len(t)) - 1)


def waves(t: Samples) -> Samples:
    """Noise that comes and goes."""
    return noise(5)(t) * (0.5 - 0.5 * np.cos(2 * np.pi * 0.7 * t))


def clicks(t: Samples) -> Samples:
    """Four short knocks a second."""
    return 0.8 * np.exp(-200 * (t % 0.25)) * np.sin(2 * np.pi * 1800 * t)


def bell(t: Samples) -> Samples:
    partials = (1.0, 2.76, 5.4, 8.93)
    return sum(0.25 * np.exp(-(1 + n) * t) * tone(330 * n, 1)(t) for n in partials)


def long_story(t: Samples) -> Samples:
    """Nine seconds each of a siren, of noise and of knocks."""
    return np.where(t < 9, siren(t), np.where(t < 18, noise(6)(t), clicks(t)))


def two_channels(t: Samples) -> Samples:
    return np.stack([tone(260)(t), noise(7, 0.1)(t)], axis=1)


CLIPS: Mapping[str, Clip] = {
    "a/01.wav": Clip(1.0, 16_000, ("a steady tone", "one beep"), tone(440)),
    "a/02.wav": Clip(1.5, 44_100, ("a rising whistle", "a tone slides up"), chirp(300, 3000)),
    "a/03.wav": Clip(3.0, 16_000, ("a siren wails", "an alarm goes up and down"), siren),
    "a/04.wav": Clip(2.0, 22_050, ("a bell rings", "a church bell"), bell),
    "b/05.wav": Clip(2.0, 16_000, ("rain falls", "a steady hiss of rain"), noise(1)),
    "b/06.wav": Clip(4.0, 11_025, ("sea waves", "waves come and go"), waves),
    "b/07.wav": Clip(2.5, 48_000, ("a clock ticks", "ticking of a clock"), clicks),
    "b/08.wav": Clip(1.2, 48_000, ("a hum with a hiss", "an engine hums"), two_channels),
    "long.wav": Clip(27.0, 16_000, ("a siren, then rain, then a clock", "three sounds"),
                     long_story),
}  # fmt: skip


def write_sounds(folder: Path) -> Path:
    """Write the sounds and `clips.jsonl`, their records with captions; returns that file."""
    rows = []
    for name, clip in CLIPS.items():
        times = np.arange(round(clip.seconds * clip.rate)) / clip.rate
        samples = np.round(32_767 * clip.formula(times)).astype(np.int16)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, clip.rate, subtype="PCM_16")
        kind = name.partition("/")[0] if "/" in name else "long"
        rows.append({"id": name, "path": name, "captions": list(clip.captions),
                     "duration": clip.seconds, "kind": kind})  # fmt: skip
    return write_rows(folder / "clips.jsonl", rows)


def write_rows(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
