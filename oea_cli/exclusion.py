"""What `--not` does to the scores of a search.

A clip loses half of what its cosine with the excluded text exceeds the index's median: the unwanted
goes down, the great rest of the index stays where it is. Chosen by tests/benchmarks/exclusion.py
with `mini`, 320 pairs of composed scenes (A alone; A with B over it) in two seeds; A alone came
before A with B for

    query "A", nothing excluded                 0.93 of the pairs
    query "A without B", forms it was taught    0.76
    query "A in the absence of B", untaught     0.63
    query "A", --not "B", this rule             0.96

and A alone stayed among the first ten of all scenes as often as with nothing excluded (0.80 and
0.81; "A without B": 0.70). A weight of 1 gains nothing and costs 0.03 of that; vector arithmetic
(query - weight * excluded) and penalties by standard deviations are as good at small weights, and
at large ones they hurt queries whose clips do not hold the excluded sound at all. The rule
was picked on these same pairs among 28 settings, most of them within 0.02 of each other.
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
