"""Engines, rotors and motors."""

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
    harmonics,
    log_uniform,
    moments,
    noise,
    phase_of,
    place_all,
    ring,
    tone,
    unit,
    wander,
    wave,
)
from recipes.mini.synthesis.small_animals import fly_past


def _firing(
    rng: np.random.Generator, speed: Signal, rate: int, tilt: float, uneven: float
) -> Signal:
    """Explosions of an engine at `speed` per second, every second one a little different."""
    steady = speed * wander(rng, len(speed), 30.0, 0.98, 1.02, rate)
    phase = phase_of(steady, rate)
    lowest = float(speed.min(initial=1.0)) / 2
    powers = harmonics(max(float(speed.max(initial=1.0)) / 2, lowest), rate, tilt, most=80)
    powers = powers * np.exp(rng.normal(0, 0.6, len(powers)))
    powers[::2] *= uneven
    puffs = np.maximum(wave(phase, [0, 1.0]), 0) ** 2
    return unit(wave(phase / 1.0, powers)) + 0.6 * unit(puffs * noise(rng, len(speed)))


def _revs(rng: np.random.Generator, count: int, rate: int, idle: float, high: float) -> Signal:
    """Speed over time: idling, held, revving now and then, or a steady pull."""
    kind = int(rng.integers(4))
    if kind == 0:
        return wander(rng, count, 0.5, 0.97 * idle, 1.03 * idle, rate)
    if kind == 1:
        speed = float(rng.uniform(idle, high))
        return wander(rng, count, 0.4, 0.9 * speed, 1.1 * speed, rate)
    if kind == 2:
        return wander(rng, count, 1.2, idle, high, rate)
    ends = sorted(rng.uniform(idle, high, 2), reverse=bool(rng.random() < 0.3))
    return contour(count, [float(e) for e in ends])


