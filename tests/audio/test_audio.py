"""Sound in: every format to the same samples, windows, sections, sources, and what is refused."""

import io
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from oea_cli.audio import libsndfile as sndfile_decoder
from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import SLACK_SECONDS, read_audio, read_windows
from tests.conftest import clean_environment

RATE = 16_000


def noise(seconds: float, sample_rate: int = RATE, channels: int = 1, seed: int = 0) -> np.ndarray:
    """(n,) or (n, channels) float32 noise that 16 bits hold exactly."""
    shape = (round(seconds * sample_rate), channels)[: 1 + (channels > 1)]
    samples = np.random.default_rng(seed).integers(-8000, 8000, shape)
    return (samples / 32768).astype(np.float32)


def written(path: Path, samples: np.ndarray, sample_rate: int = RATE, **options: str) -> Path:
    soundfile.write(path, samples, sample_rate, **options)
    return path


def refusal(source: object, **section: float) -> str:
    """The text of the AudioError that reading the whole source raises."""
    with pytest.raises(AudioError) as caught:
        list(read_windows(source, RATE, 10.0, **section))  # type: ignore[arg-type]
    return str(caught.value)


# Decoding, mixing, resampling


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "w64", "caf", "au"])
def test_lossless_formats_keep_every_bit(tmp_path: Path, suffix: str) -> None:
    samples = noise(2.345)
    np.testing.assert_array_equal(
        read_audio(written(tmp_path / f"a.{suffix}", samples), RATE), samples
    )


@pytest.mark.parametrize(("suffix", "subtype"), [("ogg", "VORBIS"), ("opus", "OPUS"), ("mp3", "")])
def test_lossy_formats_are_read_as_libsndfile_decodes_them(
    tmp_path: Path, suffix: str, subtype: str
) -> None:
    options = {"format": "OGG", "subtype": subtype} if subtype else {}
    path = written(tmp_path / f"a.{suffix}", noise(2.0, 48_000), 48_000, **options)
    decoded, rate = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(read_audio(path, rate), decoded)
    np.testing.assert_array_equal(read_audio(path, RATE), soxr.resample(decoded, rate, RATE, "HQ"))


@pytest.mark.parametrize("sample_rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_any_rate_becomes_the_encoders_rate(tmp_path: Path, sample_rate: int) -> None:
    time = np.arange(sample_rate) / sample_rate
    path = written(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 1000 * time), sample_rate)
    samples = read_audio(path, RATE)
    assert samples.dtype == np.float32 and abs(len(samples) - RATE) <= 1
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * RATE / len(samples) == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 8])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    samples = noise(0.5, channels=channels)
    expected = samples.reshape(len(samples), channels).astype(np.float64).mean(1)
    path = written(tmp_path / "a.wav", samples)
    np.testing.assert_allclose(read_audio(path, RATE), expected, atol=1e-7)


def test_streaming_equals_one_call_whatever_the_block_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = noise(3.21, 44_100, channels=2)
    paths = [written(tmp_path / f"a.{suffix}", samples, 44_100) for suffix in ("wav", "flac")]
    mixed = (samples[:, 0] + samples[:, 1]) / np.float32(2)
    expected = soxr.resample(mixed, 44_100, RATE, "HQ")
    for size in (512, 10_000, 1_000_000):
        monkeypatch.setattr(sndfile_decoder, "BLOCK_SAMPLES", size)
        for path in paths:
            np.testing.assert_array_equal(read_audio(path, RATE), expected)


def test_threads_read_the_same_as_one(tmp_path: Path) -> None:
    paths = [
        written(tmp_path / f"{i}.{suffix}", noise(1.5, 44_100, seed=i), 44_100)
        for i, suffix in enumerate(["wav", "flac", "ogg", "mp3"] * 4)
    ]
    alone = [read_audio(path, RATE) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda path: read_audio(path, RATE), paths))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


