"""Targets: sound files of every container, their headers damaged more often than their samples."""

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from oea_cli.audio.ffmpeg import is_installed
from oea_cli.audio.windows import read_windows
from tests.audio.by_pyav import encoded_by_pyav
from tests.audio.damaged import RATE, chunk, encoded, tone
from tests.fuzz.mutations import any_of, damaged_bytes
from tests.fuzz.target import Target

HEADER_BYTES = 160
SIZES = (0, 1, 2, 8, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
MOST_SECONDS = 3600  # that so small a file can hold: zeros compress well


def damaged_header(random: Random, whole: bytes) -> bytes:
    """Damage among the first bytes, where a container says what it holds."""
    size = min(len(whole), HEADER_BYTES)
    return damaged_bytes(random, whole[:size]) + whole[size:]


def lying_number(random: Random, whole: bytes) -> bytes:
    """A number of 2, 4 or 8 bytes of the header replaced by one that makes trouble."""
    form = random.choice(("<H", ">H", "<I", ">I", "<q", ">q"))
    width = struct.calcsize(form)
    place = random.randrange(max(1, min(len(whole), HEADER_BYTES) - width))
    number = random.choice(SIZES) & (2 ** (8 * width - (form[1] == "q")) - 1)
    return whole[:place] + struct.pack(form, number) + whole[place + width :]


def cut_off(random: Random, whole: bytes) -> bytes:
    """The end is missing, or something else is there."""
    kept = whole[: random.randrange(len(whole))]
    return kept + random.choice((b"", bytes(3000), b"TAG" + bytes(125), whole, whole[::-1]))


DAMAGE = any_of(damaged_header, lying_number, cut_off, damaged_bytes)


def read(folder: Path, name: str) -> None:
    """Read the whole sound and a section; raises AudioError, or AssertionError for no samples."""
    path = folder / name
    for section in ({}, {"start": 0.05, "end": 0.15, "channel": "left"}):
        seconds = 0.0
        for window in read_windows(path, RATE, 10.0, **section):  # type: ignore[arg-type]
            assert 0 < len(window.samples) <= 10.1 * RATE
            assert np.isfinite(window.samples).all()
            seconds = window.end
        assert seconds < MOST_SECONDS, "endless"


def _stereo(format: str, subtype: str | None = None) -> bytes:
    samples = np.stack([tone(0.2), tone(0.2, 880)], axis=1)
    return encoded(samples, format, subtype)


def _wav() -> bytes:
    return _stereo("WAV") + chunk(b"LIST", b"INFOISFT\4\0\0\0test") + chunk(b"id3 ", bytes(99))


def _target(name: str, make: Callable[[], bytes]) -> Target:
    file = f"sound.{name.partition('-')[0]}"

    def written(folder: Path) -> list[str]:
        (folder / file).write_bytes(make())
        return [file]

    return Target(f"sound-{name}", written, partial(read, name=file), DAMAGE)


def _twice(format: str, subtype: str | None = None) -> bytes:
    return encoded(tone(0.2), format, subtype) + encoded(tone(0.1, 880), format, subtype)


TARGETS = [
    _target("wav", _wav),
    _target("wav-adpcm", partial(_stereo, "WAV", "MS_ADPCM")),
    _target("wav-float", partial(_stereo, "WAVEX", "FLOAT")),
    _target("rf64", partial(_stereo, "RF64")),
    _target("w64", partial(_stereo, "W64")),
    _target("aiff", partial(_stereo, "AIFF")),
    _target("au", partial(_stereo, "AU")),
    _target("caf", partial(_stereo, "CAF")),
    _target("flac", partial(_stereo, "FLAC")),
    _target("flac-joined", partial(_twice, "FLAC")),
    _target("ogg", partial(_stereo, "OGG", "VORBIS")),
    _target("ogg-chained", partial(_twice, "OGG", "VORBIS")),
    _target("opus", partial(_stereo, "OGG", "OPUS")),
    _target("mp3", partial(_stereo, "MP3")),
    _target("mp3-joined", partial(_twice, "MP3")),
]
if is_installed():
    TARGETS += [
        _target("m4a", partial(encoded_by_pyav, tone(0.2), "aac", "ipod")),
        _target("caf-alac", partial(encoded_by_pyav, tone(0.4), "alac", "caf")),
        _target("oga-flac", partial(encoded_by_pyav, tone(0.2), "flac", "ogg")),
        _target("wv", partial(encoded_by_pyav, tone(0.2), "wavpack", "wv")),
        _target("wav-ac3", partial(encoded_by_pyav, tone(0.2), "ac3", "wav", 48_000)),
        _target("webm", partial(encoded_by_pyav, tone(0.2), "libopus", "webm", 48_000)),
    ]
