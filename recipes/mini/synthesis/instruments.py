"""Musical instruments: drums, flute, guitar, piano."""

import numpy as np

from recipes.mini.synthesis.shaping import (
    Signal,
    add,
    arch,
    attack_decay,
    band,
    contour,
    harmonics,
    log_uniform,
    noise,
    phase_of,
    ring,
    tone,
    unit,
    wander,
    wave,
)

SCALE = np.array([0, 2, 3, 5, 7, 8, 10, 12, 14, 15, 17, 19])


def drum(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A drum kit in a groove, hand drums, or a roll."""
    step = 60 / float(rng.uniform(70, 170)) / 4
    kit = [
        _kick(rng, rate),
        _snare(rng, rate),
        _hat(rng, rate),
        _skin(rng, rate, log_uniform(rng, 90, 420)),
    ]
    hand = rng.random() < 0.35
    if hand:
        kit = [
            _skin(rng, rate, log_uniform(rng, 80, 160)),
            _skin(rng, rate, log_uniform(rng, 180, 400)),
        ] * 2
    chances = rng.uniform(0, 1, (4, 16)) ** 2
    chances[0, [0, 8]], chances[1, [4, 12]] = 1.0, 1.0
    played = rng.uniform(0, 1, (4, 16)) < chances * rng.uniform(0.6, 1.0, (4, 1))
    track = np.zeros(count, np.float32)
    for i in range(int(count / rate / step) + 1):
        for voice, pattern in zip(kit, played, strict=True):
            if pattern[i % 16]:
                at = int((i * step + float(rng.normal(0, 0.004))) * rate)
                add(track, at, voice * np.float32(rng.uniform(0.6, 1)))
    return track


def _kick(rng: np.random.Generator, rate: int) -> Signal:
    samples = int(0.35 * rate)
    deep = log_uniform(rng, 45, 75)
    drop = contour(
        samples, [deep * float(rng.uniform(2, 4)), 1.2 * deep, deep, deep], [0, 0.08, 0.3, 1]
    )
    return 1.5 * tone(drop, rate) * attack_decay(samples, 0.002, 0.09, rate)


def _snare(rng: np.random.Generator, rate: int) -> Signal:
    samples = int(0.25 * rate)
    wires = band(noise(rng, samples), 900, 7000, rate, order=1) * attack_decay(
        samples, 0.001, 0.06, rate
    )
    pitch = log_uniform(rng, 150, 260)
    return wires + 0.8 * ring(samples, [pitch, 1.6 * pitch], 0.05, 1.0, rate)


def _hat(rng: np.random.Generator, rate: int) -> Signal:
    samples = int(0.2 * rate)
    metal = band(noise(rng, samples), 4500, 7900, rate)
    return metal * attack_decay(samples, 0.0005, log_uniform(rng, 0.012, 0.06), rate)


def _skin(rng: np.random.Generator, rate: int, pitch: float) -> Signal:
    samples = int(0.4 * rate)
    modes = pitch * np.array([1, 1.59, 2.14, 2.3, 2.65])
    fades = log_uniform(rng, 0.04, 0.15) / np.array([1, 1.4, 1.8, 2, 2.4])
    slap = noise(rng, samples) * attack_decay(samples, 0.0005, 0.004, rate)
    return ring(samples, modes, fades, [1, 0.6, 0.4, 0.3, 0.25], rate) + 0.4 * slap


def _melody(
    rng: np.random.Generator, seconds: float, beat: float
) -> list[tuple[float, float, float]]:
    """(start, length, semitones) of notes that move by small steps of a scale."""
    notes, time, place = [], float(rng.uniform(0, 0.3)), int(rng.integers(3, 8))
    while time < seconds:
        length = beat * float(rng.choice([0.5, 1, 1, 2]))
        place = int(np.clip(place + rng.integers(-3, 4), 0, len(SCALE) - 1))
        notes.append((time, length, float(SCALE[place])))
        time += length
    return notes


def flute(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A breathy tune with vibrato; flute, recorder or ocarina."""
    base, beat = log_uniform(rng, 290, 780), float(rng.uniform(0.2, 0.7))
    tilt = float(rng.uniform(1.5, 3.0))
    breath, vibrato = float(rng.uniform(0.03, 0.3)), float(rng.uniform(0, 0.012))
    track = np.zeros(count, np.float32)
    for start, length, step in _melody(rng, count / rate, beat):
        samples = int(length * 0.97 * rate)
        pitch = base * 2 ** (step / 12)
        time = np.arange(samples, dtype=np.float32) / np.float32(rate)
        bend = (
            pitch
            * (1 + vibrato * np.sin(2 * np.pi * 5.3 * time))
            * contour(samples, [0.985, 1, 1, 1])
        )
        note = wave(phase_of(bend, rate), harmonics(pitch, rate, tilt))
        air = band(noise(rng, samples), pitch, 4 * pitch, rate, order=1)
        edge = min(0.05 / length, 0.4)
        add(track, int(start * rate), (unit(note) + breath * unit(air)) * arch(samples, edge, edge))
    return track


def _struck_string(pitch: float, seconds: float, pick: float, stiff: float, rate: int) -> Signal:
    number = np.arange(1, min(int(0.45 * rate / pitch), 24) + 1)
    partials = pitch * number * np.sqrt(1 + stiff * number**2)
    loud = np.abs(np.sin(np.pi * number * pick)) / number
    return ring(int(2.5 * seconds * rate), partials, seconds / number**0.7, loud, rate)


def guitar(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Plucked strings: single notes, or chords strummed."""
    base, beat = log_uniform(rng, 90, 240), float(rng.uniform(0.18, 0.6))
    fade, pick = log_uniform(rng, 0.25, 1.0), float(rng.uniform(0.08, 0.35))
    strum = rng.random() < 0.4
    track = np.zeros(count, np.float32)
    for start, _, step in _melody(rng, count / rate, beat * (2 if strum else 1)):
        for i, above in enumerate([0, 7, 12, 16, 19] if strum else [0]):
            pitch = base * 2 ** ((step + above) / 12)
            note = _struck_string(pitch, fade, pick, 5e-5, rate)
            add(track, int((start + i * 0.018) * rate), note * np.float32(rng.uniform(0.5, 1)))
    return track


def piano(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A melody over chords on struck strings."""
    base, beat = log_uniform(rng, 180, 420), float(rng.uniform(0.15, 0.6))
    fade, pick = log_uniform(rng, 0.4, 1.4), float(rng.uniform(0.1, 0.14))
    track = np.zeros(count, np.float32)
    for i, (start, _, step) in enumerate(_melody(rng, count / rate, beat)):
        steps = [step, step - 12, step - 5] if i % 4 == 0 else [step]
        for above in steps:
            note = _struck_string(base * 2 ** (above / 12), fade, pick, 4e-4, rate)
            thump = noise(rng, int(0.02 * rate)) * attack_decay(
                int(0.02 * rate), 0.001, 0.004, rate
            )
            add(note, 0, np.float32(0.1) * thump)
            add(track, int(start * rate), note * np.float32(rng.uniform(0.5, 1)))
    return track


def violin(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Bowed strings: bright, with vibrato, notes tied together."""
    base, beat = log_uniform(rng, 130, 520), float(rng.uniform(0.25, 0.9))
    tilt = float(rng.uniform(0.8, 1.4))
    track = np.zeros(count, np.float32)
    body = np.exp(rng.normal(0, 0.6, 60))
    for start, length, step in _melody(rng, count / rate, beat):
        samples = int(1.05 * length * rate)
        pitch = base * 2 ** (step / 12)
        time = np.arange(samples, dtype=np.float32) / np.float32(rate)
        bend = (
            pitch
            * (1 + 0.008 * np.sin(2 * np.pi * 5.8 * time))
            * wander(rng, samples, 20, 0.998, 1.002, rate)
        )
        strings = harmonics(pitch, rate, tilt)
        note = wave(phase_of(bend, rate), strings * body[: len(strings)])
        bow = band(noise(rng, samples), 1500, 6000, rate, order=1) * np.float32(0.03)
        edge = min(0.06 / length, 0.4)
        add(track, int(start * rate), (unit(note) + bow) * arch(samples, edge, edge))
    return track
