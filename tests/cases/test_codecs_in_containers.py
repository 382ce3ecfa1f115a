"""Codecs that libsndfile lacks, in whichever container, are read by PyAV; else one line says so."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oea_cli.audio.windows import read_audio
from oea_cli.records.inputs import read_records
from tests.audio.by_pyav import encoded_by_pyav
from tests.audio.damaged import RATE, tone
from tests.conftest import clean_environment

SOUNDS = [  # name, codec, container, rate, the least that its samples resemble the tone's
    ("alac.caf", "alac", "caf", RATE, 0.999),
    ("ac3.wav", "ac3", "wav", 48_000, 0.99),
    ("g726.wav", "g726", "wav", 8_000, 0.9),
    ("ac3.w64", "ac3", "w64", 48_000, 0.99),
    ("wavpack.wv", "wavpack", "wv", RATE, 0.9999),
    ("tta.tta", "tta", "tta", RATE, 0.9999),
    ("eac3.eac3", "eac3", "eac3", 48_000, 0.99),
    ("flac.oga", "flac", "ogg", RATE, 0.9999),
    ("alac.m4a", "alac", "ipod", RATE, 0.9999),
]


@pytest.mark.parametrize(("name", "codec", "container", "rate", "least"), SOUNDS)
def test_it_is_heard(name: str, codec: str, container: str, rate: int, least: float) -> None:
    pytest.importorskip("av", reason="needs PyAV, the extra oea[formats]")
    samples = read_audio(encoded_by_pyav(tone(2.0), codec, container, rate), RATE)
    assert len(samples) / RATE == pytest.approx(2.0, abs=0.05)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * RATE / len(samples) == pytest.approx(440, abs=2)
    power = spectrum**2
    near = slice(round(420 * len(samples) / RATE), round(460 * len(samples) / RATE))
    assert power[near].sum() / power.sum() > least


@pytest.mark.parametrize("m2ts", [False, True])
def test_transport_streams_are_heard_where_they_are_named(tmp_path: Path, m2ts: bool) -> None:
    """Of a folder they are not read: .ts is TypeScript, too."""
    pytest.importorskip("av", reason="needs PyAV, the extra oea[formats]")
    content = encoded_by_pyav(tone(2.0), "aac", "mpegts", RATE)
    if m2ts:  # each packet behind four bytes of time
        packets = [content[at : at + 188] for at in range(0, len(content), 188)]
        content = b"".join(b"\0\0\0\0" + packet for packet in packets)
    (tmp_path / "a.ts").write_bytes(content)
    samples = read_audio(content, RATE)
    assert len(samples) / RATE == pytest.approx(2.0, abs=0.15)
    assert np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples) == pytest.approx(
        440, abs=2
    )
    assert list(read_records(tmp_path)) == []


def test_folders_hold_them(tmp_path: Path) -> None:
    names = sorted(name for name, *_ in SOUNDS)
    for name in [*names, "notes.txt", "cover.jpg"]:
        (tmp_path / name).touch()
    assert [record["id"] for record in read_records(tmp_path)] == names


def test_without_pyav_one_line_says_what_to_install(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="needs PyAV, the extra oea[formats]")
    for name, codec, container, rate, _ in SOUNDS[:5]:
        (tmp_path / name).write_bytes(encoded_by_pyav(tone(0.2), codec, container, rate))
    code = (
        "import sys, json; sys.modules['av'] = None\n"
        "from oea_cli.audio.sources import AudioError\n"
        "from oea_cli.audio.windows import read_audio\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n        read_audio(path, 16000)\n"
        "    except AudioError as error:\n        print(json.dumps(str(error)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == 5, done.stderr
    for line in said:
        assert line.startswith("cannot be decoded (") and "\n" not in line
        assert line.endswith("; to read more formats: pip install 'oea[formats]'")
