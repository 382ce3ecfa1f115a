"""A mel spectrogram of a sound, small enough for a page."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

SAMPLE_RATE = 16_000
FRAME, HOP = 1024, 256
BANDS = 64
COLUMNS = 640
RANGE_DB = 70.0
LOWEST_HZ, HIGHEST_HZ = 50.0, 8000.0
SILENT = 1e-10
"""Power below which a sound counts as silent."""


@dataclass(frozen=True)
class Picture:
    """`levels` (bands, columns) uint8, 255 the loudest, 0 at least 70 dB below; low bands first."""

    seconds: float
    levels: np.ndarray

    def to_json(self) -> dict[str, object]:
        """With the levels as base64, row by row."""
        bands, columns = self.levels.shape
        data = base64.b64encode(self.levels.tobytes()).decode()
        return {"seconds": self.seconds, "bands": bands, "columns": columns, "levels": data}


def picture_of(chunks: Callable[[int], Iterator[np.ndarray]]) -> Picture:
    """Draw what `chunks(sample_rate)` yields: (n,) float32, one after the other."""
    parts, count = [], 0
    for chunk in chunks(SAMPLE_RATE):
        parts.append(_band_powers(chunk))
        count += len(chunk)
    powers = np.concatenate(parts)
    # A column shows its loudest frame, so that a short sound in a long clip is visible.
    firsts = np.unique(np.linspace(0, len(powers), COLUMNS, endpoint=False).astype(int))
    levels = 10 * np.log10(np.maximum(np.maximum.reduceat(powers, firsts), SILENT))
    top = levels.max()
    scaled = np.clip((levels - top) / RANGE_DB + 1, 0, 1) * 255
    if powers.max() <= SILENT:
        scaled[:] = 0
    return Picture(count / SAMPLE_RATE, np.ascontiguousarray(scaled.T.round().astype(np.uint8)))


def _band_powers(samples: np.ndarray) -> np.ndarray:
    """(n,) samples -> (frames, bands) mean power per band, at least one frame."""
    padded = np.pad(samples, (FRAME // 2, FRAME // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    edges = _band_edges()
    sums = np.add.reduceat(spectrum, edges[:-1], axis=1)
    powers: np.ndarray = (sums / np.maximum(np.diff(edges), 1)).astype(np.float32)
    return powers


def _band_edges() -> np.ndarray:
    """The first bin of each band and the bin after the last, at equal distances in mel."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    hertz = 700 * (10 ** (np.linspace(low, high, BANDS + 1) / 2595) - 1)
    edges: np.ndarray = np.round(hertz * FRAME / SAMPLE_RATE).astype(int)
    return edges
