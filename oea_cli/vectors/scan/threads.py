"""How many processor cores there are, and how many threads use them."""

import os
import sys

LIMIT = "OPENBLAS_NUM_THREADS"


def num_cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def num_threads() -> int:
    """How many products to compute side by side: OMP_NUM_THREADS, else one per core.

    Where BLAS has threads of its own, two: one product uses all cores while the scores of another
    are visited; more products would only wait for each other.
    """
    value = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(value) if value.isdecimal() and int(value) > 0 else num_cores()
    return threads if os.environ.get(LIMIT) == "1" else min(threads, 2)


def leave_threads_to_us() -> None:
    """Let BLAS use one thread where numpy is not loaded yet: several products run side by side,
    and threads within a product would only wait for each other."""
    if "numpy" not in sys.modules:
        if limit := os.environ.get(LIMIT):
            os.environ.setdefault("OMP_NUM_THREADS", limit)
        os.environ[LIMIT] = "1"
