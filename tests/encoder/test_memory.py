"""How much memory this process has taken."""

import sys

import numpy as np
import pytest

from oea_cli.encoder.memory import peak_memory, reset_peak_memory, resident_bytes

BLOCK = 64 * 2**20


def test_the_peak_grows_with_what_is_held() -> None:
    reset_peak_memory("cpu")
    before = peak_memory("cpu")
    held = resident_bytes() or 0  # where the peak cannot be forgotten, all of it is filled again
    block = np.ones(max(before - held, 0) + BLOCK, np.uint8)
    assert peak_memory("cpu") >= before + BLOCK // 2
    del block


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells and resets it")
def test_a_peak_is_forgotten() -> None:
    block = np.ones(2 * BLOCK, np.uint8)
    high = peak_memory("cpu")
    del block
    reset_peak_memory("cpu")
    now = resident_bytes()
    assert now is not None and now <= peak_memory("cpu") < high