# Windows


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.5, [(0, 0.5)]),
        (10.0, [(0, 10)]),
        (10.05, [(0, 10.05)]),  # an encoder's padding
        (10.5, [(0, 10), (0.5, 10.5)]),
        (20.0, [(0, 10), (10, 20)]),
        (25.0, [(0, 10), (10, 20), (15, 25)]),
    ],
)
def test_windows(tmp_path: Path, seconds: float, expected: list[tuple[float, float]]) -> None:
    samples = noise(seconds)
    windows = list(read_windows(written(tmp_path / "a.wav", samples), RATE, 10.0))
    assert [(w.start, w.end) for w in windows] == expected
    for window in windows:
        part = samples[round(window.start * RATE) : round(window.end * RATE)]
        np.testing.assert_array_equal(window.samples, part)


@settings(max_examples=60)
@given(num_samples=st.integers(1, 6000), length=st.integers(100, 2000), rate=st.just(1000))
def test_windows_cover_every_sample_and_end_with_the_clip(
    num_samples: int, length: int, rate: int
) -> None:
    stream = io.BytesIO()
    samples = np.arange(1, num_samples + 1, dtype=np.float32)
    soundfile.write(stream, samples, rate, format="WAV", subtype="FLOAT")
    slack = round(SLACK_SECONDS * rate)
    windows = list(read_windows(stream.getvalue(), rate, length / rate))
    heard = np.unique(np.concatenate([window.samples for window in windows]))
    np.testing.assert_array_equal(heard, samples)
    assert windows[-1].samples[-1] == num_samples
    assert all(len(window.samples) <= length + slack for window in windows)
    if len(windows) > 1:
        assert all(len(window.samples) >= length for window in windows)
        assert len(windows) <= num_samples // length + 1


def test_a_long_file_streams(tmp_path: Path) -> None:
    path = written(tmp_path / "long.flac", noise(300, 8000), 8000)
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_windows(path, RATE, 10.0))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 30
    assert peak < 6e6, "a window is 0.64 MB, the whole sound 19 MB"


# Sections


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_a_section_is_that_part_of_the_whole(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"a.{suffix}", noise(8.0))
    whole = read_audio(path, RATE)
    windows = list(read_windows(path, RATE, 2.0, start=1.5, end=6.25))
    assert [(w.start, w.end) for w in windows] == [(1.5, 3.5), (3.5, 5.5), (4.25, 6.25)]
    for window in windows:
        part = whole[round(window.start * RATE) : round(window.end * RATE)]
        np.testing.assert_allclose(window.samples, part, atol=1e-6)


def test_a_section_of_a_format_that_cannot_seek(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise(4.0, 8000), 8000, subtype="GSM610")
    whole = read_audio(path, 8000)
    (window,) = read_windows(path, 8000, 10.0, start=1.25, end=2.5)
    np.testing.assert_array_equal(window.samples, whole[10_000:20_000])


def test_a_section_of_a_file_without_a_length(tmp_path: Path) -> None:
    path = without_length(written(tmp_path / "a.flac", noise(4.0)))
    (window,) = read_windows(path, RATE, 10.0, start=2.0)
    np.testing.assert_array_equal(window.samples, noise(4.0)[2 * RATE :])


def test_a_section_beyond_the_end(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise(3.0))
    assert refusal(path, start=5.0) == "the section starts at 5 s, but the sound ends after 3.00 s"
    notices: list[str] = []
    (window,) = read_windows(path, RATE, 10.0, start=1.0, end=9.0, notice=notices.append)
    assert (window.start, window.end) == (1.0, 3.0)
    assert notices == ["ends after 3.00 of 9.00 s; used up to its end"]


def test_a_section_that_makes_no_sense(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise(3.0))
    assert "must end after its start at 2 s; got 1 s" in refusal(path, start=2.0, end=1.0)
    assert "'start' must be a number of seconds, 0 or more; got nan" in refusal(
        path, start=float("nan")
    )
    assert "'end' must be a number of seconds, 0 or more; got -1" in refusal(path, end=-1.0)


