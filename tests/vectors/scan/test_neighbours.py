"""The nearest rows of every row: equal to sorting everything, whatever the blocks and threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.scan.nearest import Nearest
from oea_cli.vectors.scan.neighbours import nearest_neighbours, num_blocks
from oea_cli.vectors.scan.scores import cosines
from tests.vectors.batches import unit


def sorted_all(vectors: Vectors, k: int, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same by comparing every row with every other, one by one, and sorting them all."""
    count = len(vectors)
    rows, scores = np.full((count, k), -1), np.full((count, k), -np.inf, np.float32)
    for row in range(count):
        others = np.flatnonzero(groups != groups[row])
        own = np.repeat(vectors[row : row + 1], len(others), axis=0)
        exact = cosines(own, vectors[others])
        best = np.lexsort((others, -exact))[:k]
        rows[row, : len(best)], scores[row, : len(best)] = others[best], exact[best]
    return rows, scores


@settings(max_examples=60)
@given(st.data())
def test_equal_to_sorting_everything(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32 - 1))
    draws = np.random.default_rng(seed)
    count, dim = data.draw(st.integers(1, 150)), data.draw(st.integers(1, 24))
    # Few distinct vectors among many rows: ties are the rule.
    distinct = unit(data.draw(st.integers(1, count)), dim, seed=seed % 1000)
    vectors = distinct[draws.integers(0, len(distinct), count)]
    groups = draws.integers(0, data.draw(st.integers(1, 2 * count)), count)
    k = data.draw(st.integers(1, 30))
    found = nearest_neighbours(
        vectors,
        k,
        groups,
        block_rows=data.draw(st.integers(1, 160)),
        threads=data.draw(st.integers(1, 3)),
    )
    rows, scores = sorted_all(vectors, min(k, count), groups)
    assert np.array_equal(found.rows, rows)
    assert np.array_equal(found.scores, scores)


def test_blocks_and_threads_change_no_bit() -> None:
    vectors = unit(700, 64)
    vectors[300:340] = vectors[10]  # more equal neighbours than places
    expected = nearest_neighbours(vectors, 20)
    for block_rows, threads in ((64, 1), (100, 3), (699, 2), (5000, 1)):
        found = nearest_neighbours(vectors, 20, block_rows=block_rows, threads=threads)
        assert np.array_equal(found.rows, expected.rows)
        assert np.array_equal(found.scores.view(np.uint32), expected.scores.view(np.uint32))


def test_a_thousand_equal_rows_are_settled_before_they_pile_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors = unit(1500, 16)
    vectors[200:1200] = vectors[3]
    settled: list[int] = []
    exact = Nearest._exact
    monkeypatch.setattr(
        Nearest,
        "_exact",
        lambda self: settled.append(len(self._held)) or exact(self),
    )
    found = nearest_neighbours(vectors, 10, block_rows=100)
    assert len(settled) > 1, "equal rows were held until the end"
    assert found.rows[3].tolist() == list(range(200, 210))
    assert found.rows[700].tolist() == [3, *range(200, 209)]


def test_rows_far_apart_in_the_file_are_found() -> None:
    """What the diagonal leaves is the loosest where all neighbours lie elsewhere."""
    vectors = unit(600, 32)
    vectors[300:] = vectors[:300] + 0.001 * unit(300, 32, seed=1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = nearest_neighbours(vectors, 1, block_rows=128)
    assert found.rows[:, 0].tolist() == [*range(300, 600), *range(300)]


def test_more_neighbours_than_rows_are_as_many_as_there_are() -> None:
    vectors = unit(100)
    found, all_others = (nearest_neighbours(vectors, k) for k in (10**11, 99))
    assert (found.rows[:, :99] == all_others.rows).all() and (found.rows[:, 99:] == -1).all()
    assert (found.scores[:, :99] == all_others.scores).all()


def test_each_block_counts_once() -> None:
    calls: list[int] = []
    nearest_neighbours(unit(250), 3, block_rows=100, advance=lambda: calls.append(1))
    assert len(calls) == num_blocks(250, 100) == 6
