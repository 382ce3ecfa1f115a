"""Things: clocks, steps, keys, doors, glass, coins, shots."""

import numpy as np

from recipes.mini.synthesis.shaping import (
    Signal,
    add,
    arch,
    attack_decay,
    band,
    colour,
    contour,
    convolve,
    harmonics,
    impulses,
    log_uniform,
    moments,
    noise,
    onset,
    phase_of,
    place_all,
    ring,
    unit,
    wander,
    wave,
)


def _tick(rng: np.random.Generator, rate: int, low: float, high: float) -> Signal:
    """One beat of an escapement: a few tiny clicks on a small resonating body."""
    samples = int(0.12 * rate)
    modes = np.exp(rng.uniform(np.log(low), np.log(high), 5))
    fades = np.exp(rng.uniform(np.log(0.0008), np.log(0.012), 5))
    body = ring(samples, modes, fades, rng.uniform(0.2, 1.0, 5), rate)
    click = noise(rng, samples) * attack_decay(
        samples, 0.0002, log_uniform(rng, 0.0005, 0.003), rate
    )
    one = body + np.float32(rng.uniform(0, 1)) * click
    tick = one.copy()
    for _ in range(int(rng.integers(0, 3))):
        add(tick, int(rng.uniform(0.004, 0.035) * rate), one * np.float32(rng.uniform(0.1, 0.7)))
    return unit(tick)


