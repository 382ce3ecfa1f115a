"""Headers that claim the impossible: one line each, at once and in little memory."""

import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_windows
from tests.audio.by_pyav import encoded_by_pyav
from tests.audio.damaged import RATE, encoded, tone
from tests.conftest import clean_environment

WAV = encoded(tone(0.5), "WAV")
AIFF = encoded(tone(0.5), "AIFF")
AU = encoded(tone(0.5), "AU")
CAF = encoded(tone(0.5), "CAF")
FLAC = encoded(tone(0.5), "FLAC")


def changed(content: bytes, place: int, form: str, value: float) -> bytes:
    packed = struct.pack(form, value)
    return content[:place] + packed + content[place + len(packed) :]


def extended(exponent: int) -> bytes:
    """An AIFF whose rate is 2 ** exponent, as a number of 80 bits."""
    place = AIFF.index(b"COMM") + 16
    return AIFF[:place] + struct.pack(">HQ", 16383 + exponent, 1 << 63) + AIFF[place + 10 :]


RATE_SAID = "the sample rate must be from 1,000 to 2,000,000 Hz; got "
HOSTILE = {
    "wav, 0 channels": changed(WAV, 22, "<H", 0),
    "wav, 65,535 channels": changed(WAV, 22, "<H", 65_535),
    "wav, rate 0": changed(WAV, 24, "<I", 0),
    "wav, rate 1": changed(WAV, 24, "<I", 1),
    "wav, rate 10**9": changed(WAV, 24, "<I", 10**9),
    "wav, 0 bits": changed(WAV, 34, "<H", 0),
    "wav, block of 0": changed(WAV, 32, "<H", 0),
    "aiff, 0 channels": changed(AIFF, AIFF.index(b"COMM") + 8, ">H", 0),
    "aiff, rate 2**40": extended(40),
    "aiff, rate 2**-3": extended(-3),
    "au, 2**31 channels": changed(AU, 20, ">I", 2**31),
    "au, rate 0": changed(AU, 16, ">I", 0),
    "caf, 2**31 channels": changed(CAF, CAF.index(b"desc") + 12 + 24, ">I", 2**31),
    "caf, rate nan": changed(CAF, CAF.index(b"desc") + 12, ">d", float("nan")),
    "caf, rate 10**300": changed(CAF, CAF.index(b"desc") + 12, ">d", 1e300),
    "flac, rate 0": FLAC[:18] + b"\0\0" + bytes([FLAC[20] & 0x0F]) + FLAC[21:],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_one_line_or_the_sound(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile"
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    try:
        for window in read_windows(path, RATE, 10.0):
            assert np.isfinite(window.samples).all() and len(window.samples) <= 10.1 * RATE
    except AudioError as error:
        assert str(error) and "\n" not in str(error) and len(str(error)) < 200
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 64e6


@pytest.mark.parametrize("rate", [1, 999, 2_000_001, 10**9])
def test_a_rate_that_no_sound_has_is_named(rate: int) -> None:
    with pytest.raises(AudioError) as caught:
        list(read_windows(changed(WAV, 24, "<I", rate), RATE, 10.0))
    assert str(caught.value) == RATE_SAID + str(rate)


def test_one_sample_is_a_sound() -> None:
    (window,) = read_windows(encoded(tone(0.5)[:1], "WAV"), RATE, 10.0)
    assert len(window.samples) == 1


def test_a_million_windows_take_the_memory_of_a_few(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with path.open("wb") as file:  # takes no room on the disk
        file.write(changed(WAV, 40, "<I", 2**31 - 2**16)[:44])
        file.truncate(44 + 2**31 - 2**16)
    tracemalloc.start()
    try:
        windows = read_windows(path, 1_000, 0.01)
        for _, window in zip(range(20_000), windows, strict=False):
            assert len(window.samples) == 10
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4e6


MEASURED = """
import resource, sys
import av
from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import read_audio
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        print(len(read_audio(path, 16000)))
    except AudioError as error:
        print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_metadata_that_claims_half_a_gigabyte_gets_no_memory(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="needs PyAV, the extra oea[formats]")
    good = encoded_by_pyav(tone(0.5), "ac3", "wav", 48_000)
    place = good.index(b"data")
    tag = b"LIST\xff\xff\xff\x7fINFOISFT" + struct.pack("<I", 0x1F00_0000) + b"oea"
    files = {
        "before": good[:place] + tag + good[place:],
        "in_the_middle": good[:place] + tag + bytes(4096),
        "behind": good + tag,
        "good": good,
    }
    for name, content in files.items():
        (tmp_path / f"{name}.wav").write_bytes(content)
    names = [str(tmp_path / f"{name}.wav") for name in files]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *names],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    first, second, behind, whole, megabytes = done.stdout.splitlines()
    assert first == second == "its chunks lead to no samples; is it damaged?"
    assert behind == whole and int(whole) >= 8000
    assert int(megabytes) < 50
