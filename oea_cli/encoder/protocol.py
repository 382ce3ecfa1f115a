"""What every encoder can do."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from oea_cli.encoder.names.parsing import EncoderName, Placement


class Encoder(Protocol):
    """Turns texts and sounds into vectors of one space.

    Vectors are (n, dim) float32, L2-normalised, in C order. The same input gives the same vector
    whatever else is in the batch (to about 1e-6). All methods may be called from several threads.
    """

    name: str
    fingerprint: str
    dim: int
    sample_rate: int
    max_seconds: float
    concurrency: int | None
    """Batches to have under way at a time where a server computes; None where this machine does."""

    @property
    def device(self) -> str:
        """Where it computes: `cpu`, `cuda`, `mps`."""

    @property
    def stamp(self) -> str:
        """`NAME:FINGERPRINT`, what every artefact remembers."""

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32 of n texts."""

    def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        """(n, dim) float32 of n mono float32 waveforms at `sample_rate`."""

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        """The model's inputs for these waveforms: the part of the work background threads do."""

    def encode_prepared(self, prepared: Any) -> np.ndarray:
        """(n, dim) float32 from what `prepare_audio` returned."""


Loader = Callable[[EncoderName, Placement], Encoder]
