"""Scenes: one to three sounds in a place, what they are called, and the same scene with one more.

Every choice follows from the given random generator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recipes.mini.synthesis.events import EVENTS
from recipes.mini.synthesis.sentences import exclusion_for, query_for
from recipes.mini.synthesis.shaping import Signal, add, band, loudest

SAMPLE_RATE = 16_000
ARRANGEMENTS = ("together", "then", "far")
"""How sounds lie: at the same time, one after the other, the last one at a distance."""

Source = tuple[str, Signal]
"""A class and (n,) samples of it at SAMPLE_RATE."""


class Library(Protocol):
    """Where sounds come from: rendered events, or recordings."""

    def sample(self, label: str, rng: np.random.Generator, seconds: float) -> Signal:
        """One sound of this class, about this long."""


class Synthesiser:
    """The library of rendered events; knows the classes of `EVENTS`."""

    labels: tuple[str, ...] = tuple(EVENTS)

    def sample(self, label: str, rng: np.random.Generator, seconds: float) -> Signal:
        """A new take of this event."""
        return EVENTS[label].render(rng, seconds, SAMPLE_RATE)


@dataclass(frozen=True)
class Scene:
    """(n,) float32 samples with a peak of at most 1; the classes in it, in order, and how they lie.

    `arrangement` is None for a single sound. `captions` are several wordings.
    """

    samples: Signal
    labels: tuple[str, ...]
    arrangement: str | None
    captions: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True)
class Contrast:
    """The same sounds without (`target`) and with (`hard_negative`) another one, and the query."""

    target: Scene
    hard_negative: Scene
    excluded: str
    query: str


def compose(
    rng: np.random.Generator,
    sources: Sequence[Source | str],
    *,
    seconds: float = 5.0,
    arrangement: str | None = None,
    library: Library | None = None,
    num_captions: int = 3,
) -> Scene:
    """Mix one to three sounds into a scene of this length.

    A source is a class with its samples, or only a class, which the library then samples. The
    arrangement is drawn where none is given. Raises ValueError without sources or for an unknown
    arrangement, KeyError for a class that the library does not know.
    """
    drawn = _drawn(rng, sources, seconds, library or Synthesiser())
    chosen = _arrangement(rng, len(drawn), arrangement)
    tracks = _tracks(rng, drawn, int(seconds * SAMPLE_RATE), chosen)
    labels = tuple(label for label, _ in drawn)
    mixed, gain = _level(rng, np.sum(tracks, axis=0))
    captions = _captions(rng, labels, chosen, num_captions)
    return Scene(mixed * gain, labels, chosen, captions)


def contrast(
    rng: np.random.Generator,
    included: Sequence[Source | str],
    excluded: Source | str,
    *,
    seconds: float = 5.0,
    library: Library | None = None,
    num_captions: int = 3,
) -> Contrast:
    """A scene, and the very same one with another sound over it at a similar level.

    The query asks for the first by what it lacks, so that the second is its hard negative.
    """
    drawn = _drawn(rng, [*included, excluded], seconds, library or Synthesiser())
    count = int(seconds * SAMPLE_RATE)
    clean = np.sum(_tracks(rng, drawn[:-1], count, "together"), axis=0)
    extra = _tracks(rng, drawn[-1:], count, "together")[0]
    full, gain = _level(rng, clean + extra)
    labels = tuple(label for label, _ in drawn)
    together = "together" if len(labels) > 2 else None
    target = Scene(
        clean * gain, labels[:-1], together, _captions(rng, labels[:-1], together, num_captions)
    )
    negative = Scene(
        full * gain, labels, "together", _captions(rng, labels, "together", num_captions)
    )
    return Contrast(target, negative, labels[-1], exclusion_for(rng, labels[:-1], labels[-1:]))


def _drawn(
    rng: np.random.Generator, sources: Sequence[Source | str], seconds: float, library: Library
) -> list[Source]:
    if not sources:
        raise ValueError("a scene needs at least one sound")
    return [
        (source, library.sample(source, rng, seconds)) if isinstance(source, str) else source
        for source in sources
    ]


def _arrangement(rng: np.random.Generator, count: int, given: str | None) -> str | None:
    if given is not None and given not in ARRANGEMENTS:
        raise ValueError(f"{given}: no such arrangement; one of {', '.join(ARRANGEMENTS)}")
    if count == 1:
        return None
    return given or str(rng.choice(ARRANGEMENTS, p=[0.55, 0.25, 0.2]))


def _captions(
    rng: np.random.Generator, labels: Sequence[str], arrangement: str | None, count: int
) -> tuple[str, ...]:
    """Different wordings; the first one is always a caption, not a query."""
    found = dict.fromkeys([query_for(rng, labels, arrangement, "caption")])
    while len(found) < count:
        found[query_for(rng, labels, arrangement, "caption")] = None
    return tuple(found)


def _level(rng: np.random.Generator, mixed: Signal) -> tuple[Signal, np.float32]:
    """The mix and the factor that brings its peak to a random level below 1."""
    top = float(np.abs(mixed).max(initial=0.0)) or 1.0
    return mixed.astype(np.float32), np.float32(10 ** (rng.uniform(-12, -0.5) / 20) / top)


def _tracks(
    rng: np.random.Generator, sources: Sequence[Source], count: int, arrangement: str | None
) -> list[Signal]:
    """Each sound as long as the scene, at its place and its loudness."""
    if arrangement == "then":
        return _one_by_one(rng, [samples for _, samples in sources], count)
    tracks = [_loudness(_placed(rng, samples, count), rng.uniform(-7, 0)) for _, samples in sources]
    if arrangement == "far":
        far = band(tracks[-1], 20.0, float(rng.uniform(1200, 3000)), SAMPLE_RATE, order=1)
        tracks[-1] = _loudness(far, rng.uniform(-18, -12))
    return tracks


def _placed(rng: np.random.Generator, samples: Signal, count: int) -> Signal:
    """A stretch of a longer sound; a shorter one somewhere within the scene."""
    if len(samples) >= count:
        start = int(rng.integers(len(samples) - count + 1))
        return samples[start : start + count]
    track = np.zeros(count, np.float32)
    add(track, int(rng.integers(count - len(samples) + 1)), samples)
    return track


def _loudness(samples: Signal, decibels: float) -> Signal:
    """Brought to this level against an RMS of 1 while it sounds, so that pauses do not count."""
    frames = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    powers = np.asarray(np.mean(np.square(frames), axis=1), np.float64)
    sounding = powers[powers > 0.03 * np.max(powers, initial=0)]
    level = float(np.sqrt(sounding.mean())) if len(sounding) else 1.0
    return samples * np.float32(10 ** (decibels / 20) / (level or 1.0))


def _one_by_one(rng: np.random.Generator, sounds: Sequence[Signal], count: int) -> list[Signal]:
    """Each sound in its own part of the scene, faded in and out."""
    shares = rng.uniform(0.8, 1.2, len(sounds))
    edges = np.append(0.0, np.cumsum(shares)) * (count / float(np.sum(shares)))
    tracks = []
    for i, samples in enumerate(sounds):
        first, last = int(edges[i]), int(edges[i + 1])
        part = loudest(samples, last - first, SAMPLE_RATE // 10).copy()
        fade = min(int(0.06 * SAMPLE_RATE), len(part) // 4)
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        part[:fade] *= ramp
        part[len(part) - fade :] *= ramp[::-1]
        track = np.zeros(count, np.float32)
        add(track, first, part)
        tracks.append(_loudness(track, rng.uniform(-6, 0)))
    return tracks
