"""Whisper's log-mel in numpy, to the numbers of transformers' WhisperFeatureExtractor."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.errors import OeaError

MAX_HZ = 8000.0
FLOOR = 1e-10
RANGE = 8.0  # below the loudest bin, in powers of ten
SIZES = ("sampling_rate", "feature_size", "n_fft", "hop_length")
LARGEST = 1 << 16  # of a size


class LogMel:
    """The mel of one encoder: sizes as in its preprocessor_config.json."""

    def __init__(self, sampling_rate: int, feature_size: int, n_fft: int, hop_length: int) -> None:
        self.n_fft, self.hop_length = n_fft, hop_length
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        self._window = window.astype(np.float32)
        self._bins, self._weights, self._starts = _bands(
            _filters(sampling_rate, feature_size, n_fft).astype(np.float32)
        )

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        """(frames, feature_size) float32 of a mono waveform, one frame for each hop begun.

        As if zeros followed without end; on the left the sound is mirrored, as it is there.
        """
        # Frames behind the last one that counts still hear the end of the sound, and its loudest
        # bin may be theirs.
        edge = self.n_fft // 2
        heard = (len(waveform) + edge - 1) // self.hop_length + 1
        samples = np.zeros(edge + max((heard - 1) * self.hop_length + edge, edge + 1), np.float32)
        samples[edge : edge + len(waveform)] = waveform[: len(samples) - edge]
        samples[:edge] = samples[2 * edge : edge : -1]
        windows = np.lib.stride_tricks.sliding_window_view(samples, self.n_fft)
        frames = windows[: heard * self.hop_length : self.hop_length] * self._window
        spectrum = np.fft.rfft(frames)
        power = spectrum.real**2 + spectrum.imag**2
        # Not a matrix product: BLAS would start threads of its own beside those of the lanes.
        bands = np.add.reduceat(power[:, self._bins] * self._weights, self._starts, axis=1)
        log = np.log10(np.maximum(bands, np.float32(FLOOR)))
        log = np.maximum(log, log.max() - np.float32(RANGE))
        wanted = math.ceil(len(waveform) / self.hop_length)
        scaled: np.ndarray = (log[:wanted] + np.float32(4.0)) / np.float32(4.0)
        return scaled


def load_mel(folder: Path, sample_rate: int, bins: int) -> LogMel:
    """The mel that preprocessor_config.json describes.

    Raises OeaError where it cannot be made, or has another rate or number of bins.
    """
    path = folder / "preprocessor_config.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        sizes = [int(content[name]) for name in SIZES]
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise OeaError(f"{path}: cannot be read ({error!r:.200})") from error
    for name, found, wanted in zip(SIZES, sizes, (sample_rate, bins), strict=False):
        if found != wanted:
            raise OeaError(f"{path}: {name} must be {wanted} for this encoder; got {found}")
    if content.get("dither") or min(sizes) <= 0 or max(sizes[1:]) > LARGEST or sizes[2] % 2:
        raise OeaError(f"{path}: describes a mel that the ONNX form cannot compute")
    return LogMel(*sizes)


def _bands(filters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bins that each filter hears, one filter after another, their weights, and where each
    filter starts: all but 400 or so of the numbers in (bins, filters) are zeros."""
    heard = filters > 0
    first = heard.argmax(axis=0)
    counts = np.maximum(heard.sum(axis=0), 1)
    bins = np.concatenate([np.arange(a, a + n) for a, n in zip(first, counts, strict=True)])
    which = np.repeat(np.arange(filters.shape[1]), counts)
    return bins, filters[bins, which], np.cumsum(counts) - counts


def _filters(sampling_rate: int, count: int, n_fft: int) -> np.ndarray:
    """(n_fft / 2 + 1, count): triangles of equal area on Slaney's mel scale, up to 8 kHz."""
    edges = _hertz(np.linspace(0.0, _mel(MAX_HZ), count + 2))
    bins = np.linspace(0, sampling_rate // 2, n_fft // 2 + 1)
    distance = edges - bins[:, None]
    widths = np.diff(edges)
    rising, falling = -distance[:, :-2] / widths[:-1], distance[:, 2:] / widths[1:]
    triangles: np.ndarray = np.maximum(0.0, np.minimum(rising, falling))
    triangles *= 2.0 / (edges[2:] - edges[:-2])
    return triangles


LINEAR_TO = 1000.0  # hertz; 15 mel; logarithmic above
STEP = math.log(6.4) / 27.0


def _mel(hertz: float) -> float:
    return 15.0 + math.log(hertz / LINEAR_TO) / STEP if hertz >= LINEAR_TO else 3.0 * hertz / 200.0


def _hertz(mels: np.ndarray) -> np.ndarray:
    return np.where(mels < 15.0, 200.0 * mels / 3.0, LINEAR_TO * np.exp(STEP * (mels - 15.0)))
