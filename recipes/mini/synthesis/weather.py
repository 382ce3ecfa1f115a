"""Weather, water and fire."""

import numpy as np

from recipes.mini.synthesis.shaping import (
    Signal,
    add,
    arch,
    as_signal,
    attack_decay,
    band,
    colour,
    contour,
    convolve,
    impulses,
    log_uniform,
    moments,
    noise,
    onset,
    place_all,
    ring,
    tone,
    unit,
    wander,
)


def rain(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """From single drops on a tin roof to a dense hiss."""
    density = log_uniform(rng, 20, 4000)
    dull = float(rng.uniform(-16, 0))
    edge = log_uniform(rng, 100, 1500)
    bright = log_uniform(rng, 1500, 6000)
    curve = [(40, -25), (edge, -8 + 0.5 * dull), (bright, 0), (7900, float(rng.uniform(-18, 2)))]
    hiss = colour(rng, count, curve, rate) * wander(rng, count, 0.7, 0.8, 1.0, rate)
    drops = unit(_drops_on_something(rng, count, rate, density))
    share = float(rng.uniform(0.1, 0.9))
    track = hiss * np.float32(1 - share) + drops * np.float32(share)
    if rng.random() < 0.35:
        rumble = [(30, 0), (log_uniform(rng, 100, 400), -3), (1500, -30)]
        track += np.float32(rng.uniform(0.1, 0.6)) * colour(rng, count, rumble, rate)
    return track


def _drops_on_something(rng: np.random.Generator, count: int, rate: int, density: float) -> Signal:
    """Drops on two or three kinds of surface: leaves, tin, water, glass."""
    track = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        samples = int(0.03 * rate)
        pitches = np.exp(rng.uniform(np.log(500), np.log(7000), 3))
        fades = np.exp(rng.uniform(np.log(0.0005), np.log(0.008), 3))
        body = ring(samples, pitches, fades, rng.uniform(0.3, 1, 3), rate)
        splash = noise(rng, samples) * attack_decay(samples, 0.0003, 0.002, rate)
        kernel = body + np.float32(rng.uniform(0, 1)) * splash
        track += convolve(impulses(rng, count, density, rate), unit(as_signal(kernel)))
    return track


def wind(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Gusts: a rumble, a rush and sometimes a howl, all following the same breath."""
    gust = wander(rng, count, log_uniform(rng, 0.2, 1.2), 0.05, 1.0, rate)
    edge = log_uniform(rng, 80, 500)
    low = colour(rng, count, [(20, 0), (edge, -3), (4 * edge, -24), (8000, -60)], rate)
    rush = [(100, -20), (log_uniform(rng, 300, 1200), 0), (3000, -14), (8000, -40)]
    high = colour(rng, count, rush, rate)
    track = low * (0.3 + 0.7 * gust) + np.float32(rng.uniform(0.1, 1.0)) * high * gust**2
    if rng.random() < 0.6:
        centre = log_uniform(rng, 250, 900)
        for ratio in (1.0, float(rng.uniform(1.3, 2.2))):
            pitch = centre * ratio * (0.7 + 0.6 * gust)
            narrow = wander(rng, count, float(rng.uniform(15, 60)), -1, 1, rate)
            track += np.float32(rng.uniform(0.3, 1.5)) * narrow * tone(pitch, rate) * gust**2
    return as_signal(track)


def thunder(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A crack, when it is near, and a long rolling rumble."""
    track = np.zeros(count, np.float32)
    time, near = onset(rng, count / rate, 0.4), float(rng.uniform(0, 1))
    while time < count / rate:
        add(track, int(time * rate), _clap(rng, rate, near))
        time += float(rng.uniform(2.0, 8.0))
    return track


def _clap(rng: np.random.Generator, rate: int, near: float) -> Signal:
    samples = int(rng.uniform(2.5, 7.0) * rate)
    edge = log_uniform(rng, 60, 220)
    rolling = wander(rng, samples, float(rng.uniform(2, 7)), 0.1, 1.0, rate)
    low = colour(rng, samples, [(20, -6), (edge, 0), (3 * edge, -18), (4000, -60)], rate)
    clap = low * rolling * attack_decay(samples, float(rng.uniform(0.02, 0.5)), 1.8, rate)
    middle = colour(rng, samples, [(80, -20), (400, 0), (1500, -12), (8000, -50)], rate)
    clap += 0.5 * near * middle * rolling * attack_decay(samples, 0.02, 0.7, rate)
    if near > 0.5:
        for _ in range(int(rng.integers(2, 9))):
            crack = noise(rng, int(0.4 * rate)) * attack_decay(int(0.4 * rate), 0.001, 0.06, rate)
            crack = band(crack, 150, log_uniform(rng, 1500, 7000), rate, order=1)
            at = int(rng.exponential(0.25) * rate)
            add(clap, at, crack * np.float32(rng.uniform(0.5, 4) * near))
    return clap


def sea_waves(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Swells that roll in low, break bright and run out hissing."""
    period = float(rng.uniform(2.5, 9.0))
    brightness = log_uniform(rng, 500, 3500)
    surf = colour(
        rng,
        count,
        [(30, -20), (150, -6), (brightness, 0), (7900, float(rng.uniform(-30, -8)))],
        rate,
    )
    deep = colour(rng, count, [(25, -6), (150, 0), (700, -12), (3000, -45)], rate)
    foam = colour(rng, count, [(300, -40), (2500, -5), (5500, 0), (7900, -3)], rate)
    swell, run_out = np.zeros(count, np.float32), np.zeros(count, np.float32)
    first = -float(rng.uniform(0, period))
    for time in moments(rng, count / rate, period, 0.25, first):
        samples = int(period * rng.uniform(0.9, 1.7) * rate)
        size = np.float32(rng.uniform(0.4, 1.0))
        crest = float(rng.uniform(0.25, 0.6))
        add(swell, int(time * rate), size * arch(samples, crest, 1 - crest))
        add(run_out, int((time + 0.35 * period) * rate), size * arch(samples, 0.3, 0.7))
    calm = np.float32(rng.uniform(0.03, 0.35))
    gurgle = 1 + np.float32(rng.uniform(0, 0.5)) * wander(rng, count, 9.0, -1, 1, rate)
    track = surf * (calm + swell**2) * gurgle + deep * (calm + swell) * np.float32(
        rng.uniform(0, 0.8)
    )
    return as_signal(track + foam * run_out**2 * np.float32(rng.uniform(0.05, 0.5)))


def fire(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Crackles and pops, sparse or dense, over a soft roar and a hiss."""
    track = (
        np.float32(log_uniform(rng, 0.02, 0.5))
        * colour(rng, count, [(30, -6), (120, 0), (500, -15), (6000, -45)], rate)
        * wander(rng, count, 6.0, 0.4, 1.0, rate)
    )
    hiss = colour(rng, count, [(300, -25), (2500, -6), (5000, 0), (7900, -4)], rate)
    track += np.float32(log_uniform(rng, 0.005, 0.2)) * hiss
    busy = wander(rng, count, 3.0, 0.0, 1.0, rate) > np.float32(rng.uniform(0.1, 0.6))
    for _ in range(int(rng.integers(2, 5))):
        samples = int(0.03 * rate)
        kernel = noise(rng, samples) * attack_decay(
            samples, 0.0002, log_uniform(rng, 0.0004, 0.006), rate
        )
        pitch = log_uniform(rng, 700, 6000)
        kernel += ring(samples, [pitch, 1.7 * pitch], 0.003, 1.0, rate)
        sparks = impulses(rng, count, log_uniform(rng, 3, 90), rate) ** 2
        if rng.random() < 0.6:
            sparks = sparks * busy
        track += np.float32(rng.uniform(0.2, 1.0)) * convolve(sparks, unit(kernel))
    return track


def water_drops(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Drips: bubbles that rise in pitch, from a tap or all over a cave."""
    interval = log_uniform(rng, 0.12, 1.2)
    irregular = float(rng.choice([0.02, 0.1, 0.6]))
    centre, spread = log_uniform(rng, 500, 2600), float(rng.uniform(0.02, 0.4))

    def drip(_: int) -> Signal:
        samples = int(0.18 * rate)
        pitch = centre * float(np.exp(rng.normal(0, spread)))
        rise = 1 + float(rng.uniform(0.05, 0.9))
        bend = np.minimum(contour(samples, [pitch, pitch * rise]), 0.45 * rate)
        bubble = tone(bend, rate) * attack_decay(
            samples, 0.001, log_uniform(rng, 0.008, 0.05), rate
        )
        click = noise(rng, samples) * attack_decay(samples, 0.0003, 0.0015, rate)
        delay = int(rng.uniform(0, 0.03) * rate)
        drop = np.float32(rng.uniform(0.05, 0.6)) * click
        add(drop, delay, bubble)
        return drop * np.float32(rng.uniform(0.4, 1.0))

    times = moments(rng, count / rate, interval, irregular, onset(rng, count / rate, 0.2))
    return place_all(count, rate, times, drip)


def stream(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Running water: very many small bubbles over a soft rush; a brook or a tap."""
    track = np.zeros(count, np.float32)
    for _ in range(4):
        samples = int(0.05 * rate)
        pitch = log_uniform(rng, 350, 3500)
        bend = contour(samples, [pitch, pitch * float(rng.uniform(1.05, 1.5))])
        bubble = tone(bend, rate) * attack_decay(
            samples, 0.003, log_uniform(rng, 0.005, 0.02), rate
        )
        track += unit(convolve(impulses(rng, count, log_uniform(rng, 30, 500), rate), bubble))
    rush = [(100, -20), (log_uniform(rng, 500, 3000), 0), (7900, -15)]
    wash = colour(rng, count, rush, rate) * wander(rng, count, 4.0, 0.7, 1.0, rate)
    return track + np.float32(rng.uniform(0.3, 3.0)) * wash
