"""Small animals: song birds, crickets and cicadas, frogs, bees."""

import numpy as np

from recipes.mini.synthesis.shaping import (
    Signal,
    arch,
    as_signal,
    attack_decay,
    colour,
    contour,
    harmonics,
    log_uniform,
    moments,
    onset,
    phase_of,
    place_all,
    tone,
    unit,
    wander,
    wave,
)
from recipes.mini.synthesis.voice import mouth, spoken


def bird_song(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """One to three birds, each with a few motifs of chirps, sweeps and trills."""
    track = np.zeros(count, np.float32)
    for i in range(int(rng.integers(1, 4))):
        motifs = [
            _motif(rng, rate, log_uniform(rng, 1800, 6000)) for _ in range(int(rng.integers(1, 4)))
        ]
        pause = log_uniform(rng, 0.25, 1.8)
        times = moments(rng, count / rate, pause + 0.3, 0.4, onset(rng, count / rate, 0.3))
        order = rng.integers(len(motifs), size=len(times) + 1)
        level = np.float32(1.0 if i == 0 else rng.uniform(0.1, 0.7))
        chosen = [motifs[k] for k in order]
        track += level * place_all(count, rate, times, chosen.__getitem__)
    if rng.random() < 0.4:
        track = unit(track) + 0.06 * colour(rng, count, [(300, -20), (3000, 0), (7000, -6)], rate)
    return track


def _motif(rng: np.random.Generator, rate: int, pitch: float) -> Signal:
    """A few notes; or one note quickly repeated, a trill."""
    trill = rng.random() < 0.35
    kinds = [_note(rng, rate, pitch * log_uniform(rng, 0.75, 1.35)) for _ in range(3)]
    number = int(rng.integers(5, 16)) if trill else int(rng.integers(1, 6))
    gap = float(rng.uniform(0.005, 0.03) if trill else rng.uniform(0.02, 0.15))
    silence = np.zeros(int(gap * rate), np.float32)
    notes = [kinds[0] if trill else kinds[int(rng.integers(3))] for _ in range(number)]
    return np.concatenate([part for note in notes for part in (note, silence)])


def _note(rng: np.random.Generator, rate: int, pitch: float) -> Signal:
    samples = int(log_uniform(rng, 0.03, 0.25) * rate)
    bends = [float(np.exp(rng.normal(0, 0.22))) for _ in range(int(rng.integers(2, 5)))]
    bend = np.clip(contour(samples, bends) * pitch, 900, 0.45 * rate)
    if rng.random() < 0.3:
        quiver = tone(np.full(samples, rng.uniform(20, 60), np.float32), rate)
        bend = bend * (1 + np.float32(rng.uniform(0.02, 0.1)) * quiver)
    second = np.float32(rng.uniform(0, 0.2)) * tone(np.minimum(2 * bend, 0.48 * rate), rate)
    return ((tone(bend, rate) + second) * arch(samples, 0.2, 0.4)).astype(np.float32)


def crickets(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Chirps of several crickets, each on its own pitch, over a quiet night."""
    track = 0.03 * colour(rng, count, [(80, 0), (400, -12), (3000, -6), (7000, -15)], rate)
    for _ in range(int(rng.integers(1, 6))):
        pitch, pulse = log_uniform(rng, 2200, 6800), float(rng.uniform(18, 60))
        level = log_uniform(rng, 0.15, 1.0)
        beats = np.maximum(tone(np.full(count, pulse, np.float32), rate), 0)
        if rng.random() < 0.7:
            chirps, share = float(rng.uniform(0.8, 3.5)), float(rng.uniform(0.2, 0.6))
            cycle = phase_of(wander(rng, count, 1.0, 0.93 * chirps, 1.07 * chirps, rate), rate)
            beats = beats * ((cycle + rng.random()) % 1 < share)
        steady = wander(rng, count, 0.5, 0.99 * pitch, 1.01 * pitch, rate)
        track += np.float32(level) * beats * tone(steady, rate)
    return track.astype(np.float32)


def cicadas(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A hot afternoon: broad buzzing bands that swell and pulse."""
    track = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        centre = log_uniform(rng, 2800, 6500)
        width = float(rng.uniform(1.08, 1.5))
        curve = [(centre / width**2, -40), (centre / width, -8), (centre, 0), (centre * width, -12)]
        buzz = colour(rng, count, curve, rate)
        pulse = tone(np.full(count, log_uniform(rng, 4, 160), np.float32), rate)
        depth = np.float32(rng.uniform(0.2, 0.9))
        swell = wander(rng, count, 0.4, 0.3, 1.0, rate)
        track += buzz * (1 + depth * pulse) * swell * np.float32(rng.uniform(0.2, 1))
    return track


def frog(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Croaks: trains of pulses through a resonating throat; alone or as a pond at night."""
    track = np.zeros(count, np.float32)
    for _ in range(int(rng.choice([1, 1, 2, 4]))):
        throat = log_uniform(rng, 350, 2400)
        pulse = log_uniform(rng, 18, 110)
        length = float(rng.uniform(0.12, 0.7))
        rise = float(rng.uniform(0.8, 1.5))
        calls = [_croak(rng, rate, throat, pulse, length, rise) for _ in range(2)]
        interval = length + float(rng.exponential(0.6)) + 0.1
        times = moments(rng, count / rate, interval, 0.25, onset(rng, count / rate, 0.4))
        level = np.float32(log_uniform(rng, 0.3, 1))
        in_turn = [calls[i % 2] for i in range(len(times))]
        track += level * place_all(count, rate, times, in_turn.__getitem__)
    return track


def _croak(
    rng: np.random.Generator, rate: int, throat: float, pulse: float, length: float, rise: float
) -> Signal:
    samples = max(int(length * rng.uniform(0.8, 1.2) * rate), 64)
    speed = contour(samples, [pulse, pulse * rise])
    source = wave(phase_of(speed, rate), harmonics(pulse * max(rise, 1), rate, 0.0, most=200))
    lips = [
        mouth(rng, throat, 2.1 * throat, 3.2 * throat, width=0.12),
        mouth(rng, 1.3 * throat, 2.3 * throat),
    ]
    return unit(spoken(source, lips, rate)) * arch(samples, 0.15, 0.25)


def bees(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Wings: one insect circling the microphone, or a hive."""
    swarm = rng.random() < 0.5
    track = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(4, 8)) if swarm else int(rng.integers(1, 3))):
        pitch = log_uniform(rng, 110, 320)
        bend = wander(rng, count, 3.0, 0.92 * pitch, 1.08 * pitch, rate)
        bend = bend * wander(rng, count, 25.0, 0.985, 1.015, rate)
        loud = wander(rng, count, 0.8 if swarm else 1.2, 0.3 if swarm else 0.02, 1.0, rate)
        wings = harmonics(pitch, rate, float(rng.uniform(0.6, 1.3)), most=30)
        wings = wings * np.exp(rng.normal(0, 0.6, len(wings)))
        track += wave(phase_of(bend, rate) + rng.random(), wings) * loud
    return track


def fly_past(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Loudness of something that passes by once."""
    centre, width = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.1, 0.4))
    place = np.linspace(0, 1, count, dtype=np.float32)
    return as_signal(1 / (1 + ((place - np.float32(centre)) / np.float32(width)) ** 2))


def woodpecker(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Rolls of quick knocks on a hollow trunk."""
    hollow, speed = log_uniform(rng, 500, 2200), float(rng.uniform(12, 28))
    samples = int(0.06 * rate)
    body = tone(np.full(samples, hollow, np.float32), rate) + 0.5 * tone(
        np.full(samples, 2.7 * hollow, np.float32), rate
    )
    peck = (body * attack_decay(samples, 0.0005, 0.009, rate)).astype(np.float32)
    times: list[float] = []
    start = onset(rng, count / rate)
    while start < count / rate:
        roll = float(rng.uniform(0.3, 1.0))
        times += [start + i / speed for i in range(int(roll * speed))]
        start += roll + float(rng.uniform(0.6, 2.5))
    return place_all(count, rate, times, lambda _: peck * np.float32(rng.uniform(0.6, 1)))
