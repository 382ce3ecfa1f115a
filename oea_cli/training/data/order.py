"""What a step takes: an endless stream of shuffled epochs, cut into batches of like length.

Everything follows from the seed and the place in the stream, so that any step's batch can be had
without those before it.
"""

import math
from collections.abc import Sequence

import numpy as np

CHUNK = 2048
"""Clips that are sorted by length together: enough for batches that pad little, few enough that
batches differ from epoch to epoch."""


class Order:
    """The stream of one stage: its entries, clips or captions, numbered through all its sources.

    `sizes` are the entries of each source, `weights` how often an epoch goes through each of
    them; a source of weight 0.5 is gone through once in two epochs.
    """

    def __init__(
        self,
        seed: Sequence[int],
        sizes: Sequence[int],
        weights: Sequence[float],
        seconds: np.ndarray,
        batch_size: int,
        steps: int,
    ) -> None:
        self._seed, self._sizes, self._seconds = list(seed), sizes, seconds
        self._batch_size, self._steps = batch_size, steps
        self._shares = epoch_shares(sizes, weights)
        # What was made last is asked for again and again.
        self._epochs: dict[int, np.ndarray] = {}
        self._chunks: dict[tuple[int, int], np.ndarray] = {}

    @property
    def epoch_size(self) -> int:
        """Entries in an epoch."""
        return sum(self._shares)

    def entry(self, position: int) -> int:
        """The number of the entry at a position in the stream."""
        epoch, place = divmod(position, self.epoch_size)
        if epoch not in self._epochs:
            self._epochs = _last_two(self._epochs) | {epoch: self._shuffled_epoch(epoch)}
        return int(self._epochs[epoch][place])

    def batch(self, step: int) -> np.ndarray:
        """(batch_size,) int64 positions of a step within the stage, shorter clips first."""
        per_chunk = max(1, math.ceil(CHUNK / self._batch_size))
        chunk, within = divmod(step, per_chunk)
        # The last chunk ends with the stage, so that what it holds is used, and nothing else.
        count = min(per_chunk, self._steps - chunk * per_chunk) if step < self._steps else per_chunk
        key = (chunk * per_chunk, count)
        if key not in self._chunks:
            self._chunks = {key: self._sorted_chunk(*key)}
        found: np.ndarray = self._chunks[key][within]
        return found

    def _sorted_chunk(self, first: int, count: int) -> np.ndarray:
        size = self._batch_size
        positions = np.arange(first * size, (first + count) * size)
        entries = [self.entry(int(position)) for position in positions]
        by_length = positions[np.argsort(self._seconds[entries], kind="stable")]
        shuffle = np.random.default_rng([*self._seed, 1, first])
        return shuffle.permutation(by_length.reshape(count, size))

    def _shuffled_epoch(self, epoch: int) -> np.ndarray:
        drawn, start = [], 0
        for source, (size, share) in enumerate(zip(self._sizes, self._shares, strict=True)):
            drawn.append(start + self._drawn(source, size, epoch * share, (epoch + 1) * share))
            start += size
        return np.random.default_rng([*self._seed, 2, epoch]).permutation(np.concatenate(drawn))

    def _drawn(self, source: int, size: int, first: int, end: int) -> np.ndarray:
        """Places first..end of one permutation of a source after the other."""
        rounds = range(first // size, math.ceil(end / size))
        orders = [
            np.random.default_rng([*self._seed, 3, source, number]).permutation(size)
            for number in rounds
        ]
        start = rounds.start * size
        found: np.ndarray = np.concatenate(orders)[first - start : end - start]
        return found


def _last_two(epochs: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    return {epoch: epochs[epoch] for epoch in list(epochs)[-2:]}


def epoch_shares(sizes: Sequence[int], weights: Sequence[float]) -> list[int]:
    """How many entries of each source are in an epoch."""
    return [max(1, round(n * weight)) for n, weight in zip(sizes, weights, strict=True)]
