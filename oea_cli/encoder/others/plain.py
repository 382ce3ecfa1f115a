"""What an encoder needs besides its model: for other models, servers and other packages.

class Mine(PlainEncoder):
    sample_rate, max_seconds = 32_000, 10.0

    def text_vectors(self, texts): ...       # (n, dim), any length, any float
    def audio_vectors(self, waveforms): ...  # the same

A `MemoryError`, or torch's own error, makes the stream halve its batches. Threads are shared out
for torch where it has been imported; `runtime` (see `Runtime`) does it for other libraries.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from oea_cli.errors import OeaError


class PlainEncoder:
    """Implements `Encoder` on top of two methods; one that is not overridden raises OeaError.

    Vectors become float32 of unit length here, and no input gives no rows. A zero vector becomes
    NaN, which every verb names and leaves out.
    """

    sample_rate: int = 16_000  # hertz
    max_seconds: float = 30.0
    concurrency: int | None = None

    def __init__(self, name: str, fingerprint: str, dim: int, device: str = "cpu") -> None:
        self.name, self.fingerprint, self.dim, self.device = name, fingerprint, dim, device

    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) of n texts, not necessarily of unit length."""
        raise OeaError(f"{self.name} does not encode texts")

    def audio_vectors(self, prepared: Any) -> np.ndarray:
        """(n, dim) of n mono float32 waveforms at `sample_rate`, as `prepare_audio` leaves them."""
        raise OeaError(f"{self.name} does not encode sounds; it is a text encoder")

    @property
    def encoder_id(self) -> str:
        """`NAME:FINGERPRINT`."""
        return f"{self.name}:{self.fingerprint}"

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32, unit length."""
        return self._unit(self.text_vectors(texts)) if len(texts) else self._nothing()

    def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        """(n, dim) float32, unit length."""
        return self.encode_prepared(self.prepare_audio(waveforms))

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        """Nothing to prepare; a subclass with a mel of its own returns it (nothing for none)."""
        return waveforms

    def encode_prepared(self, prepared: Any) -> np.ndarray:
        """(n, dim) float32, unit length."""
        return self._unit(self.audio_vectors(prepared)) if len(prepared) else self._nothing()

    def _unit(self, vectors: np.ndarray) -> np.ndarray:
        rows = np.asarray(vectors, np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.dim:
            raise OeaError(f"{self.name}: gave vectors of shape {rows.shape}, not (n, {self.dim})")
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return np.ascontiguousarray(unit, np.float32)

    def _nothing(self) -> np.ndarray:
        return np.zeros((0, self.dim), np.float32)


def at_least_one(waveform: np.ndarray) -> np.ndarray:
    """The waveform; of an empty one a sample of silence, since models and files need one."""
    return waveform if len(waveform) else np.zeros(1, np.float32)


def fingerprint_of(*parts: object) -> str:
    """16 hex digits over everything that decides a vector; the parts are what JSON can write."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
