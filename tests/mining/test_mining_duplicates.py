"""One sound encoded twice, told from two sounds alike and from a sound with another on top."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from oea_cli.mining.duplicates import COINCIDING, SUSPECT, Duplicates, fingerprint_of
from oea_cli.mining.fingerprints import SAMPLE_RATE, Fingerprint, compare, fingerprint
from tests.mining.mining_clips import clips_of
from tests.vectors.batches import unit

RATE = 44_100


def take(seed: int, seconds: float = 3.0) -> np.ndarray:
    """Noise through wandering filters, in bursts: no two takes share a moment."""
    draws = np.random.default_rng(seed)
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(draws.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    sound = np.zeros(count)
    for _ in range(6):
        centre, width = draws.uniform(300, 5000), draws.uniform(100, 600)
        band = np.fft.irfft(spectrum * np.exp(-(((hertz - centre) / width) ** 2)), count)
        swell = np.interp(np.arange(count), np.linspace(0, count, 24), draws.uniform(0, 1, 24) ** 2)
        sound += band / np.abs(band).max() * swell
    return 0.8 * sound / np.abs(sound).max()


def written(path: Path, samples: np.ndarray, rate: int = RATE, **options: object) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


def is_same(one: Path, other: Path) -> bool:
    prints = [fingerprint_of({"id": path.name, "path": str(path)}) for path in (one, other)]
    assert prints[0] is not None and prints[1] is not None
    return compare(*prints).is_same  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("take") / "take.wav", take(0))


class TestFingerprints:
    @pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac"])
    def test_encoded_again_with_gain_and_offset(
        self, original: Path, tmp_path: Path, suffix: str
    ) -> None:
        late = np.concatenate([np.zeros(round(0.05 * RATE)), 0.4 * take(0)])
        assert is_same(original, written(tmp_path / f"late.{suffix}", late))
        early = 0.7 * take(0)[round(0.08 * RATE) :]
        assert is_same(written(tmp_path / f"early.{suffix}", early), original)

    def test_at_another_rate_and_in_stereo(self, original: Path, tmp_path: Path) -> None:
        import soxr

        lower = soxr.resample(take(0), RATE, 16_000)
        assert is_same(original, written(tmp_path / "lower.wav", lower, 16_000))
        stereo = np.stack([take(0), 0.9 * take(0)], axis=1)
        assert is_same(original, written(tmp_path / "stereo.flac", stereo))

    def test_another_take_of_the_same_kind(self, original: Path, tmp_path: Path) -> None:
        assert not is_same(original, written(tmp_path / "other.wav", take(1)))

    def test_the_same_take_with_another_sound_on_top(self, original: Path, tmp_path: Path) -> None:
        mixed = take(0)
        mixed[RATE : 2 * RATE] += 0.5 * take(1, 1.0)
        assert not is_same(original, written(tmp_path / "mixed.wav", 0.7 * mixed))

    def test_silence_is_like_silence_only(self, original: Path, tmp_path: Path) -> None:
        silent = written(tmp_path / "silent.wav", np.zeros(RATE))
        assert is_same(silent, written(tmp_path / "longer.flac", np.zeros(2 * RATE)))
        assert not is_same(silent, original) and not is_same(original, silent)

    def test_shared_silence_makes_no_likeness(self, tmp_path: Path) -> None:
        """Two short events in a clip that is mostly digital silence."""
        clips = [np.concatenate([take(seed, 0.6), np.zeros(4 * RATE)]) for seed in (5, 6)]
        files = [written(tmp_path / f"{n}.wav", clip) for n, clip in enumerate(clips)]
        assert not is_same(*files)

    def test_a_click_in_a_long_recording_is_another_sound(self) -> None:
        whole = fingerprint(take(0)[:: RATE // SAMPLE_RATE].astype(np.float32))
        click = fingerprint(take(0)[:: RATE // SAMPLE_RATE][:1500].astype(np.float32))
        assert not compare(whole, click).is_same

    @pytest.mark.parametrize(("share", "expected"), [(0.33, True), (0.37, False)])
    def test_the_share_of_bits_that_makes_two_sounds_one(
        self, share: float, expected: bool
    ) -> None:
        """Above 0.35 lie takes of one kind (0.40 and more), below it codecs at low rates."""
        draws = np.random.default_rng(7)
        flipped = draws.random((4000, 32)) < share
        bits = draws.integers(0, 2**32, 4000, dtype=np.uint32)
        other = bits ^ np.packbits(flipped, axis=1, bitorder="little").view(np.uint32)[:, 0]
        loud, levels = np.ones(4000, bool), np.zeros((4000, 33), np.int8)
        compared = compare(Fingerprint(bits, loud, levels), Fingerprint(other, loud, levels))
        assert compared.bits == pytest.approx(share, abs=0.01)
        assert compared.is_same is expected

    @pytest.mark.parametrize("length", [0, 1, 100, 2048, 5000])
    def test_any_length_has_one(self, length: int) -> None:
        short = fingerprint(np.full(length, 0.1, np.float32))
        assert compare(short, short).is_same


class TestDuplicates:
    def test_files_are_decoded_for_suspects_only(self, original: Path, tmp_path: Path) -> None:
        again = written(tmp_path / "again.mp3", take(0))
        other = written(tmp_path / "other.wav", take(1))
        paths = [str(original), str(again), str(other), str(tmp_path / "gone.wav")]
        clips = clips_of(unit(4), [("x",)] * 4, path=paths)
        duplicates = Duplicates(clips, compare_sounds=True)
        one, two = np.array([0, 0, 0, 0, 0]), np.array([1, 2, 1, 3, 3])
        scores = np.array([0.9, 0.999, SUSPECT - 0.01, COINCIDING, COINCIDING - 0.001])
        assert duplicates.among(one, two, scores).tolist() == [True, False, False, True, False]
        assert duplicates.num_decoded == 3
        assert duplicates.notice == (
            f"1 sound was not compared: no such file ({tmp_path}/gone.wav); run it where their "
            "paths lead to them, or embed them anew; of their pairs, those with a similarity of "
            "0.998 or more count as one sound"
        )

    def test_vectors_alone_tell_where_sounds_are_not_compared(self, original: Path) -> None:
        clips = clips_of(unit(2), [("x",)] * 2, path=[str(original)] * 2)
        duplicates = Duplicates(clips, compare_sounds=False)
        pair = np.array([0]), np.array([1])
        assert duplicates.among(*pair, np.array([0.99])).tolist() == [False]
        assert duplicates.among(*pair, np.array([0.999])).tolist() == [True]
        assert duplicates.num_decoded == 0
        assert duplicates.notice == ""

    def test_what_does_not_decode_is_no_error(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.wav"
        broken.write_bytes(b"RIFF nonsense")
        assert fingerprint_of({"id": "broken", "path": str(broken)}) == "cannot be decoded"
        paths = [str(broken), "https://host/a.wav", "moved/b.wav", "moved/c.wav"]
        duplicates = Duplicates(clips_of(unit(4), [("x",)] * 4, path=paths), compare_sounds=True)
        assert duplicates.compare(0, 1) is duplicates.compare(2, 3) is None
        assert duplicates.notice.startswith(
            f"4 sounds were not compared: cannot be decoded ({broken}), no such file in "
            f"{Path.cwd()}, where it was looked for (moved/b.wav, moved/c.wav), on a server "
            "(https://host/a.wav); run it where "
        )


def test_no_two_clips_of_a_class_are_one_sound(shared_data: Path) -> None:
    files = sorted((shared_data / "esc10").rglob("1-*.ogg"))[::4]
    prints = [fingerprint_of({"id": file.name, "path": str(file)}) for file in files]
    assert len(prints) > 15 and None not in prints
    for place, one in enumerate(prints):
        for other in prints[:place]:
            assert not compare(one, other).is_same  # type: ignore[arg-type]
