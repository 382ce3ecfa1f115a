"""Files cut off where no size is stated, or where PyAV decodes: used, and said to be cut."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oea_cli.audio.ffmpeg import is_installed
from oea_cli.audio.windows import read_windows

RATE = 16_000


def noise(seconds: float, rate: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal(round(seconds * rate))).astype(np.float32)


def ogg(subtype: str, seconds: float = 4.0) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, noise(seconds, 48_000), 48_000, format="OGG", subtype=subtype)
    return content.getvalue()


def by_pyav(path: Path, codec: str, seconds: float = 4.0) -> bytes:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=48_000)
        track.layout = "mono"
        samples = noise(seconds, 48_000).reshape(1, -1)
        for first in range(0, samples.shape[1], 960):
            part = np.ascontiguousarray(samples[:, first : first + 960])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, first
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path.read_bytes()


def read(path: Path, **section: float) -> tuple[float, list[str]]:
    """The seconds that were read, and what was said."""
    said: list[str] = []
    windows = list(read_windows(str(path), RATE, 10.0, notice=said.append, **section))
    return sum(len(window.samples) for window in windows) / RATE, said


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_that_is_cut_off(subtype: str, tmp_path: Path) -> None:
    whole, path = ogg(subtype), tmp_path / "a.ogg"
    path.write_bytes(whole)
    seconds, said = read(path)
    assert seconds == pytest.approx(4, abs=0.05) and said == []
    for share in (0.5, 0.97):
        path.write_bytes(whole[: int(len(whole) * share)])
        seconds, said = read(path)
        assert 0.9 < seconds < 4
        assert said == [f"is cut off after {seconds:.2f} s; used up to its end"]
    # A section before that end lacks nothing.
    assert read(path, start=0.0, end=0.5) == (0.5, [])


def test_a_chain_whose_last_link_is_cut_off(tmp_path: Path) -> None:
    whole, path = ogg("VORBIS"), tmp_path / "a.ogg"
    path.write_bytes(whole * 2)
    assert read(path)[1] == []
    path.write_bytes(whole + whole[: len(whole) // 2])
    seconds, said = read(path)
    assert 4.5 < seconds < 8 and said == [f"is cut off after {seconds:.2f} s; used up to its end"]


@pytest.mark.skipif(not is_installed(), reason="PyAV is not installed")
def test_what_pyav_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.mka"
    whole = by_pyav(path, "libopus")
    assert read(path)[1] == []
    path.write_bytes(whole[: len(whole) // 2])
    seconds, said = read(path)
    assert 1 < seconds < 3 and len(said) == 1 and said[0].startswith(f"ends after {seconds:.2f} of")