# Headers that do not tell the truth


def without_length(path: Path) -> Path:
    """Take the number of samples out of a FLAC's header: 36 bits from the middle of byte 21."""
    content = bytearray(path.read_bytes())
    assert content[:4] == b"fLaC"
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    return path


def test_flac_of_unknown_length_is_read_to_its_last_sample(tmp_path: Path) -> None:
    samples = noise(7.0, 48_000, channels=2)[:-123]
    path = without_length(written(tmp_path / "a.flac", samples, 48_000))
    assert soundfile.info(path).frames == 2**63 - 1
    np.testing.assert_allclose(read_audio(path, 48_000), samples.mean(1), atol=1e-7)


def test_a_cut_off_wav_is_used_and_said_to_be(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise(5.0))
    path.write_bytes(path.read_bytes()[: 44 + 2 * RATE * 2])
    notices: list[str] = []
    (window,) = read_windows(path, RATE, 10.0, notice=notices.append)
    np.testing.assert_array_equal(window.samples, noise(5.0)[: 2 * RATE])
    assert notices == ["ends after 2.00 of 5.00 s; used up to its end"]


def test_a_cut_off_flac_is_broken(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", noise(5.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(path).startswith("broken after 2.") and "flac decoder" in refusal(path)


@pytest.mark.parametrize("claim", [0xFFFF_FFFF, 0x7FFF_FFFE])
def test_a_wav_written_to_a_pipe_is_whole(tmp_path: Path, claim: int) -> None:
    path = written(tmp_path / "a.wav", noise(1.0))
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", claim)
    path.write_bytes(content)
    notices: list[str] = []
    (window,) = read_windows(path, RATE, 10.0, notice=notices.append)
    assert len(window.samples) == RATE and notices == []


def test_nothing_is_allocated_by_the_header(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise(1.0, channels=2))
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", 0x7000_0000)  # 1.9 GB
    path.write_bytes(content)
    tracemalloc.start()
    try:
        assert len(read_audio(path, RATE)) == RATE
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4e6


def test_an_absurd_sample_rate_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", noise(0.1))
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", 1)
    path.write_bytes(content)
    assert refusal(path) == "the sample rate must be from 1,000 to 2,000,000 Hz; got 1"


# Content


def test_silence_and_very_short_clips_are_sounds(tmp_path: Path) -> None:
    silence = read_audio(written(tmp_path / "a.wav", np.zeros(RATE)), RATE)
    assert len(silence) == RATE and not silence.any()
    short = read_audio(written(tmp_path / "b.wav", np.full(1, 0.5), 192_000), RATE)
    assert len(short) >= 1 and np.isfinite(short).all()


def test_no_frames_are_no_sound(tmp_path: Path) -> None:
    assert refusal(written(tmp_path / "a.wav", np.zeros(0))) == "contains no sound (0 frames)"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("channels", [1, 2])
def test_values_that_are_no_sound(tmp_path: Path, value: float, channels: int) -> None:
    samples = noise(3.0, channels=2)
    samples[2 * RATE, 1] = value
    path = written(tmp_path / "a.wav", samples[:, -channels:], subtype="FLOAT")
    assert refusal(path).startswith("has NaN, infinite or absurdly large samples at ")


def test_floats_beyond_one_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", 20_000 * noise(1.0), subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(path, RATE), 20_000 * noise(1.0))


# Sources


def test_a_suffix_may_lie_and_a_name_may_be_in_any_script(tmp_path: Path) -> None:
    for name in ("a.mp3", "b.flac", "c.raw", "no suffix", "雨の音 🌧 (1).txt", "Straße#1?.wav"):
        path = tmp_path / name
        soundfile.write(path, noise(0.5), RATE, format="WAV")
        np.testing.assert_array_equal(read_audio(str(path), RATE), noise(0.5))


def test_bytes_streams_and_pipes(tmp_path: Path) -> None:
    content = written(tmp_path / "a.flac", noise(1.0)).read_bytes()
    np.testing.assert_array_equal(read_audio(content, RATE), noise(1.0))
    np.testing.assert_array_equal(read_audio(io.BytesIO(content), RATE), noise(1.0))
    # What a shell makes of <(...): a stream of this process, not a FIFO that lies in a folder.
    reading, writing = os.pipe()
    writer = threading.Thread(target=_write_and_close, args=(writing, content))
    writer.start()
    np.testing.assert_array_equal(read_audio(f"/dev/fd/{reading}", RATE), noise(1.0))
    os.close(reading)
    writer.join()


def _write_and_close(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def test_remote_addresses(tmp_path: Path) -> None:
    content = written(tmp_path / "a.ogg", noise(1.0)).read_bytes()
    with fsspec.open("memory://sounds/a.ogg", "wb") as file:
        file.write(content)
    np.testing.assert_array_equal(
        read_audio("memory://sounds/a.ogg", RATE), read_audio(tmp_path / "a.ogg", RATE)
    )
    assert refusal("memory://sounds/none.ogg") == "no such file"
    assert refusal("nowhere://a.wav").startswith("cannot be fetched (Protocol not known")


def test_what_is_no_sound_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.wav") == "no such file"
    assert refusal("a\0b.wav") == "embedded null byte"
    assert refusal(tmp_path) == "is a folder, not a sound file"
    assert refusal("/dev/null") == "is a device, not a file"
    (tmp_path / "empty.mp3").touch()
    assert refusal(tmp_path / "empty.mp3") == "the file is empty"
    (tmp_path / "text.wav").write_text("this is not a sound\n" * 100)
    assert refusal(tmp_path / "text.wav") == "cannot be decoded (Format not recognised)"
    if os.geteuid():
        written(tmp_path / "secret.wav", noise(0.1)).chmod(0)
        assert refusal(tmp_path / "secret.wav") == "no permission to read it"


def test_a_broken_mp3_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(500))
    assert refusal(tmp_path / "a.mp3") == (
        "cannot be decoded (contains no sound; is it a broken or cut-off mp3?)"
    )


# Formats that libsndfile lacks


def test_missing_pyav_is_named_with_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from oea_cli.audio.sources import AudioError\n"
        "from oea_cli.audio.windows import read_audio\n"
        "try:\n    read_audio(sys.argv[1], 16000)\n"
        "except AudioError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.m4a")],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    assert done.stdout == (
        "cannot be decoded (Format not recognised); "
        "to read more formats: pip install 'oea[formats]'\n"
    ), done.stderr


def encoded_by_pyav(path: Path, codec: str, samples: np.ndarray, sample_rate: int) -> Path:
    av = pytest.importorskip("av", reason="needs PyAV, the extra oea[formats]")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=sample_rate, layout="mono")
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.rate = sample_rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


@pytest.mark.parametrize(("suffix", "codec"), [("m4a", "aac"), ("mka", "aac"), ("wma", "wmav2")])
def test_other_formats_go_through_pyav(tmp_path: Path, suffix: str, codec: str) -> None:
    time = np.arange(3 * 44_100) / 44_100
    tone = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    path = encoded_by_pyav(tmp_path / f"a.{suffix}", codec, tone, 44_100)
    samples = read_audio(path, RATE)
    assert len(samples) == pytest.approx(3 * RATE, rel=0.05)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * RATE / len(samples) == pytest.approx(1000, abs=2)
    (window,) = read_windows(path, RATE, 10.0, start=1.0, end=2.0)
    np.testing.assert_allclose(window.samples[500:-500], samples[RATE + 500 : 2 * RATE - 500],
                               atol=1e-3)  # fmt: skip


def test_a_broken_container_is_one_error(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="needs PyAV, the extra oea[formats]")
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    assert "\n" not in refusal(tmp_path / "a.m4a")
