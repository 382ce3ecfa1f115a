"""Takes -> scenes: cropping, speed, loudness, place in time, and noise on the mel.

Everything here follows from the given random generator.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipes.mini.scenes.sounds import SAMPLE_RATE


@dataclass(frozen=True)
class Placed:
    """One sound of a scene, ready to be added: samples as long as the scene."""

    label: str
    samples: np.ndarray


def fit(rng: np.random.Generator, samples: np.ndarray, length: int) -> np.ndarray:
    """(length,) float32: a loud stretch of a longer sound; a shorter one somewhere, or repeated."""
    if len(samples) >= length:
        return eventful_stretch(rng, samples, length)
    fitted = np.zeros(length, np.float32)
    pause = int(rng.integers(0, SAMPLE_RATE))
    start = int(rng.integers(length - len(samples) + 1))
    fitted[start : start + len(samples)] = samples
    if rng.random() < 0.5:
        step = len(samples) + pause
        for other in (*range(start + step, length, step), *range(start - step, -1, -step)):
            piece = samples[: length - other]
            fitted[other : other + len(piece)] += piece
    return fitted


def eventful_stretch(rng: np.random.Generator, samples: np.ndarray, length: int) -> np.ndarray:
    """A stretch around a moment drawn by its loudness: of a take with one bang, never the hush."""
    step = SAMPLE_RATE // 20
    edges = np.arange(0, len(samples), step)
    loudness = np.sqrt(np.add.reduceat(samples.astype(np.float64) ** 2, edges)) + 1e-9
    moment = float(rng.choice(edges, p=loudness / loudness.sum()))
    start = int(moment - rng.uniform(0.05, 0.9) * length)
    start = max(0, min(start, len(samples) - length))
    return samples[start : start + length].astype(np.float32)


def change_speed(rng: np.random.Generator, samples: np.ndarray) -> np.ndarray:
    """Faster and higher, or slower and lower, by up to 15 %."""
    factor = float(np.exp(rng.uniform(-0.15, 0.15)))
    places = np.arange(0, len(samples) - 1, factor)
    changed: np.ndarray = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    return changed


def place(
    rng: np.random.Generator, label: str, samples: np.ndarray, length: int, decibels: float
) -> Placed:
    """A take as one sound of a scene of this length, at this level."""
    varied = change_speed(rng, samples) if rng.random() < 0.5 else samples
    return Placed(label, fit(rng, varied, length) * np.float32(10 ** (decibels / 20)))


def far_away(samples: np.ndarray) -> np.ndarray:
    """Quieter by 14 dB and duller, as from a distance."""
    kernel = np.hanning(11).astype(np.float32)
    kernel /= kernel.sum()
    return np.convolve(samples, kernel, mode="same").astype(np.float32) * np.float32(0.2)


def one_after_another(sounds: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Each sound in its own part of the scene, in the given order, with short fades."""
    length = len(sounds[0])
    edges = np.linspace(0, length, len(sounds) + 1).astype(int)
    fade = min(800, length // (4 * len(sounds)))
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    parts = []
    for i, sound in enumerate(sounds):
        part = np.zeros(length, np.float32)
        width = edges[i + 1] - edges[i]
        piece = loudest_stretch(sound, width).copy()
        piece[:fade] *= ramp
        piece[-fade:] *= ramp[::-1]
        part[edges[i] : edges[i + 1]] = piece
        parts.append(part)
    return parts


def loudest_stretch(samples: np.ndarray, width: int) -> np.ndarray:
    """The stretch of this width with the most energy, to a quarter of a second."""
    step = SAMPLE_RATE // 4
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    starts = np.arange(0, len(samples) - width + 1, step)
    best = starts[int(np.argmax(energy[starts + width] - energy[starts]))]
    return samples[best : best + width]


def mix(rng: np.random.Generator, sounds: Sequence[np.ndarray]) -> np.ndarray:
    """The sum at a random level, sometimes with a little noise; never beyond full scale."""
    total: np.ndarray = np.stack(sounds).sum(axis=0).astype(np.float32)
    if rng.random() < 0.3:
        level = 10 ** (rng.uniform(-50, -30) / 20)
        total = total + rng.standard_normal(len(total), dtype=np.float32) * np.float32(level)
    gain = 10 ** (rng.uniform(-14, 6) / 20)
    peak = float(np.abs(total).max(initial=0)) or 1.0
    return total * np.float32(min(gain, 0.99 / peak))


def vary_mel(rng: np.random.Generator, mel: np.ndarray, count: int) -> None:
    """In place on (M, F), of which `count` frames are the clip's: an equaliser curve, and now and
    then masked bands and moments."""
    num_mels = len(mel)
    if rng.random() < 0.6:
        # A step of 0.25 is 10 dB: whisper's mel is log10 over 4.
        places = np.linspace(0, num_mels - 1, 6)
        curve = np.interp(np.arange(num_mels), places, rng.normal(0, 0.1, 6))
        mel[:, :count] += curve[:, None].astype(np.float32)
    floor = mel[:, :count].min()
    if rng.random() < 0.4:
        width = int(rng.integers(4, 20))
        start = int(rng.integers(num_mels - width))
        mel[start : start + width, :count] = floor
    if rng.random() < 0.2 and count > 40:
        width = int(rng.integers(4, count // 8 + 5))
        start = int(rng.integers(count - width))
        mel[:, start : start + width] = floor
