"""What `--not` does to the scores of a search.

A clip loses half of what its cosine with the excluded text exceeds the index's median: the unwanted
goes down, the great rest of the index stays where it is. Chosen by tests/benchmarks/exclusion.py
among 28 settings, most of them within 0.02 of each other, with an earlier `mini`. With today's, on
150 other pairs of composed scenes (A alone; A with B over it; --seed 5), of these queries:

                                           A alone before   among the    right of
                                           A with B         first ten    the first ten
    "A", nothing excluded                  0.99             0.96         0.87
    "A without B", forms it was taught     0.89             0.92         0.81
    "A in the absence of B", untaught      0.78             0.82         0.66
    "A", --not "B", this rule              0.97             0.96         0.88

Vector arithmetic (query - weight * excluded) and penalties by standard deviations are as good at
small weights; at large ones they hurt queries whose clips do not hold the excluded sound at all.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

WEIGHT = 0.5


def exclusion_penalty(similarities: Floats) -> Floats:
    """Return what to take off every clip's score (N,), from its cosines (M, N) with M texts.

    Never negative, and zero for at least half of the clips per text; several texts add up.
    """
    usual = np.median(similarities, axis=1, keepdims=True)
    excess = np.maximum(0, similarities - usual).sum(axis=0)
    penalty: Floats = (WEIGHT * excess).astype(np.float32)
    return penalty