def car_engine(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A car or lorry: idling, revving, pulling away or driving past on its tyres."""
    idle = log_uniform(rng, 14, 38)
    speed = _revs(rng, count, rate, idle, idle * float(rng.uniform(1.8, 5.0)))
    engine = _firing(rng, speed, rate, float(rng.uniform(0.6, 1.3)), float(rng.uniform(0.1, 0.7)))
    engine = band(engine, 30, log_uniform(rng, 250, 2500), rate, order=1)
    tyres = colour(rng, count, [(50, -6), (700, 0), (1500, -4), (7900, -35)], rate)
    track = unit(engine) + np.float32(log_uniform(rng, 0.03, 0.6)) * tyres
    return track * fly_past(rng, count, rate) if rng.random() < 0.35 else track


def motorcycle(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """One or two cylinders, from a chopper's thud to a moped's whine, revved with the wrist."""
    idle = log_uniform(rng, 18, 60)
    speed = _revs(rng, count, rate, idle, idle * float(rng.uniform(3.0, 7.0)))
    engine = _firing(rng, speed, rate, float(rng.uniform(0.2, 0.7)), float(rng.uniform(0.5, 1.2)))
    engine = band(engine, 60, log_uniform(rng, 1500, 6000), rate, order=1)
    loud = 0.4 + 0.6 * speed / speed.max(initial=1.0)
    return as_signal(engine * loud * (fly_past(rng, count, rate) if rng.random() < 0.5 else 1))


def chainsaw(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A two-stroke that screams, bogs down in the wood and idles in between."""
    idle = log_uniform(rng, 35, 60)
    full = log_uniform(rng, 100, 190)
    throttle = wander(rng, count, float(rng.uniform(0.3, 1.2)), -0.6, 2.0, rate).clip(0, 1)
    speed = as_signal(idle + (full - idle) * throttle)
    engine = _firing(rng, speed, rate, float(rng.uniform(0.05, 0.5)), float(rng.uniform(0.5, 1.0)))
    engine = band(engine, 80, log_uniform(rng, 2500, 7000), rate, order=1)
    chain = colour(rng, count, [(300, -25), (2500, -3), (4500, 0), (7900, -8)], rate)
    cut = np.float32(rng.uniform(0.1, 0.7)) * chain * throttle
    return as_signal(unit(engine) * (0.35 + 0.65 * throttle) + cut)


def helicopter(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Blades that slap the air, a turbine behind them; hovering, near or passing over."""
    beat = log_uniform(rng, 8, 30)
    phase = phase_of(wander(rng, count, 0.5, 0.985 * beat, 1.015 * beat, rate), rate)
    sharp = log_uniform(rng, 2.0, 14.0)
    slap = np.exp(np.float32(sharp) * (wave(phase, [1.0]) - 1))
    edge = log_uniform(rng, 70, 400)
    chop = colour(rng, count, [(25, 0), (edge, 0), (4 * edge, -16), (8000, -45)], rate)
    wash = colour(rng, count, [(60, -20), (600, 0), (2500, -10), (8000, -30)], rate)
    depth = np.float32(rng.uniform(0.5, 1.0))
    pulse = 1 - depth + depth * slap
    track = unit(chop * pulse) + np.float32(rng.uniform(0.1, 0.9)) * unit(wash * pulse)
    low = harmonics(beat, rate, float(rng.uniform(0.1, 0.8)), most=int(rng.integers(6, 25)))
    low = low * np.exp(rng.normal(0, 0.5, len(low)))
    track += np.float32(rng.uniform(0.1, 1.2)) * unit(wave(phase, low))
    if rng.random() < 0.6:
        whine = log_uniform(rng, 300, 3500)
        bend = wander(rng, count, 0.5, 0.995 * whine, 1.005 * whine, rate)
        track += np.float32(log_uniform(rng, 0.02, 0.25)) * tone(bend, rate)
    return track * fly_past(rng, count, rate) if rng.random() < 0.3 else track


def airplane(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A jet's broad roar and whine, or a propeller's drone, mostly passing over."""
    if rng.random() < 0.5:
        edge = log_uniform(rng, 200, 1200)
        track = colour(rng, count, [(25, -8), (edge, 0), (3 * edge, -12), (8000, -45)], rate)
        whine = log_uniform(rng, 1200, 5000)
        bend = contour(count, [1.06 * whine, 0.94 * whine], None)
        track += np.float32(log_uniform(rng, 0.02, 0.3)) * tone(bend, rate)
    else:
        pitch = log_uniform(rng, 55, 140)
        drone = contour(count, [1.05 * pitch, 0.95 * pitch]) * wander(
            rng, count, 1, 0.99, 1.01, rate
        )
        powers = harmonics(pitch, rate, 0.7, most=30)
        powers = powers * np.exp(rng.normal(0, 0.5, len(powers)))
        track = unit(wave(phase_of(drone, rate), powers))
        track += 0.4 * colour(rng, count, [(40, -5), (300, 0), (2000, -20)], rate)
    return track * fly_past(rng, count, rate) if rng.random() < 0.7 else track


def vacuum(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A motor's hum and whine under a broad rush of air; switched on, pushed about, and off."""
    full = log_uniform(rng, 110, 520)
    speed = np.full(count, full, np.float32)
    if rng.random() < 0.4:
        ramp = min(int(rng.uniform(0.4, 1.4) * rate), count)
        speed[:ramp] = np.linspace(0.3, 1, ramp) * full
        if rng.random() < 0.5:
            speed = speed[::-1].copy()
    speed = speed * wander(rng, count, 0.8, 0.985, 1.015, rate)
    powers = harmonics(full, rate, 0.8, most=25)
    powers = powers * np.exp(rng.normal(0, 0.8, len(powers)))
    motor = unit(wave(phase_of(speed, rate), powers))
    resonance = log_uniform(rng, 400, 2500)
    air = colour(rng, count, [(60, -15), (resonance, 0), (4 * resonance, -10), (7900, -22)], rate)
    loud = (speed / full) ** 2
    return (motor * np.float32(rng.uniform(0.2, 1.0)) + air) * loud


def train(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Wheels over rail joints, or a steam engine's chuffing; sometimes a horn far off."""
    seconds = count / rate
    rumble = colour(rng, count, [(30, -3), (90, 0), (400, -12), (2000, -25), (8000, -45)], rate)
    track = rumble * np.float32(rng.uniform(0.15, 0.6)) * wander(rng, count, 2.0, 0.5, 1.0, rate)
    if rng.random() < 0.6:
        pair, lap = float(rng.uniform(0.1, 0.25)), float(rng.uniform(0.45, 1.3))
        clacks = [t + b for t in moments(rng, seconds, lap, 0.02) for b in (0.0, pair)]
        iron = np.exp(rng.uniform(np.log(180), np.log(2600), 5))
        track += place_all(count, rate, clacks, lambda _: _clack(rng, iron, rate))
    else:
        chuffs = moments(rng, seconds, 1 / log_uniform(rng, 2.0, 8.0), 0.02)
        puff = log_uniform(rng, 300, 1500)
        track += place_all(count, rate, chuffs, lambda i: _chuff(rng, puff, i, rate))
    if rng.random() < 0.25:
        squeal = log_uniform(rng, 1500, 4500)
        bend = wander(rng, count, 3.0, 0.98 * squeal, 1.02 * squeal, rate)
        track += 0.2 * tone(bend, rate) * wander(rng, count, 1.5, -0.5, 1, rate).clip(0, 1)
    return track * fly_past(rng, count, rate) if rng.random() < 0.3 else track


def _clack(rng: np.random.Generator, iron: np.ndarray, rate: int) -> Signal:
    samples = int(0.16 * rate)
    hit = noise(rng, samples) * attack_decay(samples, 0.002, 0.012, rate)
    body = ring(samples, iron, 0.02, rng.uniform(0.3, 1.0, len(iron)), rate)
    thud = ring(samples, [70.0], 0.04, 1.0, rate)
    return (0.5 * hit + 0.5 * body + thud) * np.float32(rng.uniform(0.6, 1))


def _chuff(rng: np.random.Generator, puff: float, i: int, rate: int) -> Signal:
    samples = int(0.22 * rate)
    steam = band(noise(rng, samples), 0.4 * puff, 2.5 * puff, rate, order=1)
    accent = 1.0 if i % 4 == 0 else 0.65
    return unit(steam) * attack_decay(samples, 0.02, 0.06, rate) * np.float32(accent)


def hammering(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Blows on nails, wood or iron."""
    metal = rng.random() < 0.5
    low = 900 if metal else 150
    modes = np.exp(rng.uniform(np.log(low), np.log(9 * low), 6))
    fade = log_uniform(rng, 0.02, 0.2) if metal else log_uniform(rng, 0.005, 0.03)

    def blow(_: int) -> Signal:
        samples = int(0.4 * rate)
        body = ring(samples, modes * rng.uniform(0.98, 1.02), fade, rng.uniform(0.2, 1, 6), rate)
        hit = noise(rng, samples) * attack_decay(samples, 0.0005, 0.006, rate)
        return (body + hit) * np.float32(rng.uniform(0.5, 1))

    times: list[float] = []
    start = float(rng.uniform(0, 0.5))
    interval = log_uniform(rng, 0.2, 0.8)
    while start < count / rate:
        times += [
            start + i * interval * rng.uniform(0.95, 1.05) for i in range(int(rng.integers(3, 9)))
        ]
        start = times[-1] + interval + float(rng.exponential(0.6))
    return place_all(count, rate, times, blow)


def sawing(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A hand saw: strokes to and fro, rasping."""
    stroke = float(rng.uniform(0.25, 0.7))
    rasp = float(rng.uniform(60, 200))
    track = np.zeros(count, np.float32)
    curve = [(150, -25), (log_uniform(rng, 900, 3500), 0), (7900, -10)]
    for i, time in enumerate(moments(rng, count / rate, stroke, 0.06, float(rng.uniform(0, 0.4)))):
        samples = int(0.9 * stroke * rate)
        teeth = 1 + 0.6 * tone(contour(samples, [0.6 * rasp, rasp, 0.7 * rasp]), rate)
        loud = np.float32(1.0 if i % 2 else rng.uniform(0.4, 0.8))
        add(
            track,
            int(time * rate),
            loud * colour(rng, samples, curve, rate) * teeth * arch(samples, 0.2, 0.3),
        )
    return track
