"""A released OEA at its real size on the CPU: loading, one text, one clip of 10 s; random weights.

The goal: within 20 GB of memory. Takes minutes. Run from the repository root:

    python tests/benchmarks/large_on_cpu.py                              # 3B, bfloat16
    python tests/benchmarks/large_on_cpu.py oea-qwen3b --dtype float32   # 15 GB of weights
"""

import argparse
import resource
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from oea_cli.encoder.names.parsing import Placement, parse_name
from oea_cli.encoder.tools.bench import CAPTIONS, noise, seconds_of
from oea_cli.encoder.tools.random_weights import random_encoder

GOAL = 20e9  # bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name", nargs="?", default="oea-qwen3b")
    parser.add_argument("--dtype", default="bfloat16")
    arguments = parser.parse_args()
    made: list[Any] = []

    def load() -> None:
        placement = Placement("cpu", arguments.dtype)
        made.append(random_encoder(parse_name(arguments.name), placement, CAPTIONS))

    tell("load", load)
    tell("one text", lambda: checked(made[0].encode_text([CAPTIONS[0]])))
    tell("one clip of 10 s", lambda: checked(made[0].encode_audio([noise(10, 16_000)])))
    sys.exit(0 if peak() <= GOAL else 1)


def checked(vectors: np.ndarray) -> None:
    assert vectors.shape == (1, 512) and np.isfinite(vectors).all()


def tell(what: str, work: Callable[[], object]) -> None:
    print(f"{what:<17}{seconds_of(work):>8.1f} s, peak {peak() / 1e9:.2f} GB", flush=True)


def peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
