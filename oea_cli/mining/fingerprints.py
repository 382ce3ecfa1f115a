"""Fingerprints: whether two files hold one sound, despite mp3, ogg, gain and small offsets.

A frame every 32 ms becomes 32 bits: which of two neighbouring bands grew more since the frame
before (Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", 2002). Loudness cancels
out, and what a codec removes seldom decides a bit. Different sounds agree in half of their bits,
however similar they sound. A recording and the same recording with another sound mixed in also
share most bits, but are a good hard negative: so the levels of the loud bands are compared as well,
which a codec keeps and an added sound changes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 8_000  # Hz
MAX_SECONDS = 10.0  # of a sound are used: 10 kB in memory
FRAME, HOP = 2048, 256  # samples: frames of 0.26 s overlap, so that an offset changes little
NUM_BANDS = 33  # one bit less
LOWEST, HIGHEST = 200.0, 3_400.0  # Hz
MAX_OFFSET = 0.3  # seconds
SILENCE = 1e-5  # of the loudest frame's energy: 50 dB below it
SAME_BELOW = 0.35
"""One sound encoded twice differs in a smaller share of its bits (two others: 0.40 and more)."""
LOUD_DECIBELS, CHANGED_DECIBELS = 20, 6
CHANGED_BELOW = 0.025
"""... and in the level of a smaller share of its loud cells (a sound mixed in: 0.028 and more).
`tests/benchmarks/mining.py duplicates` measures both."""
FRAMES_AT_ONCE = 512

Bits = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Fingerprint:
    """32 bits per frame (F,), which frames (F,) are loud enough to count, and the level of
    each of 33 bands (F, 33), in decibels below the loudest."""

    bits: Bits
    is_loud: npt.NDArray[np.bool_]
    levels: npt.NDArray[np.int8]


@dataclass(frozen=True)
class SoundComparison:
    """How two sounds differ at the offset at which they fit best: the share of their bits, from 0
    (one sound) to about 0.5 (two), and the share of loud cells whose level changed."""

    bits: float
    levels: float

    @property
    def is_same(self) -> bool:
        """Whether they are one sound, encoded twice."""
        return self.bits < SAME_BELOW and self.levels < CHANGED_BELOW


def fingerprint(samples: npt.NDArray[np.float32]) -> Fingerprint:
    """The fingerprint of a mono sound (n,) at 8 kHz; silence has one without loud frames."""
    energies = _band_energies(samples)
    totals = energies.sum(axis=1)
    contrast = np.diff(energies, axis=1)
    grew = np.diff(contrast, axis=0) > 0
    weights = np.left_shift(np.uint32(1), np.arange(NUM_BANDS - 1, dtype=np.uint32))
    is_loud = totals[1:] > SILENCE * totals.max(initial=0.0)
    bits = np.where(grew, weights, np.uint32(0)).sum(axis=1, dtype=np.uint32)
    return Fingerprint(bits, is_loud, _levels(energies[1:]))


def compare(one: Fingerprint, other: Fingerprint) -> SoundComparison:
    """How two sounds differ, at the offset of up to 0.3 s at which their bits fit best.

    Only frames in which either sound is loud count, and they must be at least half as many as
    either has: a click that also occurs in a long recording does not make the two one.
    """
    if not (one.is_loud.any() and other.is_loud.any()):
        differing = float(one.is_loud.any() or other.is_loud.any())
        return SoundComparison(differing, differing)
    furthest = round(MAX_OFFSET * SAMPLE_RATE / HOP)
    offsets = range(-furthest, furthest + 1)
    bits, offset = min((_differing_bits(one, other, offset), offset) for offset in offsets)
    return SoundComparison(bits, _changed_levels(one, other, offset) if bits < 1.0 else 1.0)


def _changed_levels(one: Fingerprint, other: Fingerprint, offset: int) -> float:
    first, second = max(0, offset), max(0, -offset)
    count = min(len(one.bits) - first, len(other.bits) - second)
    own = one.levels[first : first + count].astype(np.int16)
    its = other.levels[second : second + count].astype(np.int16)
    is_loud = (own > -LOUD_DECIBELS) | (its > -LOUD_DECIBELS)
    in_both = (own > -LOUD_DECIBELS) & (its > -LOUD_DECIBELS)
    if not in_both.any():
        return 1.0
    gain = np.median((own - its)[in_both])
    return float((np.abs(own - its - gain)[is_loud] > CHANGED_DECIBELS).mean())


def _differing_bits(one: Fingerprint, other: Fingerprint, offset: int) -> float:
    first, second = max(0, offset), max(0, -offset)
    count = min(len(one.bits) - first, len(other.bits) - second)
    if count <= 0:
        return 1.0
    own, its = slice(first, first + count), slice(second, second + count)
    counted = one.is_loud[own] | other.is_loud[its]
    needed = max(one.is_loud.sum(), other.is_loud.sum()) / 2
    if counted.sum() < needed:
        return 1.0
    differing = np.bitwise_count(one.bits[own] ^ other.bits[its])[counted]
    return float(differing.sum()) / (32 * int(counted.sum()))


def _levels(energies: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """Energies in decibels below the loudest of them, to -127."""
    loudest = max(float(energies.max(initial=0.0)), 1e-30)
    decibels = 10.0 * np.log10(np.maximum(energies / loudest, 1e-13))
    levels: npt.NDArray[np.int8] = np.round(np.maximum(decibels, -127.0)).astype(np.int8)
    return levels


def _band_energies(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Energies (F + 1, 33) of logarithmic bands; half a frame of silence at either end gives even a
    click several frames."""
    padded = np.pad(samples, (FRAME // 2, FRAME // 2 + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    edges = np.geomspace(LOWEST, HIGHEST, NUM_BANDS + 1) * FRAME / SAMPLE_RATE
    places = np.round(edges).astype(int)
    window = np.hanning(FRAME).astype(np.float32)
    parts = [
        np.add.reduceat(
            np.abs(np.fft.rfft(frames[start : start + FRAMES_AT_ONCE] * window)) ** 2,
            places,
            axis=1,
        )[:, :NUM_BANDS]
        for start in range(0, len(frames), FRAMES_AT_ONCE)
    ]
    return np.concatenate(parts)
