"""A size field that is too small, 0 or unknown: the sound is read to its end, metadata is not."""

import struct
from pathlib import Path

import numpy as np
import pytest

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_windows
from tests.audio.damaged import RATE, chunk, encoded, tone, with_size

FIVE = tone(5.0)
FORMATS = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF"]


def heard(content: bytes) -> tuple[np.ndarray, list[str]]:
    """The samples, and what was said."""
    said: list[str] = []
    (window,) = read_windows(content, RATE, 10.0, notice=said.append)
    return window.samples, said


@pytest.mark.parametrize("format", FORMATS)
def test_a_size_that_is_too_small(format: str) -> None:
    samples, said = heard(with_size(encoded(FIVE, format), 32_024))
    np.testing.assert_array_equal(samples, FIVE)
    assert said == ["its header says 1.00 s; read to its end, 5.00 s"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [0, -1])
def test_a_size_that_is_not_known(format: str, size: int) -> None:
    samples, said = heard(with_size(encoded(FIVE, format), size))
    np.testing.assert_array_equal(samples, FIVE)
    assert said == []


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM", "GSM610", "ULAW", "FLOAT"])
def test_other_codings(subtype: str) -> None:
    content = encoded(FIVE, "WAV", subtype)
    np.testing.assert_array_equal(heard(with_size(content, 0))[0], heard(content)[0])


def test_a_size_of_32_bits_that_wrapped(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    size = 2**32 + 4 * RATE
    with path.open("wb") as file:  # takes no room on the disk
        file.write(with_size(encoded(tone(0.01), "WAV"), size)[:44])
        file.truncate(44 + size - 2 * RATE)
        file.seek(0, 2)
        file.write((tone(1.0) * 32768).astype("<i2").tobytes())
    said: list[str] = []
    start = (size // 2 - RATE) / RATE
    (window,) = read_windows(path, RATE, 10.0, start=start, notice=said.append)
    np.testing.assert_array_equal(window.samples, tone(1.0))
    assert said == [f"its header says 2.00 s; read to its end, {size / 2 / RATE:.2f} s"]


ID3V1 = b"TAG" + bytes(125)
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 32 + 40, 1, 0) + bytes(8)
BEHIND = [
    chunk(b"LIST", b"INFOISFT" + struct.pack("<I", 5000) + b"x" * 5000),
    chunk(b"id3 ", bytes(3001)) + chunk(b"LIST", b"INFO"),
    chunk(b"own!", b"y" * 4000),
    chunk(b"LIST", b"INFO") + ID3V1,
]


@pytest.mark.parametrize("behind", BEHIND)
def test_metadata_behind_the_samples_is_no_sound(behind: bytes) -> None:
    samples, said = heard(encoded(FIVE, "WAV") + behind)
    np.testing.assert_array_equal(samples, FIVE)
    assert said == []


@pytest.mark.parametrize("behind", [BEHIND[0], BEHIND[1], BEHIND[3], ID3V1])
@pytest.mark.parametrize("size", [0, -1, 32_000])
def test_nor_is_it_where_the_size_is_wrong(behind: bytes, size: int) -> None:
    samples, _ = heard(with_size(encoded(FIVE, "WAV"), size) + behind)
    np.testing.assert_array_equal(samples, FIVE)


def test_metadata_behind_aiff_and_w64() -> None:
    for format, behind in [("AIFF", chunk(b"ANNO", bytes(2000), ">I")), ("W64", W64_CHUNK)]:
        for content in (encoded(FIVE, format), with_size(encoded(FIVE, format), 0)):
            np.testing.assert_array_equal(heard(content + behind)[0], FIVE)


W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
W64_CHUNK = b"levl" + W64_TAIL + struct.pack("<q", 24 + 4096) + bytes(4096)


def test_samples_of_odd_length_are_followed_by_a_filling_byte() -> None:
    content = encoded(FIVE[:-1], "WAV", "PCM_U8")
    expected = heard(content)[0]
    assert len(expected) == len(FIVE) - 1
    for filling in (b"\0", b""):
        samples, said = heard(content[: 44 + len(expected)] + filling + BEHIND[0])
        np.testing.assert_array_equal(samples, expected)
        assert said == []


def test_without_a_sound_behind_it_0_is_true() -> None:
    with pytest.raises(AudioError, match=r"^contains no sound \(0 frames\)$"):
        heard(with_size(encoded(tone(0.0), "WAV"), 0) + BEHIND[0])
