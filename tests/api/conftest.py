"""Sounds, captions and an encoder for programs that use the package from Python."""

from collections.abc import Callable
from pathlib import Path

import pytest

import oea_cli as oea
from oea_cli.encoder.protocol import Encoder

HZ = {"low.wav": 220.0, "middle.wav": 440.0, "high.wav": 880.0, "highest.wav": 1760.0}


@pytest.fixture
def wavs(tmp_path: Path, tone: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of four tones, in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, hz in HZ.items():
        tone(tmp_path / "wavs" / name, hz, 0.5)
    return Path("wavs")


@pytest.fixture
def records(wavs: Path) -> list[dict[str, object]]:
    """The tones with captions, as records."""
    return [
        {"id": name, "path": str(wavs / name), "captions": [f"a {name} tone", f"{number} beeps"]}
        for number, name in enumerate(HZ)
    ]


@pytest.fixture
def batch(encoder: Encoder, records: list[dict[str, object]]) -> oea.Batch:
    """The tones' vectors, with their records."""
    return oea.embed(encoder, records)
