"""People: a crying baby, laughter, sneezes, coughs, snoring, applause."""

import numpy as np

from recipes.mini.synthesis.shaping import (
    Signal,
    add,
    arch,
    as_signal,
    attack_decay,
    band,
    contour,
    convolve,
    impulses,
    log_uniform,
    moments,
    noise,
    onset,
    place_all,
    unit,
    wander,
)
from recipes.mini.synthesis.voice import mouth, sequence, spoken, utter


def crying_baby(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Wails that rise, hold harshly and fall, with gasps for air between them."""
    pitch = log_uniform(rng, 320, 620)
    harsh = float(rng.uniform(0, 0.4))

    def cry() -> Signal:
        samples = int(rng.uniform(0.4, 1.5) * rate)
        points = [float(v) for v in rng.uniform(0.9, 1.15, 3)]
        bend = contour(samples, [0.75, *points, 0.65], [0, 0.15, 0.45, 0.75, 1]) * pitch
        mouths = [
            mouth(rng, 900, 1500, 3500),
            mouth(rng, 1100, 1900, 3700),
            mouth(rng, 800, 1600, 3400),
        ]
        voice = utter(
            rng, bend, mouths, rate, tilt=float(rng.uniform(0.2, 0.8)), breath=0.08,
            rough=harsh, jitter=float(rng.uniform(0.005, 0.03)),
        )  # fmt: skip
        gasp = _breath(rng, rate, 0.25) * np.float32(rng.uniform(0, 0.2))
        return np.concatenate([voice * arch(samples, 0.12, 0.25), gasp])

    calls = [cry() for _ in range(4)]
    return sequence(rng, count, rate, calls, (0.02, 0.35), onset(rng, count / rate, 0.2))


def _breath(rng: np.random.Generator, rate: int, seconds: float) -> Signal:
    samples = int(seconds * rng.uniform(0.7, 1.3) * rate)
    centre = log_uniform(rng, 900, 2500)
    return unit(band(noise(rng, samples), centre / 2, 2 * centre, rate)) * arch(samples, 0.6, 0.3)


def sneeze(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A drawn breath, then a burst of voice and hiss."""
    pitch = log_uniform(rng, 120, 420)

    def one() -> Signal:
        inhale = _breath(rng, rate, 0.4) * np.float32(rng.uniform(0.02, 0.3))
        if rng.random() < 0.5:
            samples = int(rng.uniform(0.15, 0.4) * rate)
            bend = contour(samples, [1.0, 1.3]) * pitch
            gasp = utter(rng, bend, [mouth(rng, 700, 1300, 2600)], rate, breath=0.5)
            inhale = np.concatenate([inhale, 0.35 * gasp * arch(samples, 0.4, 0.2)])
        pause = np.zeros(int(rng.uniform(0.0, 0.25) * rate), np.float32)
        return np.concatenate([inhale, pause, _burst(rng, rate, pitch)])

    first = onset(rng, count / rate, 0.5)
    return sequence(rng, count, rate, [one() for _ in range(2)], (0.5, 3.0), first)


def _burst(rng: np.random.Generator, rate: int, pitch: float) -> Signal:
    samples = int(rng.uniform(0.18, 0.55) * rate)
    bend = contour(samples, [1.8, 1.5, 1.0]) * pitch
    mouths = [mouth(rng, 400, 2200, 3200), mouth(rng, 700, 1300, 2600)]
    voice = utter(rng, bend, mouths, rate, tilt=0.5, breath=0.4, rough=0.2, jitter=0.04)
    hiss = band(noise(rng, samples), log_uniform(rng, 1200, 3000), 7500, rate, order=1)
    hiss = unit(hiss) * attack_decay(samples, 0.01, float(rng.uniform(0.05, 0.2)), rate)
    return voice * arch(samples, 0.05, 0.6) * np.float32(rng.uniform(0.2, 1)) + hiss


def laughter(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Ha-ha-ha: bursts of voice that tire and fall; one person or several."""
    track = np.zeros(count, np.float32)
    for _ in range(int(rng.choice([1, 1, 2, 4]))):
        pitch = log_uniform(rng, 130, 480)
        size = (pitch / 200) ** 0.25
        track += np.float32(rng.uniform(0.4, 1)) * _one_laughs(rng, count, rate, pitch, size)
    return track


def _one_laughs(
    rng: np.random.Generator, count: int, rate: int, pitch: float, size: float
) -> Signal:
    speed, start = float(rng.uniform(3.5, 6.5)), onset(rng, count / rate, 0.4)
    vowel = [(750, 1250, 2500), (550, 1900, 2600), (480, 900, 2400)][int(rng.integers(3))]
    mouths = [mouth(rng, *(size * centre for centre in vowel)) for _ in range(2)]
    track = np.zeros(count, np.float32)
    while start < count / rate:
        number = int(rng.integers(3, 10))
        for i in range(number):
            samples = int(rng.uniform(0.45, 0.75) / speed * rate)
            top = pitch * (1.35 - 0.5 * i / number) * float(rng.uniform(0.95, 1.05))
            bend = contour(samples, [1.1, 1.0, 0.85]) * np.float32(top)
            ha = utter(rng, bend, mouths, rate, tilt=0.8, breath=float(rng.uniform(0.1, 0.5)))
            add(track, int((start + i / speed) * rate), ha * arch(samples, 0.15, 0.5))
        start += number / speed + float(rng.uniform(0.3, 1.5))
    return track


def cough(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Coughs in ones, twos and threes."""
    pitch = log_uniform(rng, 90, 350)

    def one(_: int) -> Signal:
        samples = int(rng.uniform(0.18, 0.4) * rate)
        source = noise(rng, samples) * attack_decay(samples, 0.004, 0.08, rate)
        mouths = [mouth(rng, 600, 1300, 2500), mouth(rng, 450, 1100, 2300)]
        blast = unit(spoken(source, mouths, rate))
        bend = contour(samples, [1.2, 1.0, 0.7]) * np.float32(pitch)
        voice = utter(rng, bend, mouths, rate, breath=0.3, rough=0.4, jitter=0.05)
        return blast + np.float32(rng.uniform(0.1, 0.8)) * voice * arch(samples, 0.2, 0.5)

    times: list[float] = []
    start = onset(rng, count / rate)
    while start < count / rate:
        times += [
            start + i * float(rng.uniform(0.28, 0.45)) for i in range(int(rng.integers(1, 4)))
        ]
        start = times[-1] + float(rng.uniform(0.7, 2.5))
    return place_all(count, rate, times, one)


def snoring(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Rattling breaths in, soft breaths out."""
    rattle = log_uniform(rng, 22, 75)

    def snore() -> Signal:
        samples = int(rng.uniform(0.8, 1.8) * rate)
        bend = contour(samples, [0.8, 1.1, 1.0]) * np.float32(rattle)
        mouths = [mouth(rng, 300, 800, 1800), mouth(rng, 400, 1000, 2200)]
        voice = utter(rng, bend, mouths, rate, tilt=0.0, breath=0.5, rough=0.4, jitter=0.08)
        out = _breath(rng, rate, 0.8) * np.float32(rng.uniform(0.05, 0.3))
        pause = np.zeros(int(rng.uniform(0.1, 0.5) * rate), np.float32)
        return np.concatenate([voice * arch(samples, 0.3, 0.2), pause, out])

    return sequence(rng, count, rate, [snore(), snore()], (0.2, 0.9), float(rng.uniform(0, 0.6)))


def applause(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A few hands or a full hall; it swells, and sometimes people whistle and cheer."""
    density = log_uniform(rng, 15, 900)
    swell = wander(rng, count, 0.4, 0.5, 1.0, rate)
    if rng.random() < 0.5:
        swell = swell * arch(count, float(rng.uniform(0.01, 0.3)), float(rng.uniform(0.01, 0.5)))
    track = np.zeros(count, np.float32)
    for _ in range(5):
        samples = int(0.06 * rate)
        centre = log_uniform(rng, 600, 2800)
        palm = band(noise(rng, samples), 0.6 * centre, 1.7 * centre, rate, order=1)
        palm = unit(palm) * attack_decay(samples, 0.0008, log_uniform(rng, 0.004, 0.015), rate)
        claps = as_signal(np.abs(impulses(rng, count, density / 5, rate)) ** 0.6)
        track += np.float32(rng.uniform(0.4, 1)) * convolve(claps, palm)
    if density < 60:
        track += _clapping_along(rng, count, rate)
    if density > 100 and rng.random() < 0.4:
        track = unit(track) + np.float32(rng.uniform(0.1, 0.5)) * _cheers(rng, count, rate)
    return track * swell


def _clapping_along(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """One pair of hands in a steady rhythm."""
    samples = int(0.06 * rate)
    centre = log_uniform(rng, 700, 2200)

    def clap(_: int) -> Signal:
        palm = band(noise(rng, samples), 0.6 * centre, 1.8 * centre, rate, order=1)
        return (
            unit(palm)
            * attack_decay(samples, 0.0008, 0.009, rate)
            * np.float32(rng.uniform(0.7, 1.2))
        )

    times = moments(
        rng, count / rate, float(rng.uniform(0.15, 0.4)), 0.06, float(rng.uniform(0, 0.3))
    )
    return place_all(count, rate, times, clap)


def _cheers(rng: np.random.Generator, count: int, rate: int) -> Signal:
    track = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(2, 6))):
        samples = int(rng.uniform(0.5, 1.5) * rate)
        bend = contour(samples, [0.8, 1.1, 0.9]) * np.float32(log_uniform(rng, 250, 700))
        voice = utter(rng, bend, [mouth(rng, 700, 1300, 2700)], rate, tilt=0.6, breath=0.4)
        add(track, int(rng.uniform(-0.2, 0.9) * count), voice * arch(samples, 0.3, 0.4))
    return track
