"""What goes into an encoder, and what is known about the inputs on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import Failure
from oea_cli.records.rows import Record


@dataclass(frozen=True, slots=True)
class EncoderInput:
    """One row in the making: its record, and a text or (n,) mono float32 samples.

    The windows of one long clip share a `clip`, the record of the whole; others have none.
    """

    record: Record
    content: str | np.ndarray
    clip: Record | None = None

    @property
    def size(self) -> int:
        """Samples; 0 for a text."""
        return 0 if isinstance(self.content, str) else len(self.content)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a user should know about an input that is used all the same."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


Event = EncoderInput | Notice | Failure


def encode_batch(encoder: Encoder, inputs: Sequence[EncoderInput]) -> np.ndarray:
    """(n, dim) float32 of n inputs, which are all texts or all sounds."""
    texts = [item.content for item in inputs if isinstance(item.content, str)]
    if texts:
        return encoder.encode_text(texts)
    return encoder.encode_prepared(encoder.prepare_audio(waveforms_of(inputs)))


def waveforms_of(inputs: Sequence[EncoderInput]) -> list[np.ndarray]:
    """The sounds among the inputs."""
    return [item.content for item in inputs if not isinstance(item.content, str)]
