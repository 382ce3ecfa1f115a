"""One process's micro-batches of each step, made ahead by background processes."""

from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Dataset

from oea_cli.training.data.batch import TrainingBatch
from oea_cli.training.data.examples import Examples
from oea_cli.training.data.schedule import num_parts
from oea_cli.training.loop.interruption import ignore_signals
from oea_cli.training.processes import Processes
from oea_cli.training.recipe.recipe import Stage

MADE_AHEAD = 6  # micro-batches, by each background process


class MicroBatches(Dataset[TrainingBatch]):
    """One process's share of all steps, in order."""

    def __init__(self, examples: Examples, first: int, share: int, parts: int) -> None:
        self.examples, self.first, self.share, self.parts = examples, first, share, parts

    def __getitem__(self, index: int) -> TrainingBatch:
        step, part = divmod(index, self.share)
        return self.examples.batch(step, self.first + part, self.parts)


def batches_of_steps(
    examples: Examples, stage: Stage, steps: range, processes: Processes, workers: int
) -> Iterator[tuple[int, list[TrainingBatch]]]:
    """Each step of a stage with this process's share of its global batch."""
    parts = num_parts(stage, processes.count)
    share = parts // processes.count
    loader: DataLoader[TrainingBatch] = DataLoader(
        MicroBatches(examples, processes.rank * share, share, parts),
        sampler=range(steps.start * share, steps.stop * share),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=MADE_AHEAD if workers else None,
        worker_init_fn=ignore_signals,
        # Its own: a loader draws a number when it starts, which would shift a continued run's.
        generator=torch.Generator(),
    )
    made = iter(loader)
    for step in steps:
        yield step, [next(made) for _ in range(share)]
