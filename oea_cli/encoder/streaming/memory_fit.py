"""Batches that do not fit into memory: they are halved, and the work goes on.

What did not fit once is not tried again: from then on batches are that much smaller. An input that
does not fit alone has no vector, and is named.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from oea_cli.encoder.protocol import Encoder, Runtime
from oea_cli.encoder.streaming.batch_plan import padded_tokens
from oea_cli.encoder.streaming.inputs import EncoderInput, Notice

Encode = Callable[[list[EncoderInput]], np.ndarray]


@dataclass
class Encoded:
    """(n, dim) float32 vectors of a batch; those rows are NaN for which there was no room."""

    vectors: np.ndarray
    too_large: list[int] = field(default_factory=list)


class MemoryFit:
    """The size of batch that fits, as far as it is known. Shared by the lanes."""

    def __init__(self, encoder: Encoder, runtime: Runtime) -> None:
        self._encoder, self._runtime = encoder, runtime
        self.tokens = math.inf  # padded tokens that are worth trying
        self._notice: Notice | None = None

    def encode(self, inputs: list[EncoderInput], encode: Encode) -> Encoded:
        """The vectors of a batch, in as many parts as it takes."""
        done: list[np.ndarray] = []
        too_large: list[int] = []
        waiting = [inputs]
        while waiting:
            part = waiting.pop()
            vectors = self._attempt(part, encode) if self._is_worth_trying(part) else None
            if vectors is None and len(part) > 1:
                middle = math.ceil(len(part) / 2)
                waiting += [part[middle:], part[:middle]]
                continue
            if vectors is None:
                too_large.append(sum(map(len, done)))
                vectors = np.full((1, self._encoder.dim), np.nan, np.float32)
            done.append(vectors)
        return Encoded(done[0] if len(done) == 1 else np.concatenate(done), too_large)

    def take_notice(self) -> Notice | None:
        """What a user should know, once."""
        notice, self._notice = self._notice, None
        return notice

    def _is_worth_trying(self, part: list[EncoderInput]) -> bool:
        return len(part) == 1 or self._cost(part) <= self.tokens

    def _attempt(self, part: list[EncoderInput], encode: Encode) -> np.ndarray | None:
        try:
            return encode(part)
        except Exception as error:
            if not self._runtime.is_out_of_memory(error):
                raise
        # Not in the handler: its traceback keeps the tensors that were made on the way.
        self._runtime.release_memory()
        if len(part) > 1:
            self._shrink(part)
        return None

    def _shrink(self, part: list[EncoderInput]) -> None:
        if self.tokens == math.inf:
            text = f"a batch of {len(part)} did not fit; batches are smaller from here on"
            self._notice = Notice("out of memory", text)
        self.tokens = min(self.tokens, self._cost(part[: math.ceil(len(part) / 2)]))

    def _cost(self, part: list[EncoderInput]) -> float:
        return padded_tokens(part, self._encoder.sample_rate)
