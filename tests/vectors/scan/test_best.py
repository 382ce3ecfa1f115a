"""The best rows of every query: equal to sorting everything, whatever the blocks and threads."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.scan.best import BestSoFar, best_rows, candidates
from oea_cli.vectors.scan.nearest import Nearest
from oea_cli.vectors.scan.scores import cosines, noise_of
from tests.vectors.batches import unit

Numbered = tuple[np.ndarray, Vectors]


def blocks_of(vectors: Vectors, mask: np.ndarray, size: int) -> Iterator[Numbered]:
    """The rows that a mask leaves, some at a time."""
    for start in range(0, len(vectors), size):
        rows = start + np.flatnonzero(mask[start : start + size])
        if len(rows):
            yield rows, vectors[rows]


def sorted_all(
    vectors: Vectors, queries: Vectors, k: int, mask: np.ndarray, penalty: Vectors
) -> tuple[np.ndarray, np.ndarray]:
    """The same by scoring every row, one by one, and sorting them all."""
    eligible = np.flatnonzero(mask)
    rows, scores = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf, np.float32)
    for number in range(len(queries)):
        own = np.repeat(queries[number : number + 1], len(eligible), axis=0)
        exact = cosines(vectors[eligible], own) - penalty[eligible]
        known = ~np.isnan(exact)
        order = np.lexsort((eligible[known], -exact[known]))[:k]
        best = eligible[known][order]
        rows[number, : len(best)], scores[number, : len(best)] = best, exact[known][order]
    return rows, scores


@settings(max_examples=80)
@given(st.data())
def test_equal_to_sorting_everything(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 2**32 - 1))
    draws = np.random.default_rng(seed)
    count, dim = data.draw(st.integers(1, 400)), data.draw(st.integers(1, 24))
    # Few distinct vectors among many rows: ties are the rule.
    distinct = unit(data.draw(st.integers(1, count)), dim, seed=seed % 1000)
    vectors = distinct[draws.integers(0, len(distinct), count)]
    queries = unit(data.draw(st.integers(1, 6)), dim, seed=seed % 997)
    mask = draws.random(count) < data.draw(st.sampled_from([0.05, 0.5, 1.0]))
    penalty = np.zeros(count, np.float32)
    if data.draw(st.booleans()):
        penalty = draws.choice(np.array([0, 0.25, 3, np.nan], np.float32), count)
    k = data.draw(st.integers(1, 500))  # often more than there are rows
    found = best_rows(
        blocks_of(vectors, mask, data.draw(st.integers(1, 450))),
        lambda rows: vectors[rows],
        queries,
        k,
        penalty=penalty,
        threads=data.draw(st.integers(1, 3)),
    )
    rows, scores = sorted_all(vectors, queries, k, mask, penalty)
    assert np.array_equal(found[0], rows)
    assert np.array_equal(found[1].view(np.uint32), scores.view(np.uint32))


@settings(max_examples=80)
@given(st.data())
def test_equal_to_the_first_of_each_clip(data: st.DataObject) -> None:
    """The k best clips are those whose best rows come first among all rows."""
    seed = data.draw(st.integers(0, 2**32 - 1))
    draws = np.random.default_rng(seed)
    count, dim = data.draw(st.integers(1, 400)), data.draw(st.integers(1, 24))
    distinct = unit(data.draw(st.integers(1, count)), dim, seed=seed % 1000)
    vectors = distinct[draws.integers(0, len(distinct), count)]
    queries = unit(data.draw(st.integers(1, 6)), dim, seed=seed % 997)
    # Clips of neighbouring rows as a rule; sometimes of rows from anywhere.
    clips = draws.integers(0, data.draw(st.integers(1, 60)), count).astype(np.int32)
    clips = np.sort(clips) if data.draw(st.booleans()) else clips
    mask = draws.random(count) < data.draw(st.sampled_from([0.05, 0.5, 1.0]))
    penalty = np.zeros(count, np.float32)
    k = data.draw(st.integers(1, 70))
    found = best_rows(
        blocks_of(vectors, mask, data.draw(st.integers(1, 450))),
        lambda rows: vectors[rows],
        queries,
        k,
        clips_of=lambda rows: clips[rows],
        threads=data.draw(st.integers(1, 3)),
    )
    rows, scores = sorted_all(vectors, queries, count, mask, penalty)
    for query in range(len(queries)):
        known = rows[query][rows[query] >= 0]
        firsts = np.sort(np.unique(clips[known], return_index=True)[1])[:k]
        padded = np.full(k, -1)
        padded[: len(firsts)] = known[firsts]
        assert np.array_equal(found[0][query], padded)
        assert np.array_equal(found[1][query][: len(firsts)], scores[query][firsts])


def test_blocks_and_threads_change_no_bit() -> None:
    vectors, queries = unit(3000, 48), unit(70, 48, seed=1)
    vectors[300:400] = vectors[10]  # more equal rows than places
    queries[5] = vectors[10]
    everything = np.ones(3000, bool)

    def search(size: int, threads: int) -> tuple[np.ndarray, Vectors]:
        blocks = blocks_of(vectors, everything, size)
        return best_rows(blocks, lambda rows: vectors[rows], queries, 20, threads=threads)

    expected = search(3000, 1)
    assert expected[0][5].tolist() == [10, *range(300, 319)]
    for size, threads in ((64, 1), (100, 3), (2999, 2)):
        found = search(size, threads)
        assert np.array_equal(found[0], expected[0])
        assert np.array_equal(found[1].view(np.uint32), expected[1].view(np.uint32))


def test_proposed_rows_stand_beside_the_scanned_ones() -> None:
    vectors, queries = unit(500, 16), unit(8, 16, seed=2)
    scanned = np.arange(500) < 300
    owners, rows = np.nonzero(np.broadcast_to(~scanned, (8, 500)))
    found = best_rows(
        blocks_of(vectors, scanned, 64),
        lambda rows: vectors[rows],
        queries,
        12,
        proposed=(owners, rows),
    )
    nothing, everything = np.zeros(500, np.float32), np.ones(500, bool)
    expected = sorted_all(vectors, queries, 12, everything, nothing)
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


def test_nothing_to_find() -> None:
    rows, scores = best_rows(iter(()), lambda rows: unit(1)[rows], unit(2), 3)
    assert (rows == -1).all() and np.isneginf(scores).all()
    assert rows.shape == scores.shape == (2, 3)


def test_rows_that_come_once_and_are_not_kept() -> None:
    vectors, queries = unit(1000, 16), unit(9, 16, seed=3)
    so_far = BestSoFar(queries, 10)
    for start in range(0, 1000, 170):
        so_far.add(vectors[start : start + 170])
    expected = sorted_all(vectors, queries, 10, np.ones(1000, bool), np.zeros(1000, np.float32))
    found = so_far.result()
    assert np.array_equal(found[0], expected[0]) and np.array_equal(found[1], expected[1])


# --- the running k best of blocks of scores


def running(num_queries: int, k: int) -> Nearest:
    return Nearest(num_queries, k, noise_of(1), score=None)


def update(nearest: Nearest, scores: np.ndarray, rows: np.ndarray) -> None:
    nearest.add(candidates(nearest, scores, rows))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("k", [1, 5, 200])
@pytest.mark.parametrize("block", [1, 37, 1000])
def test_nearest_rows_equal_a_full_sort(rng: np.random.Generator, k: int, block: int) -> None:
    scores = rng.integers(0, 50, (6, 1000)).astype(np.float32)  # plenty of ties
    nearest = running(6, k)
    for start in range(0, 1000, block):
        part = scores[:, start : start + block]
        rows = np.arange(start, start + part.shape[1])
        update(nearest, np.ascontiguousarray(part.T), rows)
    rows, best = nearest.result()
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert np.array_equal(rows, expected)
    assert np.array_equal(best, np.take_along_axis(scores, expected, 1))


def test_nearest_rows_when_the_best_come_last(rng: np.random.Generator) -> None:
    scores = np.sort(rng.standard_normal((3, 5000)).astype(np.float32), axis=1)
    nearest = running(3, 4)
    for start in range(0, 5000, 100):
        update(nearest, scores[:, start : start + 100].T.copy(), np.arange(start, start + 100))
    assert np.array_equal(nearest.result()[0], np.tile([4999, 4998, 4997, 4996], (3, 1)))


def test_nearest_rows_never_hold_nan_and_say_where_rows_are_missing() -> None:
    nearest = running(1, 3)
    update(nearest, np.array([[np.nan], [0.5], [np.nan]], np.float32), np.arange(3))
    rows, scores = nearest.result()
    assert rows.tolist() == [[1, -1, -1]]
    assert scores.tolist() == [[0.5, -np.inf, -np.inf]]
