"""Each row's nearest rows among all others, with half of the product of all with all.

The table of scores is symmetric, so only its blocks on and above the diagonal are computed; each
serves its rows and, transposed, its columns. The diagonal comes first: with the k-th best score of
every row as the threshold, only a few candidates of the later blocks pass (about
`k * log(rows / block)` per row), and only those are sorted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oea_cli.vectors.arrays import Mask, RowNumbers, Vectors
from oea_cli.vectors.scan.nearest import Nearest, Pairs, Short, joined, places_of, slices_of
from oea_cli.vectors.scan.products import Product, products
from oea_cli.vectors.scan.scores import cosines, in_parts, noise_of

BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Neighbours:
    """Of each row (N,) the k nearest others, best first, equal scores by row number.

    `rows` (N, min(k, N)) are their numbers and `scores`, of that shape, the cosines; -1 and -inf
    where there are fewer.
    """

    rows: RowNumbers
    scores: Vectors


def nearest_neighbours(
    vectors: Vectors,
    k: int,
    groups: RowNumbers | None = None,
    *,
    block_rows: int = BLOCK_ROWS,
    threads: int | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Neighbours:
    """Find the `k` rows most similar to each row of unit vectors (N, D), itself left out.

    Rows of one group (N,) are never neighbours of each other. `advance` is called once for each of
    `num_blocks(N)` products. The result is the same for every `block_rows` and `threads`.
    """
    finder = _NeighbourFinder(vectors, min(k, len(vectors)), groups)
    firsts = range(0, len(vectors), block_rows)
    diagonal = [(first, first) for first in firsts]
    above = [(first, other) for first in firsts for other in firsts if other > first]
    for places in (diagonal, above):
        parts = (
            Product(_block(vectors, first, block_rows), _block(vectors, other, block_rows).T, place)
            for place in places
            for first, other in [place]
        )
        for pairs in products(parts, finder.candidates, threads):
            finder.nearest.add(pairs)
            advance()
        finder.nearest.settle()
    return Neighbours(*finder.nearest.result())


def _block(vectors: Vectors, first: int, block_rows: int) -> Vectors:
    return vectors[first : first + block_rows]


def num_blocks(num_rows: int, block_rows: int = BLOCK_ROWS) -> int:
    """How many products the search takes."""
    blocks = -(-num_rows // block_rows)
    return blocks * (blocks + 1) // 2


class _NeighbourFinder:
    """Compares blocks of scores of rows among themselves with the nearest so far."""

    def __init__(self, vectors: Vectors, k: int, groups: RowNumbers | None) -> None:
        self.nearest = Nearest(len(vectors), k, noise_of(vectors.shape[1]), self._score)
        self._vectors = vectors
        self._groups = np.arange(len(vectors)) if groups is None else groups.astype(np.int32)

    def _score(self, owners: Short, rows: Short) -> Vectors:
        vectors = self._vectors
        return in_parts(
            lambda part: cosines(vectors[owners[part]], vectors[rows[part]]), len(owners)
        )

    def candidates(self, place: tuple[int, int], scores: Vectors) -> Pairs:
        """What may be among the nearest in scores (B, C) of the rows from two places on."""
        first, other = place
        if first == other:
            return self._on_diagonal(scores, first)
        low_rows = self.nearest.thresholds[first : first + len(scores), None]
        low_columns = self.nearest.thresholds[other : other + scores.shape[1]]
        found = []
        for some in slices_of(scores):
            part, start = scores[some], first + some.start
            found.append(_pairs(part, part > low_rows[some], start, other))
            pairs = _pairs(part, part > low_columns, start, other)
            found.append(Pairs(pairs.rows, pairs.owners, pairs.scores))
        return self._of_other_groups(joined(found))

    def _on_diagonal(self, scores: Vectors, first: int) -> Pairs:
        """The same for the rows among themselves, which sets their first thresholds."""
        own = self._groups[first : first + len(scores)]
        # A group's own members must not raise the threshold of the others.
        scores[own[:, None] == own] = -np.inf
        low = np.full(len(scores), -np.inf, np.float32)
        if len(scores) > self.nearest.k:
            place = len(scores) - self.nearest.k
            low = self.nearest.below(np.partition(scores, place, axis=1)[:, place])
        return self._of_other_groups(_pairs(scores, scores > low[:, None], first, first))

    def _of_other_groups(self, pairs: Pairs) -> Pairs:
        return pairs.chosen(self._groups[pairs.owners] != self._groups[pairs.rows])


def _pairs(scores: Vectors, chosen: Mask, first: int, other: int) -> Pairs:
    """The chosen scores (B, C) of the rows from two places on, as pairs."""
    rows, columns = places_of(chosen)
    return Pairs(rows + np.int32(first), columns + np.int32(other), scores[rows, columns])
