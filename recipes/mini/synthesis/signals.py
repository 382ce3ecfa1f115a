"""Things that sound to be noticed: sirens, bells, alarms, horns, telephones."""

import numpy as np

from recipes.mini.synthesis.shaping import (
    Signal,
    add,
    arch,
    as_signal,
    attack_decay,
    colour,
    contour,
    harmonics,
    log_uniform,
    moments,
    noise,
    onset,
    phase_of,
    place_all,
    ring,
    tone,
    unit,
    wander,
    wave,
)

BELL = np.array([0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.67, 3.0, 4.0, 5.3])
"""Partials of a church bell against its strike note: hum, prime, tierce, quint, nominal ..."""


def siren(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Wail, yelp, two tones, or an air raid's slow rise."""
    time = np.arange(count, dtype=np.float32) / np.float32(rate) + np.float32(rng.uniform(0, 5))
    kind = int(rng.integers(4))
    low = log_uniform(rng, 380, 750)
    high = low * float(rng.uniform(1.2, 1.45) if kind == 2 else rng.uniform(1.6, 2.8))
    if kind == 2:
        pitch = np.where((time / np.float32(rng.uniform(0.35, 0.9))) % 2 < 1, low, high)
    else:
        period = (rng.uniform(2.5, 6.0), rng.uniform(0.2, 0.45), 0.0, rng.uniform(6, 14))[kind]
        turn = (time / np.float32(period)) % 1
        swing = (
            1 - np.abs(2 * turn - 1)
            if rng.random() < 0.6
            else np.minimum(turn / 0.8, 5 * (1 - turn))
        )
        base = 0.5 * low if kind == 3 else low
        pitch = base * (high / low) ** swing
    drift = float(rng.uniform(-0.06, 0.06))
    pitch = pitch * contour(count, [1 + drift, 1 - drift])
    tilt = float(rng.uniform(0.6, 2.0))
    siren_ = wave(phase_of(pitch, rate), harmonics(high, rate, tilt))
    loud = contour(count, [float(v) for v in rng.uniform(0.2, 1.0, 3)])
    street = colour(rng, count, [(40, 0), (200, -6), (2000, -20), (8000, -45)], rate)
    return unit(siren_) * loud + np.float32(log_uniform(rng, 0.01, 0.3)) * street


def _bell(rng: np.random.Generator, pitch: float, seconds: float, rate: int) -> Signal:
    partials = pitch * BELL * np.exp(rng.normal(0, 0.008, len(BELL)))
    fades = seconds / np.sqrt(BELL) * np.exp(rng.normal(0, 0.3, len(BELL)))
    loud = np.exp(rng.normal(0, 0.5, len(BELL))) / BELL**0.4
    samples = int(min(4 * seconds, 10) * rate)
    body = ring(samples, partials, fades, loud, rate)
    # A bell is never quite round: each mode is two, and they beat.
    body += 0.6 * ring(samples, partials * 1.0015 + 0.4, fades, loud, rate)
    hit = noise(rng, int(0.05 * rate)) * attack_decay(int(0.05 * rate), 0.001, 0.01, rate)
    add(body, 0, np.float32(0.5) * hit)
    return unit(body)


def church_bell(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """One bell tolling, or several in changes."""
    seconds = log_uniform(rng, 0.5, 3.0)
    lowest = log_uniform(rng, 170, 700)
    steps = rng.permutation([1.0, 9 / 8, 5 / 4, 4 / 3, 3 / 2])[: int(rng.choice([1, 1, 2, 4]))]
    bells = [_bell(rng, lowest * float(step), seconds, rate) for step in steps]
    interval = log_uniform(rng, 0.35, 3.0) if len(bells) > 1 else log_uniform(rng, 0.9, 3.5)
    times = moments(rng, count / rate, interval, 0.04, onset(rng, count / rate, 0.3))
    return place_all(count, rate, times, lambda i: bells[i % len(bells)])


def doorbell(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Ding-dong, a chime of several notes, or a buzzer."""
    if rng.random() < 0.2:
        return _buzzer(rng, count, rate)
    high = log_uniform(rng, 450, 1400)
    melodies: list[list[float]] = [[1, 0.8], [1, 0.75, 0.6], [1, 1.25, 1.5, 0.75], [1, 1]]
    falls = melodies[int(rng.integers(4))]
    fade, gap = log_uniform(rng, 0.2, 0.9), float(rng.uniform(0.25, 0.7))
    second = float(rng.uniform(2.0, 4.2))
    chimes = [
        ring(
            int(3 * fade * rate), [high * f, high * f * second], [fade, 0.3 * fade], [1, 0.4], rate
        )
        for f in falls
    ]
    track = np.zeros(count, np.float32)
    for start in moments(rng, count / rate, gap * len(falls) + 1.5, 0.2, onset(rng, count / rate)):
        for i, chime in enumerate(chimes):
            add(track, int((start + i * gap) * rate), chime)
    return track


def _buzzer(rng: np.random.Generator, count: int, rate: int) -> Signal:
    pitch = np.full(count, rng.uniform(90, 250), np.float32)
    buzz = wave(phase_of(pitch, rate), harmonics(250, rate, 0.2))
    pressed = np.zeros(count, np.float32)
    for start in moments(rng, count / rate, 1.4, 0.3, onset(rng, count / rate)):
        samples = int(rng.uniform(0.2, 0.9) * rate)
        add(pressed, int(start * rate), arch(samples, 0.03, 0.03))
    return as_signal(buzz * pressed.clip(0, 1))


def alarm(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Beeps of watches, smoke detectors, reversing lorries and machines."""
    pitch = log_uniform(rng, 600, 4200)
    beep, gap = log_uniform(rng, 0.04, 0.6), float(rng.uniform(0.4, 1.5))
    group = int(rng.choice([1, 2, 3, 4]))
    pause = 0.0 if group == 1 else float(rng.uniform(0.2, 1.2))
    samples = int(beep * rate)
    second = pitch * float(rng.choice([1, 1, 0.75, 0.5, 1.25]))
    tones = [
        wave(
            phase_of(np.full(samples, p, np.float32), rate),
            harmonics(p, rate, float(rng.uniform(0.8, 3))),
        )
        for p in (pitch, min(second, 4500))
    ]
    track = np.zeros(count, np.float32)
    time, i = onset(rng, count / rate, 0.3), 0
    while time < count / rate:
        add(track, int(time * rate), unit(tones[i % 2]) * arch(samples, 0.04, 0.04))
        i += 1
        time += beep * (1 + gap) + (pause if i % group == 0 else 0.0)
    return track


def car_horn(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Honks: two buzzing notes a third apart; a truck's are deeper, a bicycle's a single squawk."""
    pitch = log_uniform(rng, 180, 520)
    notes = [pitch, pitch * float(rng.choice([1.19, 1.25, 1.33]))][: int(rng.choice([1, 2, 2, 2]))]
    tilt = float(rng.uniform(0.0, 0.8))
    tints = [np.exp(rng.normal(0, 0.5, 60)) for _ in notes]

    def honk(_: int) -> Signal:
        samples = int(log_uniform(rng, 0.12, 1.8) * rate)
        shapes = [harmonics(p, rate, tilt) for p in notes]
        horn = sum(
            (
                wave(phase_of(np.full(samples, p, np.float32), rate), shape * tint[: len(shape)])
                for p, shape, tint in zip(notes, shapes, tints, strict=True)
            ),
            start=np.zeros(samples, np.float32),
        )
        edge = min(0.03 * rate / samples, 0.3)
        return unit(horn) * arch(samples, edge, edge)

    times = moments(rng, count / rate, float(rng.uniform(0.4, 2.2)), 0.5, onset(rng, count / rate))
    track = place_all(count, rate, times, honk)
    street = colour(rng, count, [(40, 0), (300, -8), (2000, -20), (8000, -45)], rate)
    return track + np.float32(log_uniform(rng, 0.01, 0.2)) * street


def telephone(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A ringing telephone: two bells with a clapper, an electronic warble, or a little tune."""
    kind = int(rng.integers(3))
    on, off = float(rng.uniform(0.5, 2.2)), float(rng.uniform(0.4, 2.5))
    samples = int(on * rate)
    if kind == 0:
        burst = _clapper(rng, samples, rate)
    elif kind == 1:
        high = log_uniform(rng, 700, 2400)
        swap = float(rng.uniform(8, 25))
        steps = phase_of(np.full(samples, swap, np.float32), rate) % 1 < 0.5
        pitch = np.where(steps, high, high * float(rng.uniform(0.7, 0.9)))
        burst = wave(phase_of(pitch, rate), harmonics(high, rate, float(rng.uniform(0.7, 2.5))))
    else:
        notes = log_uniform(rng, 500, 1500) * 2 ** (rng.integers(0, 13, 8) / 12)
        pitch = np.repeat(notes, samples // 8 + 1)[:samples]
        burst = wave(phase_of(pitch, rate), harmonics(float(notes.max()), rate, 1.2))
    ringing = unit(burst) * arch(samples, 0.02, 0.03)
    times = moments(rng, count / rate, on + off, 0.01, onset(rng, count / rate, 0.3))
    return place_all(count, rate, times, lambda _: ringing)


def _clapper(rng: np.random.Generator, samples: int, rate: int) -> Signal:
    """A hammer that flies between two small bells about twenty times a second."""
    pitch = log_uniform(rng, 900, 2200)
    strikes = 1 / float(rng.uniform(16, 26))
    bells = [
        ring(
            int(0.4 * rate),
            pitch * f * np.array([1, 2.76, 5.4]),
            [0.15, 0.06, 0.02],
            [1, 0.6, 0.3],
            rate,
        )
        for f in (1.0, float(rng.uniform(1.1, 1.3)))
    ]
    times = moments(rng, samples / rate, strikes, 0.02)
    return place_all(samples, rate, times, lambda i: bells[i % 2])


def train_whistle(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A chord of steam whistles or air horns, blown long and short."""
    root = log_uniform(rng, 220, 620)
    chords: list[list[float]] = [[1, 1.25, 1.5], [1, 1.19, 1.41, 1.68], [1, 1.33], [1]]
    chord = chords[int(rng.integers(4))]
    steam = rng.random() < 0.6
    tilt = float(rng.uniform(1.2, 2.5) if steam else rng.uniform(0.3, 1.0))

    def blow(_: int) -> Signal:
        samples = int(log_uniform(rng, 0.3, 2.5) * rate)
        rise = contour(samples, [0.94, 1.0, 1.0, 0.96], [0, 0.12, 0.85, 1])
        horn = np.zeros(samples, np.float32)
        for step in chord:
            pitch = root * step * rise * wander(rng, samples, 6.0, 0.996, 1.004, rate)
            horn += wave(phase_of(pitch, rate), harmonics(1.1 * root * step, rate, tilt))
        hiss = noise(rng, samples) * np.float32(rng.uniform(0.05, 0.3) if steam else 0.02)
        return (unit(horn) + hiss) * arch(samples, 0.1, 0.15)

    times = moments(rng, count / rate, float(rng.uniform(1.0, 3.0)), 0.4, onset(rng, count / rate))
    return place_all(count, rate, times, blow)


def whistling(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A person whistling a tune, or a referee's whistle with its rattling pea."""
    if rng.random() < 0.35:
        return _pea_whistle(rng, count, rate)
    base = log_uniform(rng, 900, 1900)
    notes = base * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 12], 24) / 12)
    beat = float(rng.uniform(0.12, 0.5))
    lengths = rng.choice([1, 1, 2, 3], 24)
    pitch = np.repeat(notes, (lengths * beat * rate).astype(int))
    pitch = np.resize(pitch, count).astype(np.float32)
    # Lips glide from note to note.
    glide = int(0.03 * rate)
    pitch = np.convolve(
        np.pad(pitch, glide, "edge"), np.full(2 * glide + 1, 1 / (2 * glide + 1)), "valid"
    )
    time = np.arange(count) / rate
    pitch = pitch * (1 + 0.012 * np.sin(2 * np.pi * float(rng.uniform(4, 7)) * time))
    breath = colour(rng, count, [(700, -30), (1800, 0), (4000, -10)], rate)
    voice = tone(pitch, rate) + np.float32(rng.uniform(0.02, 0.15)) * breath
    return voice * wander(rng, count, 2.5, 0.2, 1.0, rate)


def _pea_whistle(rng: np.random.Generator, count: int, rate: int) -> Signal:
    pitch, rattle = log_uniform(rng, 2000, 3900), float(rng.uniform(20, 55))

    def blow(_: int) -> Signal:
        samples = int(log_uniform(rng, 0.12, 1.5) * rate)
        shake = tone(np.full(samples, rattle, np.float32), rate)
        bend = pitch * (1 + 0.03 * shake)
        shrill = tone(bend, rate) + 0.5 * tone(bend * 1.06, rate)
        hiss = noise(rng, samples) * np.float32(0.15)
        return as_signal((shrill * (0.65 + 0.35 * shake) + hiss) * arch(samples, 0.08, 0.1))

    times = moments(rng, count / rate, float(rng.uniform(0.5, 2.5)), 0.5, onset(rng, count / rate))
    return place_all(count, rate, times, blow)
