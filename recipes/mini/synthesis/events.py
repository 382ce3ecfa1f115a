"""The classes of sound that can be made from nothing, each with its place and distance.

`EVENTS[label].render(rng, seconds)` draws everything from the generator: what it is (pitch, speed,
material), where it is (room or open air, near or far), how it was recorded (microphone, noise).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recipes.mini.synthesis import (
    animals,
    instruments,
    machines,
    objects,
    people,
    signals,
    small_animals,
    weather,
)
from recipes.mini.synthesis.shaping import (
    Signal,
    colour,
    fast_length,
    frequencies,
    log_uniform,
    loudest,
    peak,
    response,
    room,
)

Source = Callable[[np.random.Generator, int, int], Signal]
"""Makes (count,) samples of the bare sound at any scale: source(rng, count, rate)."""

SHORTEST = 0.25
"""Seconds; a shorter sound could not be distinguished from a click."""


ENOUGH = 2.0
"""Seconds that are made at least: in less, something that happens now and then may not happen."""


@dataclass(frozen=True)
class Event:
    """A class of sound. `echo` is the chance of a room around it, `far` that of a distance."""

    label: str
    source: Source
    echo: float = 0.5
    far: float = 0.3

    def render(self, rng: np.random.Generator, seconds: float, sample_rate: int = 16_000) -> Signal:
        """One take, (seconds * sample_rate,) float32 with a peak between 0.1 and 1.

        The same state of `rng` gives the same samples. Raises ValueError below SHORTEST.
        """
        count = round(seconds * sample_rate)
        if seconds < SHORTEST:
            raise ValueError(f"{self.label}: {seconds} s is too short; at least {SHORTEST} s")
        enough = max(count, round(ENOUGH * sample_rate))
        made = np.asarray(self.source(rng, enough, sample_rate), np.float32)
        bare = peak(loudest(made, count, sample_rate // 20))
        recorded = self._recorded(rng, bare, sample_rate)
        return peak(recorded) * np.float32(log_uniform(rng, 0.1, 1.0))

    def _recorded(self, rng: np.random.Generator, bare: Signal, rate: int) -> Signal:
        """The bare sound in its room, through distance and microphone, over background noise."""
        size, tail = len(bare), None
        if rng.random() < self.echo:
            tail = room(rng, log_uniform(rng, 0.08, 1.8), float(rng.uniform(0.1, 0.6)), rate)
            size += len(tail)
        spectrum = np.fft.rfft(bare, fast_length(size))
        if tail is not None:
            wet = np.float32(rng.uniform(0.05, 1.0))
            spectrum = spectrum * (1 + wet * np.fft.rfft(tail, fast_length(size)))
        spectrum = spectrum * _microphone(rng, size, rate, far=bool(rng.random() < self.far))
        recorded = np.fft.irfft(spectrum, fast_length(size))[: len(bare)].astype(np.float32)
        return peak(recorded) + _background(rng, len(bare), rate)


def _microphone(rng: np.random.Generator, size: int, rate: int, far: bool) -> Signal:
    """Factors: rumble cut, highs lost over distance, a crooked response in between."""
    low = log_uniform(rng, 15, 120)
    top = log_uniform(rng, 900, 4000) if far else log_uniform(rng, 3500, 16_000)
    tilt = float(rng.normal(0, 1.0))
    curve = [
        (hertz, tilt * np.log2(hertz / 1000) + float(rng.normal(0, 2.0)))
        for hertz in (60, 150, 400, 1000, 2200, 4500, 7800)
    ]
    bins = np.maximum(frequencies(size, rate), 1.0)
    edges = 1 / np.sqrt((1 + (low / bins) ** 4) * (1 + (bins / top) ** 4))
    return response(curve, size, rate) * edges.astype(np.float32)


def _background(rng: np.random.Generator, count: int, rate: int) -> Signal | float:
    """The noise of the place or of the recorder, 20 to 70 dB below the peak; sometimes none."""
    if rng.random() < 0.25:
        return 0.0
    slope = float(rng.uniform(-6, 0.5))
    curve = [(hertz, slope * np.log2(hertz / 500)) for hertz in (30.0, 500.0, 8000.0)]
    return colour(rng, count, curve, rate) * np.float32(10 ** (rng.uniform(-75, -28) / 20))


EVENTS: dict[str, Event] = {
    event.label: event
    for event in (
        Event("rain", weather.rain, echo=0.2, far=0.15),
        Event("wind", weather.wind, echo=0.1, far=0.1),
        Event("thunder", weather.thunder, echo=0.6),
        Event("sea waves", weather.sea_waves, echo=0.1, far=0.2),
        Event("crackling fire", weather.fire, echo=0.3, far=0.1),
        Event("water drops", weather.water_drops, echo=0.7, far=0.1),
        Event("stream", weather.stream, echo=0.2, far=0.2),
        Event("dog", animals.dog),
        Event("cat", animals.cat),
        Event("cow", animals.cow),
        Event("sheep", animals.sheep),
        Event("horse", animals.horse),
        Event("rooster", animals.rooster),
        Event("owl", animals.owl, echo=0.7),
        Event("crow", animals.crow),
        Event("duck", animals.duck),
        Event("seagull", animals.seagull),
        Event("wolf", animals.wolf, echo=0.8),
        Event("lion", animals.lion),
        Event("bird song", small_animals.bird_song, far=0.1),
        Event("woodpecker", small_animals.woodpecker, echo=0.7),
        Event("crickets", small_animals.crickets, echo=0.1, far=0.05),
        Event("cicadas", small_animals.cicadas, echo=0.1, far=0.05),
        Event("frog", small_animals.frog),
        Event("bees", small_animals.bees, echo=0.1, far=0.1),
        Event("crying baby", people.crying_baby),
        Event("sneeze", people.sneeze, echo=0.7, far=0.1),
        Event("cough", people.cough, echo=0.7, far=0.1),
        Event("laughter", people.laughter),
        Event("snoring", people.snoring, echo=0.6, far=0.1),
        Event("applause", people.applause, echo=0.6),
        Event("footsteps", objects.footsteps, echo=0.6, far=0.1),
        Event("siren", signals.siren, echo=0.6, far=0.4),
        Event("church bell", signals.church_bell, echo=0.6),
        Event("doorbell", signals.doorbell, echo=0.7, far=0.1),
        Event("alarm beeps", signals.alarm, far=0.1),
        Event("car horn", signals.car_horn, echo=0.6, far=0.4),
        Event("telephone", signals.telephone, far=0.2),
        Event("train whistle", signals.train_whistle, echo=0.7, far=0.4),
        Event("whistling", signals.whistling, echo=0.6, far=0.1),
        Event("car engine", machines.car_engine, echo=0.3),
        Event("motorcycle", machines.motorcycle, echo=0.3),
        Event("chainsaw", machines.chainsaw, echo=0.4),
        Event("helicopter", machines.helicopter, echo=0.2),
        Event("airplane", machines.airplane, echo=0.2),
        Event("train", machines.train),
        Event("vacuum cleaner", machines.vacuum, far=0.1),
        Event("hammering", machines.hammering, echo=0.7),
        Event("sawing", machines.sawing, echo=0.6, far=0.1),
        Event("clock tick", objects.clock, echo=0.6, far=0.1),
        Event("keyboard typing", objects.keyboard, far=0.05),
        Event("door knock", objects.door_knock, echo=0.7, far=0.1),
        Event("door", objects.door, echo=0.7, far=0.1),
        Event("breaking glass", objects.glass, far=0.1),
        Event("coins", objects.coins, far=0.05),
        Event("gunshot", objects.gunshot, echo=0.7),
        Event("explosion", objects.explosion, echo=0.6, far=0.5),
        Event("fireworks", objects.fireworks, echo=0.6),
        Event("drum", instruments.drum),
        Event("flute", instruments.flute),
        Event("guitar", instruments.guitar),
        Event("piano", instruments.piano),
        Event("violin", instruments.violin),
    )
}
"""Every synthesised class by its label; the words for it are in `vocabulary`."""
