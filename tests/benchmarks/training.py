"""What gradient caching costs: memory and time of an effective batch of 1,024 on a tiny model.

    python tests/benchmarks/training.py
    python tests/benchmarks/training.py --pairs 256 --micro 16

Three processes of one thread do the same pairs of `mini`, all of it learning: one micro-batch alone
and without caching; all pairs with caching; all pairs as micro-batches that know nothing of each
other, a plain forward and backward pass each. Memory is what the process grows by at its peak after
model and inputs are there, so that neither torch itself nor the inputs dilute the ratio. Goals: 1.3
times the memory of the micro-batch, 1.6 times the time of the plain passes.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MEMORY_GOAL, TIME_GOAL = 1.3, 1.6


def main() -> None:
    """Run the three and print the ratios."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pairs", type=int, default=1024)
    arguments.add_argument("--micro", type=int, default=32)
    arguments.add_argument("--kind", choices=["micro", "cached", "plain"])
    given = arguments.parse_args()
    if given.kind:
        print(*measure(given.kind, given.pairs, given.micro))
        return
    found = {kind: _apart(kind, given.pairs, given.micro) for kind in ("micro", "plain", "cached")}
    for kind, (seconds, peak) in found.items():
        print(f"{kind:7} {seconds:7.1f} s  {peak / 1e6:7.0f} MB")
    memory = found["cached"][1] / found["micro"][1]
    slower = found["cached"][0] / found["plain"][0]
    print(f"memory, cached {given.pairs} / one micro-batch of {given.micro}: {memory:.2f}", end="")
    print(f" (goal {MEMORY_GOAL})\ntime, cached / plain passes: {slower:.2f} (goal {TIME_GOAL})")


def _apart(kind: str, pairs: int, micro: int) -> tuple[float, float]:
    words = [sys.executable, __file__, "--kind", kind, "--pairs", str(pairs), "--micro", str(micro)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


def measure(kind: str, pairs: int, micro: int) -> tuple[float, float]:
    """(seconds, bytes at the peak above what was there before) of one pass of this kind."""
    import torch

    from oea_cli.training.data.batch import Pairing, TrainingBatch, key_rows
    from oea_cli.training.loop.learner import new_learner
    from oea_cli.training.loop.starting_point import starting_point
    from oea_cli.training.objective.grad_cache import back_propagate
    from oea_cli.training.objective.objective import weighted
    from oea_cli.training.processes import Processes
    from oea_cli.training.recipe.recipe import Model, Recipe, Stage

    torch.set_num_threads(1)
    stage = Stage(name="all", steps=1, batch_size=pairs)
    model = Model(base="mini", trainable="all")
    recipe = Recipe(name="benchmark", stages=(stage,), model=model, precision="float32")
    start = starting_point(recipe, None, Path(), anew=False)  # type: ignore[arg-type]
    learner = new_learner(recipe, start, 0, Processes())
    learner.modules.train()

    def batch(number: int) -> TrainingBatch:
        rng = np.random.default_rng(number)
        sounds = [rng.normal(size=32_000).astype(np.float32) for _ in range(micro)]
        clips = key_rows([[number * micro + row] for row in range(micro)])
        texts = [f"the sound of a dog and number {row} in the rain" for row in range(micro)]
        front_end = start.front_end
        none = torch.full((micro,), -1)
        inputs = front_end.text_inputs(texts), front_end.audio_inputs(sounds)
        return TrainingBatch(*inputs, clips, clips, none)

    def loss(texts: torch.Tensor, sounds: torch.Tensor | None, pairing: Pairing) -> torch.Tensor:
        return weighted(learner.objective(learner.model, texts, sounds, pairing), stage, 0.0)

    batches = [batch(number) for number in range(pairs // micro)]

    def go(some: Sequence[TrainingBatch]) -> None:
        back_propagate(some, range(len(some)), learner.pool, loss)

    before, since = _peak(), time.perf_counter()
    if kind == "micro":
        go(batches[:1])
    elif kind == "cached":
        go(batches)
    else:
        for one in batches:
            go([one])
    return time.perf_counter() - since, _peak() - before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
