"""Voices: a buzzing source with a pitch of its own, and mouths that shape it and move."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recipes.mini.synthesis.shaping import (
    Formant,
    Signal,
    add,
    as_signal,
    harmonics,
    noise,
    phase_of,
    resonances,
    through,
    unit,
    wander,
    wave,
)

Mouth = Sequence[Formant]


def mouth(
    rng: np.random.Generator, *centres: float, spread: float = 0.08, width: float = 0.18
) -> Mouth:
    """Formants near these frequencies, each next one weaker, no two animals alike."""
    gains = 1.0, 0.7, 0.45, 0.3, 0.2
    return [
        (
            centre * float(np.exp(rng.normal(0, spread))),
            centre * width * float(rng.uniform(0.5, 1.8)) + 30.0,
            gains[min(i, 4)] * float(np.exp(rng.normal(0, 0.35))),
        )
        for i, centre in enumerate(centres)
    ]


def utter(
    rng: np.random.Generator,
    pitch: npt.NDArray[np.float32],
    mouths: Sequence[Mouth],
    rate: int,
    *,
    tilt: float = 0.8,
    breath: float = 0.1,
    rough: float = 0.0,
    jitter: float = 0.01,
) -> Signal:
    """A voiced sound along a pitch curve while the mouth moves through the given shapes.

    `breath` is the share of noise, `rough` how much every second cycle differs (a growl), `jitter`
    how unsteady the pitch is. RMS 1.
    """
    count = len(pitch)
    unsteady = pitch * (1 + wander(rng, count, 60.0, -2 * jitter, 2 * jitter, rate))
    phase = phase_of(unsteady, rate)
    source = wave(phase, harmonics(float(pitch.max(initial=1.0)), rate, tilt))
    if rough:
        growl = wave(phase / 2 + rng.random(), [1.0, 0.4])
        source = source * (1 + np.float32(2 * rough) * growl)
    breathing = noise(rng, count) * np.float32(breath)
    return unit(spoken(unit(source) + breathing, mouths, rate))


def spoken(source: Signal, mouths: Sequence[Mouth], rate: int) -> Signal:
    """The source through one mouth after the other, each fading into the next."""
    count = len(source)
    shaped = [through(source, resonances(shape, count, rate)) for shape in mouths]
    if len(shaped) == 1:
        return shaped[0]
    place = np.linspace(0, len(shaped) - 1, count, dtype=np.float32)
    faded = [part * np.clip(1 - np.abs(place - i), 0, 1) for i, part in enumerate(shaped)]
    return as_signal(np.sum(faded, axis=0))


def sequence(
    rng: np.random.Generator,
    count: int,
    rate: int,
    calls: Sequence[Signal],
    pause: tuple[float, float],
    first: float = 0.0,
) -> Signal:
    """The calls one after the other with pauses between them, all over the length."""
    track = np.zeros(count, np.float32)
    start, i = int(first * rate), 0
    while start < count:
        call = calls[i % len(calls)]
        add(track, start, call * np.float32(rng.uniform(0.6, 1.0)))
        start += len(call) + int(rng.uniform(*pause) * rate)
        i += 1
    return track
