"""Synthesised events: deterministic, varied, bounded, distinguishable; scenes composed of them."""

from itertools import pairwise

import numpy as np
import pytest

from recipes.mini.synthesis.events import EVENTS, SHORTEST
from recipes.mini.synthesis.scenes import (
    SAMPLE_RATE,
    Contrast,
    Scene,
    compose,
    contrast,
)
from recipes.mini.synthesis.shaping import (
    Signal,
    band,
    fast_length,
    loudest,
    moments,
    ring,
    wave,
)


def take(label: str, seed: int, seconds: float = 2.0) -> Signal:
    return EVENTS[label].render(np.random.default_rng(seed), seconds)


def spectrum(samples: Signal) -> np.ndarray:
    """(24,) decibels in bands of equal width over the logarithm of frequency."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    edges = np.geomspace(60, 7800, 25)
    bands = [power[(hertz >= low) & (hertz < high)].sum() for low, high in pairwise(edges)]
    return 10 * np.log10(np.array(bands) / power.sum() + 1e-6)


# --- events ---


def test_there_are_many() -> None:
    assert len(EVENTS) >= 26
    assert all(event.label == label for label, event in EVENTS.items())


@pytest.mark.parametrize("label", EVENTS)
def test_event_is_bounded_varied_and_deterministic(label: str) -> None:
    first, again, other = take(label, 1), take(label, 1), take(label, 2)
    assert first.dtype == np.float32 and first.shape == (2 * SAMPLE_RATE,)
    assert np.isfinite(first).all() and 0.09 < np.abs(first).max() <= 1.0
    assert first.tobytes() == again.tobytes()
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.8
    assert np.abs(spectrum(first) - spectrum(other)).max() > 1.0


@pytest.mark.parametrize("label", EVENTS)
@pytest.mark.parametrize("seconds", [0.5, 3.7])
def test_event_has_the_length_asked_for_and_is_audible(label: str, seconds: float) -> None:
    samples = take(label, 5, seconds)
    assert len(samples) == round(seconds * SAMPLE_RATE)
    assert np.abs(samples).max() > 0.09


@pytest.mark.parametrize("label", ["dog", "rain", "church bell", "piano"])
def test_long_takes_and_other_rates(label: str) -> None:
    assert len(take(label, 3, 15.0)) == 15 * SAMPLE_RATE
    for rate in (8000, 22_050, 44_100):
        samples = EVENTS[label].render(np.random.default_rng(3), 1.0, rate)
        assert len(samples) == rate and np.isfinite(samples).all()


def test_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        take("dog", 0, SHORTEST / 2)


def test_rendering_advances_the_generator() -> None:
    rng = np.random.default_rng(4)
    first, second = (EVENTS["cat"].render(rng, 1.0) for _ in range(2))
    assert first.tobytes() != second.tobytes()


def fingerprint(samples: Signal) -> np.ndarray:
    """Spectrum, its spread over time, and how the loudness moves: enough to distinguish classes."""
    frames = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    loud = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-7)
    moves = np.quantile(loud - loud.max(), [0.1, 0.25, 0.5, 0.75])
    beat = np.abs(np.fft.rfft(loud - loud.mean()))[1:13]
    return np.concatenate([spectrum(samples), 0.7 * moves, 8 * beat / (beat.sum() + 1e-3)])


def test_classes_are_distinguishable() -> None:
    """A nearest neighbour on a crude description finds the class far more often than chance."""
    labels = list(EVENTS)[::3]
    known = np.stack([fingerprint(take(la, s, 3.0)) for la in labels for s in range(10, 18)])
    asked = np.stack([fingerprint(take(la, s, 3.0)) for la in labels for s in range(20, 23)])
    nearest = np.argmin(((asked[:, None] - known[None]) ** 2).sum(-1), axis=1) // 8
    right = np.mean(nearest == np.repeat(np.arange(len(labels)), 3))
    assert right > 6 / len(labels)


# --- what they are built from ---


def test_ring_is_a_sum_of_damped_sines() -> None:
    time = np.arange(4000) / 16_000
    expected = np.sin(2 * np.pi * 440 * time) * np.exp(-time / 0.1)
    expected += 0.5 * np.sin(2 * np.pi * 1000 * time) * np.exp(-time / 0.02)
    made = ring(4000, [440, 1000, 9000], [0.1, 0.02, 1.0], [1.0, 0.5, 1.0], 16_000)
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_wave_has_the_harmonics_asked_for() -> None:
    phase = np.arange(16_000) * 100 / 16_000
    heights = np.abs(np.fft.rfft(wave(phase, [1.0, 0.0, 0.5]))) / 8000
    np.testing.assert_allclose(heights[[100, 200, 300]], [1.0, 0.0, 0.5], atol=0.01)


def test_band_keeps_what_lies_inside() -> None:
    time = np.arange(16_000) / 16_000
    low, inside, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (50, 1000, 7000))
    left = np.abs(np.fft.rfft(band(low + inside + high, 400, 2500, 16_000))) / 8000
    assert left[1000] > 0.9 and left[50] < 0.05 and left[7000] < 0.15


@pytest.mark.parametrize("count", [1, 7, 1000, 8193, 80_000, 240_001])
def test_fast_length_is_enough_and_has_small_factors(count: int) -> None:
    length = fast_length(count)
    assert count <= length <= max(2 * count, 16)
    for factor in (2, 3, 5):
        while length % factor == 0:
            length //= factor
    assert length == 1


def test_loudest_finds_the_burst() -> None:
    samples = np.zeros(10_000, np.float32)
    samples[6000:6500] = 1.0
    assert loudest(samples, 1000, 100).sum() == 500


def test_moments_keep_the_interval() -> None:
    times = moments(np.random.default_rng(0), 10.0, 0.5, 0.0, 0.25)
    np.testing.assert_allclose(times, np.arange(20) * 0.5 + 0.25)


# --- scenes ---


def sine(hertz: float, seconds: float = 4.0) -> Signal:
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.sin(2 * np.pi * hertz * time).astype(np.float32)


def level(samples: Signal, hertz: float) -> float:
    """Amplitude at a frequency."""
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / SAMPLE_RATE)
    return float(2 * np.abs(np.mean(samples * turn)))


LOW, HIGH = ("frog", sine(500)), ("flute", sine(3000))


def test_scene_of_given_recordings() -> None:
    scene = compose(np.random.default_rng(0), [LOW, HIGH], seconds=4.0, arrangement="together")
    assert scene.labels == ("frog", "flute") and scene.arrangement == "together"
    assert scene.samples.dtype == np.float32 and scene.seconds == 4.0
    assert np.abs(scene.samples).max() <= 1.0
    assert level(scene.samples, 500) > 0.02 and level(scene.samples, 3000) > 0.02
    assert len(set(scene.captions)) == 3


def test_then_means_one_after_the_other() -> None:
    scene = compose(np.random.default_rng(1), [LOW, HIGH], seconds=4.0, arrangement="then")
    first, last = scene.samples[:SAMPLE_RATE], scene.samples[-SAMPLE_RATE:]
    assert level(first, 500) > 100 * level(first, 3000)
    assert level(last, 3000) > 100 * level(last, 500)


def test_far_means_quieter_and_duller() -> None:
    for seed in range(5):
        scene = compose(np.random.default_rng(seed), [LOW, HIGH], seconds=4.0, arrangement="far")
        assert level(scene.samples, 3000) < 0.6 * level(scene.samples, 500)


def test_sounds_come_from_the_given_library() -> None:
    asked: list[tuple[str, float]] = []

    class Tones:
        def sample(self, label: str, rng: np.random.Generator, seconds: float) -> Signal:
            asked.append((label, seconds))
            return sine(700, seconds)

    scene = compose(np.random.default_rng(0), ["rooster"], seconds=2.0, library=Tones())
    assert asked == [("rooster", 2.0)] and scene.arrangement is None
    assert level(scene.samples, 700) > 0.1


def test_short_recordings_find_a_place() -> None:
    click = ("coins", sine(2000, 0.1))
    scene = compose(np.random.default_rng(0), [click], seconds=3.0)
    assert len(scene.samples) == 3 * SAMPLE_RATE
    assert 0.05 < np.mean(np.abs(scene.samples) > 1e-4) * 3.0 < 0.12


def test_hard_negative_is_the_same_scene_with_one_sound_more() -> None:
    pair = contrast(np.random.default_rng(2), [LOW], HIGH, seconds=4.0)
    added = pair.hard_negative.samples - pair.target.samples
    assert level(pair.target.samples, 3000) < 1e-3 < level(added, 3000)
    assert level(added, 500) < 1e-4 < level(pair.target.samples, 500)
    assert pair.target.labels == ("frog",) and pair.hard_negative.labels == ("frog", "flute")
    assert pair.excluded == "flute"
    assert max(np.abs(s.samples).max() for s in (pair.target, pair.hard_negative)) <= 1.0


def test_scenes_are_deterministic() -> None:
    def made() -> tuple[Scene, Contrast]:
        rng = np.random.default_rng(9)
        return compose(rng, ["dog", "rain"], seconds=2.0), contrast(rng, ["rain"], "thunder")

    (scene, pair), (again, pair_again) = made(), made()
    assert scene.samples.tobytes() == again.samples.tobytes()
    assert scene.captions == again.captions and pair.query == pair_again.query
    assert pair.hard_negative.samples.tobytes() == pair_again.hard_negative.samples.tobytes()


@pytest.mark.parametrize(
    ("sources", "arrangement", "error"),
    [([], None, ValueError), (["dog", "cat"], "beside", ValueError), (["unicorn"], None, KeyError)],
)
def test_impossible_scenes(sources: list[str], arrangement: str | None, error: type) -> None:
    with pytest.raises(error):
        compose(np.random.default_rng(0), sources, arrangement=arrangement, seconds=1.0)
