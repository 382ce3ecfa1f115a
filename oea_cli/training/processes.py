"""The processes of a run that torchrun has started: who is who, and what they send each other.

A run without torchrun is one process, for which all of this is free.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from oea_cli.encoder.hardware import resolve_device
from oea_cli.errors import OeaError

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Processes:
    """This process among all those of the run."""

    rank: int = 0
    count: int = 1
    device: torch.device = CPU

    @property
    def is_first(self) -> bool:
        """True for the one that logs, validates and saves."""
        return self.rank == 0

    def gather(self, rows: Tensor) -> list[Tensor]:
        """Everybody's rows, by process; without gradients. Shapes may differ, the kind may not."""
        if self.count == 1:
            return [rows.detach()]
        shape = torch.tensor(rows.shape, device=rows.device)
        shapes = [torch.empty_like(shape) for _ in range(self.count)]
        distributed.all_gather(shapes, shape)
        most = max(int(one.prod()) for one in shapes)
        padded = rows.new_zeros(most)
        padded[: rows.numel()] = rows.detach().flatten()
        found = [torch.empty_like(padded) for _ in range(self.count)]
        distributed.all_gather(found, padded)
        return [
            flat[: int(one.prod())].reshape(one.tolist())
            for flat, one in zip(found, shapes, strict=True)
        ]

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by the sum of everybody's."""
        if self.count > 1:
            pending = [distributed.all_reduce(tensor, async_op=True) for tensor in tensors]
            for work in pending:
                work.wait()

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by the first process's."""
        if self.count > 1:
            for tensor in tensors:
                distributed.broadcast(tensor, 0)

    def any(self, flag: bool) -> bool:
        """True where any process says so: all of them then know."""
        raised = torch.tensor(float(flag), device=self.device)
        self.sum([raised])
        return bool(raised)

    @contextmanager
    def first_goes_ahead(self) -> Iterator[None]:
        """The first process does the block alone; the others do it after, and find it done."""
        if self.count > 1 and not self.is_first:
            distributed.barrier()
        yield
        if self.count > 1 and self.is_first:
            distributed.barrier()


@contextmanager
def processes_of_run(device: str) -> Iterator[Processes]:
    """Meet the other processes of this run, and leave them at the end.

    Each takes the GPU of its own number on its machine, unless `device` names one. Raises OeaError
    where there are more processes than GPUs.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(device=resolve_device(device))
        return
    found = resolve_device(device)
    if found.type == "cuda" and found.index is None:
        found = resolve_device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
        torch.cuda.set_device(found)
    if not distributed.is_available():
        raise OeaError("this torch cannot run in several processes (no torch.distributed)")
    distributed.init_process_group("nccl" if found.type == "cuda" else "gloo")
    try:
        yield Processes(distributed.get_rank(), count, found)
    finally:
        distributed.destroy_process_group()
