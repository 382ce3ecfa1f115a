"""What encoders compute with: the threads of this machine, and memory that may run out.

Nothing here imports torch by itself; it has been imported where an encoder computes with it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from oea_cli.encoder.protocol import Encoder, Runtime
from oea_cli.vectors.scan.threads import num_threads

_OUT_OF_MEMORY = (
    "out of memory",  # CUDA, MPS
    "not enough memory",  # torch on a CPU
    "can't allocate memory",  # the same, under a limit
    "unable to allocate",  # numpy, within transformers' message
    "failed to allocate memory",  # onnxruntime
    "bad_alloc",  # the same, from C++
    "bad allocation",
    "could not create a primitive",  # oneDNN, which names no reason
    "_status_alloc_failed",  # cuBLAS, cuDNN
)


class PlainRuntime:
    """For an encoder that computes without torch, or elsewhere. Implements `Runtime`."""

    @property
    def num_threads(self) -> int:
        """The cores of this process, or fewer where OMP_NUM_THREADS says so."""
        return num_threads()

    @contextmanager
    def thread_limit(self, count: int) -> Iterator[Callable[[], object]]:
        """Nothing to limit."""
        yield _nothing

    def is_out_of_memory(self, error: BaseException) -> bool:
        """True for what Python, numpy, torch, its allocators and cuBLAS raise."""
        text = str(error).lower()
        return isinstance(error, MemoryError) or any(part in text for part in _OUT_OF_MEMORY)

    def release_memory(self) -> None:
        """Nothing is kept."""


class TorchRuntime(PlainRuntime):
    """For an encoder that computes with torch on `cpu`, `cuda` or `mps`. Implements `Runtime`."""

    def __init__(self, device: str) -> None:
        import torch

        self._torch, self._device = torch, device

    @property
    def num_threads(self) -> int:
        """The threads that torch uses within an operation."""
        return self._torch.get_num_threads()

    @contextmanager
    def thread_limit(self, count: int) -> Iterator[Callable[[], object]]:
        """Limit torch within an operation; its own setting comes back after."""
        before = self._torch.get_num_threads()
        try:
            yield partial(self._torch.set_num_threads, count)
        finally:
            self._torch.set_num_threads(before)

    def is_out_of_memory(self, error: BaseException) -> bool:
        """True for torch's own class of error as well."""
        return isinstance(error, self._torch.OutOfMemoryError) or super().is_out_of_memory(error)

    def release_memory(self) -> None:
        """Let the allocator return what it keeps, so that a smaller batch finds room in one
        piece."""
        if self._device == "cuda":
            self._torch.cuda.empty_cache()
        elif self._device == "mps":
            self._torch.mps.empty_cache()


def runtime_of(encoder: Encoder) -> Runtime:
    """The encoder's own `runtime`; without one, torch's where the process has imported torch."""
    own: Runtime | None = getattr(encoder, "runtime", None)
    if own is not None:
        return own
    return TorchRuntime(encoder.device) if "torch" in sys.modules else PlainRuntime()


def _nothing() -> None:
    pass
