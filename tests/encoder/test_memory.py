"""How much memory this process has taken."""

import mmap
import sys

import numpy as np
import pytest

from oea_cli.encoder.memory import peak_memory, reset_peak_memory, resident_bytes

BLOCK = 64 * 2**20


def filled(size: int) -> mmap.mmap:
    """So many bytes of pages that nobody had before: malloc may give what it has kept."""
    block = mmap.mmap(-1, size)
    np.frombuffer(block, np.uint8)[:: mmap.PAGESIZE] = 1
    return block


def test_the_peak_grows_with_what_is_held() -> None:
    reset_peak_memory("cpu")
    before = peak_memory("cpu")
    held = resident_bytes() or 0  # where the peak cannot be forgotten, all of it is filled again
    with filled(max(before - held, 0) + BLOCK):
        assert peak_memory("cpu") >= before + BLOCK // 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells and resets it")
def test_a_peak_is_forgotten() -> None:
    with filled(2 * BLOCK):
        reset_peak_memory("cpu")
        high = peak_memory("cpu")
    reset_peak_memory("cpu")
    now = resident_bytes()
    assert now is not None and now <= peak_memory("cpu") < high
