"""What every encoder can do."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, cast

import numpy as np

from oea_cli.encoder.names.parsing import EncoderName, Placement

WINDOW = "a number of seconds from 0.01 to 86,400"


def is_window(seconds: object) -> bool:
    """True for what can be an encoder's `max_seconds`: a window of 0 has no end."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return is_number and 0.01 <= cast(float, seconds) <= 86_400


class Encoder(Protocol):
    """Turns texts and sounds into vectors of one space.

    Vectors are (n, dim) float32, L2-normalised, in C order. The same input gives the same vector
    whatever else is in the batch (to about 1e-6). All methods may be called from several threads.

    An encoder may also have a `runtime`, a `Runtime`. Without one, `runtime_of` finds what fits.
    """

    name: str
    fingerprint: str
    dim: int
    sample_rate: int
    max_seconds: float
    concurrency: int | None
    """Batches to have under way at a time, as to a server; None for as many as there are cores."""

    @property
    def device(self) -> str:
        """Where it computes: `cpu`, `cuda`, `mps`."""

    @property
    def encoder_id(self) -> str:
        """`NAME:FINGERPRINT`, what every artefact remembers."""

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32 of n texts."""

    def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        """(n, dim) float32 of n mono float32 waveforms at `sample_rate`."""

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        """The model's inputs for these waveforms: the part of the work background threads do."""

    def encode_prepared(self, prepared: Any) -> np.ndarray:
        """(n, dim) float32 from what `prepare_audio` returned."""


class Runtime(Protocol):
    """The threads and the memory that an encoder computes with, for whoever fills its batches."""

    @property
    def num_threads(self) -> int:
        """Threads that one call computes on where nobody limits it."""

    def thread_limit(self, count: int) -> AbstractContextManager[Callable[[], object]]:
        """A context that gives what a thread calls first to compute on `count` cores only.

        After it, everything is as it was before.
        """

    def is_out_of_memory(self, error: BaseException) -> bool:
        """True where an encoding method raised this because there was no room for the batch."""

    def release_memory(self) -> None:
        """Give back what is kept of a failed attempt, so that a smaller one finds room."""


Loader = Callable[[EncoderName, Placement], Encoder]
