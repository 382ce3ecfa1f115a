"""Animals with a voice: dogs, cats, birds of the yard, cattle and beasts."""

import numpy as np

from recipes.mini.synthesis.shaping import (
    Signal,
    arch,
    as_signal,
    attack_decay,
    contour,
    log_uniform,
    moments,
    onset,
    place_all,
    tone,
    unit,
    wander,
)
from recipes.mini.synthesis.voice import mouth, sequence, utter


def dog(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Barks in bouts; from a terrier's yap to a mastiff's woof, sometimes a growl or a whine."""
    size = rng.random()
    pitch = float(np.exp(np.interp(size, [0, 1], np.log([750, 180])))) * log_uniform(rng, 0.8, 1.25)
    throat = 1.35 - 0.7 * size
    mouths = [
        mouth(rng, 700 * throat, 1300 * throat, 2700 * throat, spread=0.15),
        mouth(rng, 500 * throat, 1100 * throat, 2300 * throat, spread=0.15),
    ]
    rough, breath = float(rng.uniform(0, 0.5)), float(rng.uniform(0.1, 0.7))
    length = float(rng.uniform(0.09, 0.2)) + 0.1 * size

    def bark(_: int) -> Signal:
        samples = max(int(length * rng.uniform(0.8, 1.3) * rate), 64)
        top = pitch * float(rng.uniform(0.9, 1.12))
        bend = contour(samples, [0.7 * top, top, 0.95 * top, 0.6 * top], [0, 0.25, 0.6, 1])
        voice = utter(rng, bend, mouths, rate, tilt=0.5, breath=breath, rough=rough, jitter=0.03)
        return voice * arch(samples, 0.08, 0.55) * np.float32(rng.uniform(0.6, 1))

    track = place_all(count, rate, bouts(rng, count / rate, length * 1.6), bark)
    if rng.random() < 0.2:
        track += 0.4 * growl(rng, count, rate, pitch / 4)
    return track


def bouts(rng: np.random.Generator, seconds: float, shortest: float) -> list[float]:
    """Times of barks or caws: groups of one to six, quick within and apart from each other."""
    times: list[float] = []
    time = onset(rng, seconds)
    interval = shortest + float(rng.exponential(0.15))
    while time < seconds:
        for _ in range(int(rng.integers(1, 6))):
            times.append(time)
            time += interval * float(rng.uniform(0.85, 1.3))
        time += float(rng.exponential(0.9))
    return times


def growl(rng: np.random.Generator, count: int, rate: int, pitch: float) -> Signal:
    """A low, rough, held voice."""
    bend = wander(rng, count, 2.0, 0.8 * pitch, 1.25 * pitch, rate)
    voice = utter(
        rng, bend, [mouth(rng, 350, 900, 2000)], rate, tilt=0.4, breath=0.5, rough=0.8, jitter=0.05
    )
    return voice * wander(rng, count, 1.0, 0.1, 1.0, rate)


def cat(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Meows: a mouth that opens and closes over a bending pitch."""
    pitch = log_uniform(rng, 380, 900)
    size = log_uniform(rng, 0.8, 1.25)

    def meow() -> Signal:
        samples = int(rng.uniform(0.35, 1.1) * rate)
        top = pitch * float(rng.uniform(0.9, 1.2))
        start, end = float(rng.uniform(0.6, 0.95)), float(rng.uniform(0.5, 0.9))
        bend = contour(samples, [start * top, top, 0.95 * top, end * top], [0, 0.3, 0.65, 1])
        mouths = [
            mouth(rng, 500 * size, 2300 * size, 3400 * size),
            mouth(rng, 1100 * size, 1900 * size, 3500 * size),
            mouth(rng, 900 * size, 1500 * size, 3300 * size),
            mouth(rng, 550 * size, 950 * size, 2800 * size),
        ]
        voice = utter(
            rng, bend, mouths, rate, tilt=float(rng.uniform(0.5, 1.2)), breath=0.06, jitter=0.008
        )
        return voice * arch(samples, 0.2, 0.4)

    calls = [meow() for _ in range(3)]
    return sequence(rng, count, rate, calls, (0.2, 1.8), onset(rng, count / rate))


def cow(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Moos: long and low, from closed lips to an open throat."""
    pitch = log_uniform(rng, 75, 190)

    def moo() -> Signal:
        samples = int(rng.uniform(0.9, 2.4) * rate)
        points = [0.75 * pitch, pitch, 1.1 * pitch, float(rng.uniform(0.7, 1.4)) * pitch]
        mouths = [
            mouth(rng, 220, 700, 1500),
            mouth(rng, 420, 900, 2200),
            mouth(rng, 500, 1100, 2400),
        ]
        voice = utter(
            rng, contour(samples, points), mouths, rate, tilt=0.6, breath=0.08,
            rough=float(rng.uniform(0, 0.3)), jitter=0.01,
        )  # fmt: skip
        return voice * arch(samples, 0.15, 0.25)

    return sequence(rng, count, rate, [moo(), moo()], (0.3, 2.0), onset(rng, count / rate))


def sheep(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Bleats of sheep, lambs and goats: a voice that trembles."""
    pitch, tremble = log_uniform(rng, 190, 620), float(rng.uniform(6, 14))
    size = (pitch / 300) ** 0.4

    def bleat() -> Signal:
        samples = int(rng.uniform(0.4, 1.2) * rate)
        time = np.arange(samples, dtype=np.float32) / np.float32(rate)
        shake = np.sin(2 * np.pi * tremble * time)
        bend = contour(samples, [0.9, 1.05, 1.0, 0.9]) * pitch * (1 + 0.05 * shake)
        mouths = [mouth(rng, 700 * size, 1500 * size, 2800 * size) for _ in range(2)]
        voice = utter(rng, bend.astype(np.float32), mouths, rate, tilt=0.3, breath=0.12)
        return as_signal(voice * arch(samples, 0.08, 0.3) * (0.65 + 0.35 * shake))

    calls = [bleat() for _ in range(3)]
    return sequence(rng, count, rate, calls, (0.2, 1.5), onset(rng, count / rate))


def owl(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Hoots: soft, nearly pure tones in a rhythm that each owl keeps."""
    pitch = log_uniform(rng, 250, 620)
    rhythm = [float(rng.uniform(0.1, 0.5)) for _ in range(int(rng.integers(1, 6)))]

    def hoot(seconds: float) -> Signal:
        samples = int(seconds * rate)
        bend = contour(samples, [0.93 * pitch, pitch, 0.92 * pitch])
        body = tone(bend, rate) + 0.12 * tone(2 * bend, rate) + 0.05 * tone(3 * bend, rate)
        return as_signal(body * arch(samples, 0.25, 0.35))

    gap = np.zeros(int(rng.uniform(0.06, 0.25) * rate), np.float32)
    phrase = np.concatenate([part for length in rhythm for part in (hoot(length), gap)])
    return sequence(rng, count, rate, [phrase], (0.5, 2.5), onset(rng, count / rate))


def wolf(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Howls that rise, hold and fall; sometimes a pack."""
    track = np.zeros(count, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        pitch = log_uniform(rng, 280, 750)

        def howl(pitch: float = pitch) -> Signal:
            samples = int(rng.uniform(1.5, 4.0) * rate)
            points = [0.6, 1.0, 1.05, 0.98, float(rng.uniform(0.6, 0.95))]
            bend = contour(samples, points, [0, 0.15, 0.4, 0.75, 1]) * pitch
            mouths = [mouth(rng, pitch * 1.2, 1300, 2500, width=0.4)]
            voice = utter(rng, bend, mouths, rate, tilt=1.4, breath=0.05, jitter=0.006)
            return voice * arch(samples, 0.15, 0.3)

        start = float(rng.uniform(0, 0.4)) * count / rate
        track += sequence(rng, count, rate, [howl()], (0.5, 2.0), start)
    return track


def crow(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Caws: harsh, half noise."""
    pitch = log_uniform(rng, 280, 620)

    def caw(_: int) -> Signal:
        samples = int(rng.uniform(0.18, 0.45) * rate)
        bend = contour(samples, [0.85, 1.0, 0.95, 0.75]) * pitch * float(rng.uniform(0.95, 1.05))
        mouths = [mouth(rng, 1100, 1700, 3200), mouth(rng, 900, 1500, 2900)]
        voice = utter(
            rng, bend, mouths, rate, tilt=0.2, breath=float(rng.uniform(0.4, 0.9)),
            rough=0.5, jitter=0.05,
        )  # fmt: skip
        return voice * arch(samples, 0.15, 0.35)

    return place_all(count, rate, bouts(rng, count / rate, 0.45), caw)


def duck(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Quacks: short, buzzing, through the nose; or the honks of a goose."""
    pitch = log_uniform(rng, 120, 420)

    def quack(_: int) -> Signal:
        samples = int(rng.uniform(0.08, 0.25) * rate)
        bend = contour(samples, [1.0, 1.1, 0.85]) * pitch * float(rng.uniform(0.92, 1.08))
        mouths = [mouth(rng, 1000, 1900, 3000), mouth(rng, 1300, 2300, 3300)]
        voice = utter(rng, bend, mouths, rate, tilt=0.1, breath=0.2, rough=0.2, jitter=0.03)
        return voice * arch(samples, 0.15, 0.4)

    return place_all(count, rate, bouts(rng, count / rate, 0.22), quack)


def seagull(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Laughing and mewing cries of gulls, one or several."""
    pitch = log_uniform(rng, 650, 1300)

    def cry(long: bool) -> Signal:
        samples = int(rng.uniform(0.5, 1.1) * rate) if long else int(rng.uniform(0.12, 0.3) * rate)
        bend = contour(samples, [0.75, 1.15, 1.0, 0.75], [0, 0.2, 0.6, 1]) * pitch
        mouths = [mouth(rng, 1500, 2600, 4200)]
        voice = utter(rng, bend, mouths, rate, tilt=0.4, breath=0.12, rough=0.15, jitter=0.015)
        return voice * arch(samples, 0.1, 0.35)

    calls = [cry(bool(rng.random() < 0.3)) for _ in range(5)]
    first = onset(rng, count / rate)
    track = sequence(rng, count, rate, calls, (0.05, 0.5), first)
    return track * wander(rng, count, 0.7, 0.1, 1.0, rate)


def lion(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Roars and growls of a big cat: deep, rough, mostly breath."""
    pitch = log_uniform(rng, 45, 130)

    def roar() -> Signal:
        samples = int(rng.uniform(0.6, 2.2) * rate)
        bend = contour(samples, [0.8, 1.3, 1.1, 0.7]) * pitch
        mouths = [
            mouth(rng, 250, 600, 1400),
            mouth(rng, 450, 950, 1900),
            mouth(rng, 300, 700, 1500),
        ]
        voice = utter(
            rng, bend, mouths, rate, tilt=0.3, breath=float(rng.uniform(0.3, 0.9)), rough=0.9,
            jitter=0.08,
        )  # fmt: skip
        return voice * arch(samples, 0.2, 0.5)

    return sequence(rng, count, rate, [roar(), roar()], (0.2, 1.5), onset(rng, count / rate))


def horse(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Hooves in walk, trot or gallop; sometimes a whinny."""
    beats = [[0, 0.27, 0.5, 0.77], [0, 0.5], [0, 0.22, 0.42]][int(rng.integers(3))]
    stride = float(rng.uniform(0.4, 0.9))
    seconds = count / rate
    times = [start + b * stride for start in moments(rng, seconds, stride, 0.03) for b in beats]
    hollow = log_uniform(rng, 350, 1300)
    track = place_all(count, rate, times, lambda _: _hoof(rng, hollow, rate))
    if rng.random() < 0.4:
        samples = int(rng.uniform(0.9, 1.7) * rate)
        shake = 1 + 0.1 * tone(np.full(samples, rng.uniform(9, 14), np.float32), rate)
        bend = contour(samples, [900, 1250, 1000, 600]) * shake * float(rng.uniform(0.7, 1.2))
        neigh = utter(
            rng, as_signal(bend), [mouth(rng, 1200, 2400, 3300)], rate, tilt=0.6, breath=0.15
        )
        start = float(rng.uniform(0, 0.5)) * seconds
        track = unit(track) * 0.25 + place_all(
            count, rate, [start], lambda _: neigh * arch(samples, 0.1, 0.4)
        )
    return track


def _hoof(rng: np.random.Generator, hollow: float, rate: int) -> Signal:
    samples = int(0.12 * rate)
    thump = rng.normal(0, 1, samples).astype(np.float32) * attack_decay(samples, 0.002, 0.012, rate)
    pitch = hollow * float(rng.uniform(0.85, 1.15))
    knock = tone(np.full(samples, pitch, np.float32), rate)
    low = tone(np.full(samples, 90.0, np.float32), rate)
    body = knock * attack_decay(samples, 0.001, 0.015, rate)
    deep = low * attack_decay(samples, 0.003, 0.03, rate)
    return as_signal((0.5 * thump + body + deep) * np.float32(rng.uniform(0.5, 1)))


def rooster(rng: np.random.Generator, count: int, rate: int) -> Signal:
    """Crowing: three short calls and a long one that rises and falls; hens cluck around it."""
    pitch = log_uniform(rng, 480, 900)
    lengths = [float(rng.uniform(0.12, 0.3)) for _ in range(int(rng.integers(2, 4)))]
    lengths.append(float(rng.uniform(0.6, 1.5)))

    def call(seconds: float, last: bool) -> Signal:
        samples = int(seconds * rate)
        points = [0.8, 1.25, 1.2, 0.75] if last else [0.75, 1.0, 0.9]
        bend = contour(samples, points) * pitch * float(rng.uniform(0.95, 1.08))
        mouths = [
            mouth(rng, 900, 1800, 3000),
            mouth(rng, 1200, 2300, 3500),
            mouth(rng, 800, 1700, 3000),
        ]
        voice = utter(rng, bend, mouths, rate, tilt=0.3, breath=0.12, rough=0.15, jitter=0.015)
        return voice * arch(samples, 0.12, 0.3)

    gap = np.zeros(int(rng.uniform(0.02, 0.09) * rate), np.float32)
    crowing = np.concatenate(
        [part for i, s in enumerate(lengths) for part in (call(s, i + 1 == len(lengths)), gap)]
    )
    return sequence(rng, count, rate, [crowing], (1.0, 4.0), onset(rng, count / rate, 0.3))
