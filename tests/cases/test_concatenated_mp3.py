"""Sounds that were joined to one file are read to the end: mp3, ogg and FLAC, wav and others."""

import struct

import numpy as np
import pytest

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_audio, read_windows
from tests.audio.damaged import RATE, encoded, joined, tone

ID3V1 = b"TAG" + bytes(125)
ID3V2 = b"ID3\x04\0\0\0\0\x10\0" + bytes(2048)
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 32 + 100, 1, 0) + bytes(8)
APE = b"\x05\0\0\0" + bytes(96) + APE

PARTS = [tone(2.0), tone(1.5, 880), tone(0.7, 220)]


def separately(contents: list[bytes]) -> np.ndarray:
    return np.concatenate([read_audio(content, RATE) for content in contents])


@pytest.mark.parametrize(
    ("format", "subtype"),
    [
        ("MP3", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("FLAC", None), ("WAV", None),
        ("AIFF", None), ("AU", None), ("CAF", None), ("W64", None), ("WAV", "MS_ADPCM"),
    ],
)  # fmt: skip
def test_every_part_is_heard_as_it_is_alone(format: str, subtype: str | None) -> None:
    contents = [encoded(part, format, subtype) for part in PARTS]
    said: list[str] = []
    (window,) = read_windows(joined(contents), RATE, 10.0, notice=said.append)
    np.testing.assert_array_equal(window.samples, separately(contents))
    assert said == []


@pytest.mark.parametrize("between", [ID3V1, ID3V2, ID3V1 + ID3V2, APE + ID3V1])
def test_tags_between_and_behind_mp3s_are_no_sound(between: bytes) -> None:
    contents = [encoded(part, "MP3") for part in PARTS[:2]]
    content = contents[0] + between + contents[1] + ID3V1
    np.testing.assert_array_equal(read_audio(content, RATE), separately(contents))


def test_an_mp3_that_counts_too_few_of_its_own_frames() -> None:
    content = encoded(tone(4.0), "MP3")
    place = max(content.find(b"Info"), content.find(b"Xing"))
    frames, size = struct.unpack(">II", content[place + 8 : place + 16])
    lying = bytearray(content)
    lying[place + 8 : place + 16] = struct.pack(">II", frames // 2, size // 2)
    samples = read_audio(bytes(lying), RATE)
    # An encoder's padding is cut by the count alone; nothing is lost, and little comes on top.
    assert 0 <= len(samples) / RATE - 4.0 < 0.15


@pytest.mark.parametrize("size", range(1, 80))
def test_an_mp3_that_is_cut_off_in_its_count_is_one_error(size: int) -> None:
    content = encoded(tone(0.5), "MP3")
    mark = max(content.find(b"Info"), content.find(b"Xing"))
    with pytest.raises(AudioError):
        read_audio(content[: max(1, mark + size - 40)], RATE)


def test_cut_off_first_pages_and_headers_are_one_error() -> None:
    for format in ("OGG", "FLAC", "WAV", "AIFF", "AU", "CAF", "W64"):
        content = encoded(tone(0.5), format)
        for size in range(1, 24):
            with pytest.raises(AudioError):
                read_audio(content[:size], RATE)


def test_a_section_of_the_last_part() -> None:
    contents = [encoded(part, "OGG", "VORBIS") for part in PARTS]
    whole = separately(contents)
    (window,) = read_windows(joined(contents), RATE, 10.0, start=3.6, end=4.0)
    np.testing.assert_array_equal(window.samples, whole[round(3.6 * RATE) : round(4.0 * RATE)])
    flac = [encoded(part, "FLAC") for part in PARTS]
    (window,) = read_windows(joined(flac), RATE, 10.0, start=1.0, end=4.0)
    np.testing.assert_array_equal(window.samples, np.concatenate(PARTS)[RATE : 4 * RATE])


def test_what_cannot_be_joined_is_named() -> None:
    slow = encoded(tone(1.0), "WAV")
    fast = slow[:24] + struct.pack("<I", 22_050) + slow[28:]
    said: list[str] = []
    (window,) = read_windows(slow + fast, RATE, 10.0, notice=said.append)
    assert len(window.samples) == RATE
    assert said == ["its sample rate changes from 16000 to 22050 Hz after 1.00 s; used up to there"]


def test_flac_in_ogg_goes_through_pyav() -> None:
    av = pytest.importorskip("av", reason="needs PyAV, the extra oea[formats]")
    from tests.audio.by_pyav import encoded_by_pyav

    assert av
    contents = [encoded_by_pyav(part, "flac", "ogg") for part in PARTS[:2]]
    np.testing.assert_array_equal(read_audio(joined(contents), RATE), np.concatenate(PARTS[:2]))
