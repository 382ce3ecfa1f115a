"""Gradients of a batch too large for memory, and of one spread over processes; exact.

The loss needs all pooled vectors at once, the backbone's activations need not be there at once:
every micro-batch goes through the backbone without gradients, the loss of the global batch gives
the gradient of each pooled vector, and then every micro-batch goes through again, is given its rows
of that gradient, and is forgotten (Gao et al., 2021). The price is one more forward pass.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from oea_cli.training.data.batch import Pairing, TrainingBatch, pair_up
from oea_cli.training.processes import Processes

Pooled = tuple[Tensor, Tensor | None]
"""Vectors of texts and of sounds."""


def back_propagate(
    batches: Sequence[TrainingBatch],
    seeds: Sequence[int],
    pool: Callable[[TrainingBatch], Pooled],
    loss: Callable[[Tensor, Tensor | None, Pairing], Tensor],
    *,
    loss_seed: int = 0,
    processes: Processes | None = None,
) -> Pairing:
    """Add the gradients of the global batch's loss to all parameters behind `pool` and `loss`.

    `batches` are this process's micro-batches, all on its device. What `pool` draws at random
    follows from the micro-batch's seed, so that it draws the same the second time. `loss` gets the
    pooled vectors of all processes, pairs first; every process computes all of it, and so has the
    whole gradient of what is behind `loss`, but only its share of what is behind `pool`. Returns
    how the rows were paired.
    """
    processes = processes or Processes()
    at_once = len(batches) == 1
    with torch.set_grad_enabled(at_once):
        pooled = [_seeded(seed, pool, batch) for seed, batch in zip(seeds, batches, strict=True)]
    pairing = pair_up(batches, processes)
    texts = _Side([text for text, _ in pooled], processes)
    sounds = _Side([sound for _, sound in pooled if sound is not None], processes)
    torch.manual_seed(loss_seed)
    loss(
        texts.leaf[pairing.texts],
        sounds.leaf[pairing.sounds] if sounds.rows else None,
        pairing,
    ).backward()  # type: ignore[no-untyped-call]
    for i, (seed, batch) in enumerate(zip(seeds, batches, strict=True)):
        again = pooled[i] if at_once else _seeded(seed, pool, batch)
        outputs, gradients = [], []
        for vectors, side in zip(again, (texts, sounds), strict=True):
            if vectors is not None and vectors.requires_grad:
                outputs.append(vectors)
                gradients.append(side.gradient(i))
        if not outputs:
            break  # the backbone does not learn
        torch.autograd.backward(outputs, gradients)
    return pairing


class _Side:
    """The vectors of one modality: all processes' as the loss's input, and where ours are in it."""

    def __init__(self, parts: Sequence[Tensor], processes: Processes) -> None:
        self.rows = [len(part) for part in parts]
        if not parts:
            return
        everybody = processes.gather(torch.cat(list(parts)))
        self.start = sum(len(rows) for rows in everybody[: processes.rank])
        self.leaf = torch.cat(everybody).detach().requires_grad_()

    def gradient(self, part: int) -> Tensor:
        """Of one micro-batch's vectors."""
        start = self.start + sum(self.rows[:part])
        gradient = self.leaf.grad
        if gradient is None:
            return torch.zeros_like(self.leaf[start : start + self.rows[part]])
        return gradient[start : start + self.rows[part]]


def _seeded(seed: int, pool: Callable[[TrainingBatch], Pooled], batch: TrainingBatch) -> Pooled:
    torch.manual_seed(seed)
    return pool(batch)
