"""The loop of every exact scan: blocks of rows times queries, visited by the thread that made them.

The work on the scores should add little to the cost of the product. So each table of scores is made
in a buffer that is used again (fresh memory would cost as much as a comparison), and is visited at
once by the thread that made it, while it is in the cache. Products that run side by side in our own
threads do not wait for each other, as the threads within one product do.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

import numpy as np

from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.scan.threads import num_threads

Key = TypeVar("Key")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Product(Generic[Key]):
    """One table of scores to be made: rows (B, D) times columns (D, Q), and its key."""

    rows: Vectors
    columns: Vectors
    key: Key


def products(
    parts: Iterable[Product[Key]],
    visit: Callable[[Key, Vectors], Found],
    threads: int | None = None,
) -> Iterator[Found]:
    """Yield what `visit` finds in the scores (B, Q) of every part, in the order of the parts.

    `visit` runs in several threads at once, and must keep only copies of scores. The parts are
    taken in the thread that iterates, a few ahead of what is yielded.
    """
    threads = threads or num_threads()
    buffers: SimpleQueue[Vectors] = SimpleQueue()
    for _ in range(threads):
        buffers.put(np.empty(0, np.float32))

    def work(part: Product[Key]) -> Found:
        buffer = buffers.get()
        size = len(part.rows), part.columns.shape[1]
        if len(buffer) < size[0] * size[1]:
            buffer = np.empty(size[0] * size[1], np.float32)
        try:
            scores = buffer[: size[0] * size[1]].reshape(size)
            # In this order the product of a block is as fast as that of the whole.
            np.matmul(part.rows, part.columns, out=scores)
            return visit(part.key, scores)
        finally:
            buffers.put(buffer)

    if threads == 1:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Found]] = deque()
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
