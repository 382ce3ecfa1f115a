"""Batches that do not fit into memory: they are halved, and the work goes on.

What did not fit once is not tried again: from then on batches are that much smaller. An input that
does not fit alone has no vector, and is named.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.batch_plan import padded_tokens
from oea_cli.encoder.streaming.decode_ahead import Piece, Remark

_NO_ROOM = (
    "out of memory",  # CUDA, MPS
    "not enough memory",  # torch on a CPU
    "can't allocate memory",  # the same, under a limit
    "unable to allocate",  # numpy, within what transformers says of it
    "could not create a primitive",  # oneDNN, which names no reason
    "_status_alloc_failed",  # cuBLAS, cuDNN
)

Encode = Callable[[list[Piece]], np.ndarray]


@dataclass
class Encoded:
    """(n, dim) float32 vectors of a batch; those rows are NaN for which there was no room."""

    vectors: np.ndarray
    too_large: list[int] = field(default_factory=list)


class Fitting:
    """The size of batch that fits, as far as it is known. Shared by the lanes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.tokens = math.inf  # padded tokens that are worth trying
        self._remark: Remark | None = None

    def encode(self, pieces: list[Piece], encode: Encode) -> Encoded:
        """The vectors of a batch, in as many parts as it takes."""
        done: list[np.ndarray] = []
        too_large: list[int] = []
        waiting = [pieces]
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

    def remark(self) -> Remark | None:
        """What a user should know, once."""
        remark, self._remark = self._remark, None
        return remark

    def _is_worth_trying(self, part: list[Piece]) -> bool:
        return len(part) == 1 or self._cost(part) <= self.tokens

    def _attempt(self, part: list[Piece], encode: Encode) -> np.ndarray | None:
        try:
            return encode(part)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # Not in the handler: its traceback keeps the tensors that were made on the way.
        _give_back(self._encoder.device)
        if len(part) > 1:
            self._shrink(part)
        return None

    def _shrink(self, part: list[Piece]) -> None:
        if self.tokens == math.inf:
            text = f"a batch of {len(part)} did not fit; batches are smaller from here on"
            self._remark = Remark("out of memory", text)
        self.tokens = min(self.tokens, self._cost(part[: math.ceil(len(part) / 2)]))

    def _cost(self, part: list[Piece]) -> float:
        return padded_tokens(part, self._encoder.sample_rate)


def is_out_of_memory(error: BaseException) -> bool:
    """True for what torch, its CPU allocator, MPS, cuBLAS and numpy say when there is no room."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    says = str(error).lower()
    return any(text in says for text in _NO_ROOM)


def _give_back(device: str) -> None:
    """Let the allocator return what it keeps, so that a smaller batch finds room in one piece."""
    if device == "cuda":
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
