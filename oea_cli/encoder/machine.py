"""What an encoder's size asks of this machine, answered without torch."""

import sys
from collections.abc import Iterable
from pathlib import Path

LARGE = 500_000_000  # bytes of weights on disk
GPUS = Path("/proc/driver/nvidia/gpus")


def is_large(weights: Iterable[Path]) -> bool:
    """True where time and memory count for more than the last digits."""
    return sum(path.stat().st_size for path in weights) > LARGE


def may_have_gpu() -> bool:
    """Whether torch could find a GPU here: NVIDIA's driver has one, or it is a Mac."""
    return sys.platform == "darwin" or (GPUS.is_dir() and any(GPUS.iterdir()))
