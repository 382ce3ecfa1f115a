"""What events are built from: noise, tones, pulses, resonances, envelopes, grains and rooms.

Signals are (n,) float32 arrays of any scale; frequencies are in hertz and times in seconds.
Filters work on the spectrum, so that nothing but numpy is needed.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float32]
Curve = Sequence[tuple[float, float]]
"""A response as (hertz, decibel) points, joined by straight lines over the logarithm of hertz."""
Formant = tuple[float, float, float]
"""A resonance: centre and width in hertz, gain as a factor."""

FAST_FACTORS = (8, 9, 10, 12, 15)


def fast_length(count: int) -> int:
    """The next length that an FFT handles fast."""
    power = 1
    while power * FAST_FACTORS[-1] < count:
        power *= 2
    return next(f * power for f in (*FAST_FACTORS, 16) if f * power >= count)


# --- where things come from ---


def noise(rng: np.random.Generator, count: int) -> Signal:
    """White noise of variance 1."""
    return rng.standard_normal(count, dtype=np.float32)


def as_signal(samples: npt.ArrayLike) -> Signal:
    """The samples as float32."""
    return np.asarray(samples, np.float32)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between the bounds; each octave is as likely as the next."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def wander(
    rng: np.random.Generator, count: int, hertz: float, low: float, high: float, rate: int
) -> Signal:
    """A slow random curve between two values that turns about `hertz` times a second."""
    knots = max(int(count / rate * hertz) + 3, 3)
    values = rng.uniform(low, high, knots)
    places = np.linspace(0, 1, knots) + rng.uniform(-0.3, 0.3, knots) / knots
    return np.interp(np.linspace(0.02, 0.98, count), places, values).astype(np.float32)


def colour(rng: np.random.Generator, count: int, curve: Curve, rate: int) -> Signal:
    """Noise with a spectrum that follows the curve, at RMS 1."""
    factors = response(curve, count, rate)
    # The spectrum of white noise is noise too: drawing that saves a transform.
    drawn = noise(rng, 2 * len(factors)).view(np.complex64)
    return unit(as_signal(np.fft.irfft(drawn * factors, fast_length(count))[:count]))


def impulses(rng: np.random.Generator, count: int, per_second: float, rate: int) -> Signal:
    """Random moments with heavy-tailed strengths, like drops or sparks."""
    number = int(rng.poisson(max(per_second, 0) * count / rate))
    train = np.zeros(count, np.float32)
    if number:
        strengths = np.exp(rng.normal(0, 1, number)) * rng.choice([-1, 1], number)
        np.add.at(train, rng.integers(0, count, number), strengths.astype(np.float32))
    return train


def phase_of(pitch: npt.NDArray[np.floating], rate: int) -> npt.NDArray[np.float64]:
    """Cycles passed at every sample of a tone with this pitch in hertz."""
    return np.cumsum(pitch, dtype=np.float64) / rate


def wave(phase: npt.NDArray[np.float64], amplitudes: Sequence[float] | npt.ArrayLike) -> Signal:
    """A periodic sound whose k-th harmonic has the k-th amplitude; `phase` counts cycles."""
    size = 2048
    spectrum = np.zeros(size // 2 + 1, np.complex128)
    given = np.asarray(amplitudes, np.float64)[: size // 4]
    spectrum[1 : len(given) + 1] = -0.5j * size * given
    table = np.fft.irfft(spectrum, size).astype(np.float32)
    return table[(phase * size).astype(np.int64) % size]


def harmonics(pitch: float, rate: int, tilt: float, most: int = 60) -> npt.NDArray[np.float64]:
    """Amplitudes 1 / k**tilt of the harmonics that fit below half the rate."""
    count = int(np.clip(0.47 * rate / max(pitch, 1.0), 1, most))
    return np.arange(1, count + 1, dtype=np.float64) ** -tilt


def tone(pitch: npt.NDArray[np.floating], rate: int) -> Signal:
    """A sine that follows the pitch."""
    return np.sin((2 * np.pi * (phase_of(pitch, rate) % 1)).astype(np.float32))


def ring(
    count: int,
    hertz: npt.ArrayLike,
    decay: npt.ArrayLike,
    amplitude: npt.ArrayLike,
    rate: int,
) -> Signal:
    """Struck modes: sines that fade by 1/e in `decay` seconds each."""
    pitches = np.atleast_1d(np.asarray(hertz, np.float64))
    kept = pitches < 0.48 * rate
    if not kept.any() or count <= 0:
        return np.zeros(max(count, 0), np.float32)
    fades = np.broadcast_to(np.asarray(decay, np.float64), pitches.shape)[kept]
    levels = np.broadcast_to(np.asarray(amplitude, np.float64), pitches.shape)[kept]
    turns = (-1 / np.maximum(fades, 1e-4) + 2j * np.pi * pitches[kept]) / rate
    # exp(s * (block * i + j)) is a product, so all samples of all modes are one matrix product.
    block = int(np.ceil(np.sqrt(count)))
    coarse = np.exp(np.outer(np.arange(block) * block, turns)) * levels
    fine = np.exp(np.outer(turns, np.arange(block)))
    return as_signal((coarse @ fine).imag.reshape(-1)[:count])


# --- what happens to them ---


def unit(samples: Signal) -> Signal:
    """Brought to RMS 1; silence stays silence."""
    level = float(np.sqrt(np.mean(np.square(samples), dtype=np.float64))) if len(samples) else 0.0
    return samples / np.float32(level) if level > 0 else samples


def peak(samples: Signal) -> Signal:
    """Brought to a peak of 1; silence stays silence."""
    top = float(np.abs(samples).max(initial=0))
    return samples / np.float32(top) if top > 0 else samples


def frequencies(count: int, rate: int) -> Signal:
    """The frequencies in hertz that a spectrum of `count` samples has."""
    return np.fft.rfftfreq(fast_length(count), 1 / rate).astype(np.float32)


def response(curve: Curve, count: int, rate: int) -> Signal:
    """The curve as factors for the spectrum of `count` samples."""
    hertz, decibels = zip(*curve, strict=True)
    levels = np.interp(_log_hertz(count, rate), np.log(np.maximum(hertz, 1.0)), decibels)
    return as_signal(np.exp(as_signal(levels) * np.float32(np.log(10) / 20)))


@lru_cache(maxsize=16)
def _log_hertz(count: int, rate: int) -> npt.NDArray[np.float64]:
    return np.log(np.maximum(frequencies(count, rate), 1.0), dtype=np.float64)


def through(samples: Signal, spectrum: npt.NDArray[np.inexact]) -> Signal:
    """The samples with their spectrum multiplied by factors (see `response`, `resonances`)."""
    size = fast_length(len(samples))
    shaped = np.fft.rfft(samples, size) * spectrum
    return np.fft.irfft(shaped, size)[: len(samples)].astype(np.float32)


def band(samples: Signal, low: float, high: float, rate: int, order: int = 2) -> Signal:
    """What lies between two frequencies, with slopes of 6 dB per octave and order."""
    bins = np.maximum(frequencies(len(samples), rate), 1e-3)
    gain = 1 / np.sqrt((1 + (low / bins) ** (2 * order)) * (1 + (bins / high) ** (2 * order)))
    return through(samples, gain.astype(np.float32))


def resonances(formants: Iterable[Formant], count: int, rate: int) -> npt.NDArray[np.complex64]:
    """Parallel two-pole resonances as factors for the spectrum of `count` samples."""
    bins = frequencies(count, rate).astype(np.float64)
    total = np.zeros(len(bins), np.complex128)
    for centre, width, gain in formants:
        total += gain * 1j * bins * width / (centre**2 - bins**2 + 1j * bins * width)
    return total.astype(np.complex64)


def convolve(samples: Signal, kernel: Signal) -> Signal:
    """The samples with every impulse replaced by the kernel; the same length."""
    size = fast_length(len(samples) + len(kernel) - 1)
    product = np.fft.rfft(samples, size) * np.fft.rfft(kernel, size)
    return np.fft.irfft(product, size)[: len(samples)].astype(np.float32)


def attack_decay(count: int, attack: float, decay: float, rate: int) -> Signal:
    """An envelope that rises within `attack` seconds and then fades by 1/e each `decay`."""
    time = np.arange(count, dtype=np.float32) / np.float32(rate)
    rise = np.minimum(time / np.float32(max(attack, 1e-4)), 1)
    return as_signal(rise * np.exp(-np.maximum(time - np.float32(attack), 0) / np.float32(decay)))


def arch(count: int, rise: float, fall: float) -> Signal:
    """An envelope that rises over the first share of its length and falls over the last one."""
    place = np.linspace(0, 1, count, dtype=np.float32)
    ramp = np.minimum(
        place / np.float32(max(rise, 1e-3)), (1 - place) / np.float32(max(fall, 1e-3))
    )
    clipped = np.clip(ramp, 0, 1)
    return as_signal(clipped * clipped * (3 - 2 * clipped))


def contour(count: int, points: Sequence[float], bend: Sequence[float] | None = None) -> Signal:
    """A smooth curve through values that are evenly spaced, or at the places in `bend` (0 to 1)."""
    places = np.linspace(0, 1, len(points)) if bend is None else bend
    return np.interp(np.linspace(0, 1, count), places, points).astype(np.float32)


def add(target: Signal, start: int, piece: Signal) -> None:
    """Add a piece to the target in place; what hangs over either end is cut off."""
    first, last = max(start, 0), min(start + len(piece), len(target))
    if last > first:
        target[first:last] += piece[first - start : last - start]


def loudest(samples: Signal, count: int, step: int) -> Signal:
    """The stretch of `count` samples with the most energy, sought in steps."""
    if len(samples) <= count:
        return samples
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, len(samples) - count + 1, step)
    best = int(starts[int(np.argmax(energy[starts + count] - energy[starts]))])
    return samples[best : best + count]


def moments(
    rng: np.random.Generator, seconds: float, interval: float, irregular: float, first: float = 0.0
) -> list[float]:
    """Times from `first` on, an interval apart, each off by up to the share `irregular` of it."""
    times: list[float] = []
    time = first
    while time < seconds:
        times.append(time)
        time += interval * float(np.clip(1 + irregular * rng.normal(), 0.2, 4.0))
    return times


def onset(rng: np.random.Generator, seconds: float, most: float = 0.5) -> float:
    """When a thing that happens once begins: often at once, else within a share of the time."""
    return 0.02 if rng.random() < 0.35 else float(rng.uniform(0.0, most)) * seconds


def place_all(
    count: int, rate: int, times: Sequence[float], make: Callable[[int], Signal]
) -> Signal:
    """A track with make(i) at the i-th time."""
    track = np.zeros(count, np.float32)
    for i, time in enumerate(times):
        add(track, int(time * rate), make(i))
    return track


def room(rng: np.random.Generator, seconds: float, bright: float, rate: int) -> Signal:
    """An impulse response: the direct sound is left out, early echoes and a dull tail remain."""
    count = max(int(seconds * rate), 64)
    time = np.arange(count, dtype=np.float32) / np.float32(rate)
    tail = noise(rng, count) * np.exp(-time * np.float32(6.9 / seconds))
    # A moving average grows the duller the longer the sound has travelled.
    passed = np.cumsum(tail, dtype=np.float64)
    dull = as_signal(passed - np.concatenate([np.zeros(8), passed[:-8]])) / 8
    share = np.exp(-time / np.float32(bright * seconds + 0.005))
    tail = tail * share + dull * (1 - share)
    for delay in rng.uniform(0.003, min(0.08, seconds), 6):
        tail[min(int(delay * rate), count - 1)] += np.float32(rng.normal(0, 2))
    return unit(tail) / np.float32(np.sqrt(count))
