"""Floats that were never scaled to full scale are used, and said to be so."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from oea_cli.audio.windows import read_windows
from tests.audio.damaged import RATE, tone


@pytest.mark.parametrize(
    ("scale", "reached"), [(1.0, None), (8.0, None), (32_768.0, "3.28e+04"), (2.0**31, "2.15e+09")]
)
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_far_beyond_full_scale(
    tmp_path: Path, scale: float, reached: str | None, subtype: str
) -> None:
    samples = scale * tone(2.0) / np.abs(tone(2.0)).max()
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype=subtype)
    said: list[str] = []
    (window,) = read_windows(tmp_path / "a.wav", RATE, 10.0, notice=said.append)
    np.testing.assert_allclose(window.samples, samples, rtol=1e-6)
    wanted = f"its samples reach {reached}, far beyond 1; are they integers, not scaled?"
    assert said == ([] if reached is None else [wanted])