def clock(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Tick-tock: a wrist watch, an alarm clock, a tall clock in a wooden case."""
    interval = float(rng.choice([1.0, 0.5, 0.4, 0.25, 0.2, log_uniform(rng, 0.17, 1.1)]))
    low = log_uniform(rng, 400, 2500)
    ticks = [_tick(rng, rate, low, 7500) for _ in range(2)]
    if rng.random() < 0.35:
        ticks[1] = ticks[0]
    if rng.random() < 0.4:
        wood = np.exp(rng.uniform(np.log(120), np.log(700), 3))
        for tick in ticks:
            tick += np.float32(rng.uniform(0.3, 2)) * ring(len(tick), wood, 0.02, 0.5, rate)
    weak, limp = float(rng.uniform(0.3, 1.0)), float(rng.uniform(-0.12, 0.12)) * interval
    times = moments(rng, count / rate, interval, 0.003, float(rng.uniform(0, interval)))
    times = [time + (limp if i % 2 else 0.0) for i, time in enumerate(times)]
    return place_all(count, rate, times, lambda i: ticks[i % 2] * np.float32(weak if i % 2 else 1))


def footsteps(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Walking or running on stone, wood, gravel, leaves or snow."""
    interval = log_uniform(rng, 0.26, 0.85)
    ground = int(rng.integers(3))
    heel = np.exp(rng.uniform(np.log(70), np.log(500 if ground == 1 else 1800), 4))
    grit = log_uniform(rng, 800, 5000)

    def step(_: int) -> Signal:
        samples = int(0.32 * rate)
        modes = heel * rng.uniform(0.93, 1.07)
        foot = ring(samples, modes, log_uniform(rng, 0.008, 0.035), rng.uniform(0.3, 1, 4), rate)
        click = noise(rng, samples) * attack_decay(samples, 0.001, 0.006, rate)
        foot = foot + np.float32(rng.uniform(0.1, 0.8)) * click
        toe = int(rng.uniform(0.06, 0.13) * rate)
        add(foot, toe, foot[: samples - toe].copy() * np.float32(rng.uniform(0.1, 0.6)))
        if ground == 2:
            grains = np.abs(impulses(rng, samples, 1500, rate)) * arch(samples, 0.25, 0.5)
            crunch = band(grains * noise(rng, samples), 0.5 * grit, 1.6 * grit, rate, order=1)
            foot = 0.3 * foot + unit(crunch) * np.float32(rng.uniform(0.5, 1))
        return foot * np.float32(rng.uniform(0.6, 1))

    times = moments(rng, count / rate, interval, 0.06, float(rng.uniform(0, interval)))
    return place_all(count, rate, times, step) * wander(rng, count, 0.4, 0.4, 1.0, rate)


def keyboard(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Typing: a press, the bottom and a lighter release for each key, in bursts of words."""
    speed = log_uniform(rng, 3, 13)
    click = np.exp(rng.uniform(np.log(1500), np.log(7000), 4))
    thock = np.exp(rng.uniform(np.log(180), np.log(1100), 3))
    hard = float(rng.uniform(0.2, 1.2))

    def key(_: int) -> Signal:
        samples = int(0.16 * rate)
        press = ring(samples, click * rng.uniform(0.9, 1.1), 0.002, rng.uniform(0.3, 1, 4), rate)
        press += noise(rng, samples) * attack_decay(samples, 0.0003, 0.0025, rate)
        body = ring(samples, thock * rng.uniform(0.9, 1.1), 0.008, hard, rate)
        stroke = press + body
        release = int(rng.uniform(0.05, 0.11) * rate)
        add(stroke, release, press[: samples - release].copy() * np.float32(rng.uniform(0.2, 0.6)))
        return stroke * np.float32(rng.uniform(0.4, 1))

    times: list[float] = []
    start = float(rng.uniform(0, 0.4))
    while start < count / rate:
        for _ in range(int(rng.integers(2, 12))):
            times.append(start)
            start += float(rng.gamma(4, 0.25 / speed))
        start += float(rng.exponential(0.25))
    return place_all(count, rate, times, key)


def door_knock(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Knuckles or a fist on wood."""
    modes = np.exp(rng.uniform(np.log(90), np.log(900), 6))
    fade, interval = log_uniform(rng, 0.012, 0.06), float(rng.uniform(0.12, 0.4))

    def knock(_: int) -> Signal:
        samples = int(0.3 * rate)
        body = ring(samples, modes * rng.uniform(0.98, 1.02), fade, rng.uniform(0.3, 1, 6), rate)
        knuckle = noise(rng, samples) * attack_decay(samples, 0.0005, 0.004, rate)
        return (body + np.float32(rng.uniform(0.1, 0.5)) * knuckle) * np.float32(
            rng.uniform(0.6, 1)
        )

    times: list[float] = []
    start = onset(rng, count / rate)
    while start < count / rate:
        times += [
            start + i * interval * float(rng.uniform(0.93, 1.07))
            for i in range(int(rng.integers(2, 7)))
        ]
        start = times[-1] + float(rng.uniform(0.8, 2.5))
    return place_all(count, rate, times, knock)


def door(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A door that creaks, is opened by its latch, or slams."""
    track = np.zeros(count, np.float32)
    start = onset(rng, count / rate, 0.3)
    while start < count / rate:
        if rng.random() < 0.6:
            creak = _creak(rng, rate)
            add(track, int(start * rate), creak * np.float32(rng.uniform(0.3, 1)))
            start += len(creak) / rate
        modes = np.exp(rng.uniform(np.log(50), np.log(600), 6))
        samples = int(0.6 * rate)
        slam = ring(samples, modes, log_uniform(rng, 0.03, 0.1), rng.uniform(0.3, 1, 6), rate)
        slam += 1.5 * noise(rng, samples) * attack_decay(samples, 0.001, 0.02, rate)
        add(track, int(start * rate), slam * np.float32(rng.uniform(0.3, 1.5)))
        latch = int((start + float(rng.uniform(-0.15, 0.12))) * rate)
        add(track, latch, _tick(rng, rate, 900, 5000) * np.float32(rng.uniform(0.2, 0.8)))
        start += float(rng.uniform(1.0, 3.5))
    return track


def _creak(rng: np.random.Generator, rate: int) -> Signal:
    """A hinge that sticks and slips: a slow train of pulses on a resonating board."""
    samples = int(rng.uniform(0.4, 1.6) * rate)
    slow = log_uniform(rng, 15, 220)
    speed = wander(rng, samples, 3.0, 0.6 * slow, 1.9 * slow, rate)
    pulses = wave(phase_of(speed, rate), harmonics(2 * slow, rate, 0.0, most=60))
    centre = log_uniform(rng, 600, 2500)
    squeak = band(pulses, centre / 2, 2 * centre, rate, order=1)
    return unit(squeak) * arch(samples, 0.15, 0.2) * wander(rng, samples, 5.0, 0.2, 1.0, rate)


def glass(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A crash, and shards that tinkle down after it."""
    track = np.zeros(count, np.float32)
    start = onset(rng, count / rate, 0.4)
    while start < count / rate:
        fall = float(rng.uniform(0.15, 0.6))
        shards = rng.exponential(fall, int(rng.integers(12, 45)))
        for delay in shards:
            pitches = np.exp(rng.uniform(np.log(1800), np.log(7800), 3))
            fade = log_uniform(rng, 0.006, 0.09)
            shard = ring(int(4 * fade * rate), pitches, fade, rng.uniform(0.2, 1, 3), rate)
            loud = np.float32(rng.uniform(0.1, 0.9) * np.exp(-delay / (2 * fall)))
            add(track, int((start + delay) * rate), shard * loud)
        crash = noise(rng, int(0.4 * rate)) * attack_decay(
            int(0.4 * rate), 0.001, log_uniform(rng, 0.02, 0.09), rate
        )
        crash = band(crash, log_uniform(rng, 300, 1500), 7800, rate, order=1)
        add(track, int(start * rate), crash * np.float32(rng.uniform(0.5, 2.5)))
        start += float(rng.uniform(1.5, 5))
    return track


def coins(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Coins dropped, spinning down, or keys jingled."""
    modes = np.exp(rng.uniform(np.log(2300), np.log(7600), 6))
    times: list[float] = []
    start = onset(rng, count / rate, 0.4)
    while start < count / rate:
        gap = float(rng.uniform(0.06, 0.3))
        while gap > 0.02 and start < count / rate:
            times.append(start)
            start += gap
            gap *= float(rng.uniform(0.65, 0.95))
        start += float(rng.exponential(0.5)) + 0.05

    def clink(_: int) -> Signal:
        fade = log_uniform(rng, 0.015, 0.12)
        pitches = modes * rng.uniform(0.97, 1.03)
        body = ring(int(4 * fade * rate), pitches, fade, rng.uniform(0.1, 1, 6), rate)
        return body * np.float32(rng.uniform(0.2, 1))

    return place_all(count, rate, times, clink)


def gunshot(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Shots: a pistol, a rifle with its echo from the hills, a machine gun's bursts."""
    automatic = rng.random() < 0.3
    interval = log_uniform(rng, 0.07, 0.14) if automatic else log_uniform(rng, 0.4, 2.5)
    fade, deep = log_uniform(rng, 0.012, 0.07), log_uniform(rng, 60, 200)
    echo = float(rng.uniform(0, 0.5))

    def shot(_: int) -> Signal:
        samples = int(0.9 * rate)
        crack = noise(rng, samples) * attack_decay(
            samples, 0.0003, fade * float(rng.uniform(0.8, 1.2)), rate
        )
        boom = ring(samples, [deep, 1.7 * deep], 2 * fade, 2.0, rate)
        tail = colour(rng, samples, [(60, 0), (600, -3), (2500, -14), (8000, -35)], rate)
        return (
            crack + boom + np.float32(0.3 * echo) * tail * attack_decay(samples, 0.03, 0.25, rate)
        )

    times: list[float] = []
    start = onset(rng, count / rate)
    while start < count / rate:
        for _ in range(int(rng.integers(3, 12)) if automatic else 1):
            times.append(start)
            start += interval * float(
                rng.uniform(0.97, 1.03) if automatic else rng.uniform(0.5, 1.5)
            )
        start += float(rng.exponential(0.8)) if automatic else 0.0
    return place_all(count, rate, times, shot)


def explosion(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """A blast and its rumbling debris; or fireworks, many small ones with crackle."""
    track = np.zeros(count, np.float32)
    start = onset(rng, count / rate, 0.3)
    while start < count / rate:
        samples = int(rng.uniform(1.5, 3.5) * rate)
        edge = log_uniform(rng, 50, 250)
        boom = colour(rng, samples, [(20, 0), (edge, 0), (5 * edge, -18), (8000, -50)], rate)
        blast = boom * attack_decay(samples, 0.004, log_uniform(rng, 0.15, 0.8), rate)
        bright = colour(rng, samples, [(100, -6), (900, 0), (7900, -18)], rate)
        blast += (
            np.float32(rng.uniform(0.2, 1))
            * bright
            * attack_decay(samples, 0.001, log_uniform(rng, 0.02, 0.25), rate)
        )
        debris = impulses(rng, samples, 80, rate) * attack_decay(samples, 0.15, 0.6, rate)
        kernel = noise(rng, 200) * attack_decay(200, 0.0003, 0.003, rate)
        blast += np.float32(rng.uniform(0, 0.5)) * convolve(debris, kernel)
        add(track, int(start * rate), blast * np.float32(rng.uniform(0.5, 1)))
        start += float(rng.uniform(1.5, 6))
    return track


def fireworks(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Whistling rockets, bangs near and far, showers of crackle."""
    track = np.zeros(count, np.float32)
    for start in moments(
        rng, count / rate, float(rng.uniform(0.4, 1.4)), 0.5, onset(rng, count / rate, 0.2)
    ):
        at = int(start * rate)
        if rng.random() < 0.4:
            samples = int(rng.uniform(0.4, 1.1) * rate)
            rise = log_uniform(rng, 900, 2500)
            bend = contour(samples, [rise, 1.5 * rise, 1.3 * rise])
            add(track, at, 0.25 * wave(phase_of(bend, rate), [1, 0.3]) * arch(samples, 0.1, 0.4))
            at += samples
        samples = int(0.8 * rate)
        far = log_uniform(rng, 300, 4000)
        bang = band(noise(rng, samples), 50, far, rate, order=1)
        bang = unit(bang) * attack_decay(samples, 0.002, log_uniform(rng, 0.03, 0.2), rate)
        add(track, at, bang * np.float32(rng.uniform(0.3, 1.5)))
        if rng.random() < 0.6:
            sparks = impulses(rng, samples, log_uniform(rng, 40, 300), rate) * arch(
                samples, 0.1, 0.5
            )
            kernel = noise(rng, 160) * attack_decay(160, 0.0002, 0.002, rate)
            add(track, at + int(0.15 * rate), 0.8 * convolve(sparks, kernel))
    return track
