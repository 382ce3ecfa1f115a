"""What `--not` does to the scores of a search."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def exclusion_penalty(similarities: Floats) -> Floats:
    """Return what to take off every clip's score (N,), from its cosines (M, N) with M texts."""
    centre: Any = np.median(similarities, axis=1, keepdims=True)
    spread: Any = similarities.std(axis=1, keepdims=True) + 1e-6
    standing_out = np.maximum(0, (similarities - centre) / spread)
    penalty: Floats = (0.1 * standing_out.max(axis=0)).astype(np.float32)
    return penalty
