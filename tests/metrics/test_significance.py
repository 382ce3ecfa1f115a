"""Intervals and tests: equal to scipy's where scipy has them, clustered, seeded."""

import numpy as np
import pytest
from scipy import stats

from oea_cli.metrics.significance import (
    Column,
    bootstrap_difference,
    bootstrap_intervals,
    holm,
    permutation_p,
)

draws = np.random.default_rng(0)
CLUSTERS = np.repeat(np.arange(120), draws.integers(1, 6, 120))
VALUES = (draws.random(len(CLUSTERS)) < draws.random(120)[CLUSTERS]).astype(np.float64)


def test_intervals_equal_scipys_bootstrap_of_cluster_sums() -> None:
    sums = np.bincount(CLUSTERS, VALUES)
    sizes = np.bincount(CLUSTERS).astype(np.float64)
    theirs = stats.bootstrap(
        (sums, sizes),
        lambda s, n, axis=-1: s.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    ours = bootstrap_intervals([Column(VALUES)], CLUSTERS, seed=2, resamples=20_000)[0]
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.004)


def test_medians_equal_scipys_bootstrap() -> None:
    ranks = draws.integers(1, 60, 301).astype(np.float64)
    theirs = stats.bootstrap(
        (ranks,),
        np.median,
        n_resamples=5_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    clusters = np.arange(301)
    ours = bootstrap_intervals([Column(ranks, is_median=True)], clusters, 2, resamples=5_000)[0]
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1.0)


def test_clusters_widen_an_interval() -> None:
    repeated = np.repeat(np.arange(40), 10)
    values = np.repeat((np.arange(40) % 2).astype(np.float64), 10)
    low, high = bootstrap_intervals([Column(values)], repeated, 0)[0]
    alone_low, alone_high = bootstrap_intervals([Column(values)], np.arange(400), 0)[0]
    assert (high - low) > 2.5 * (alone_high - alone_low)


def test_a_seed_gives_the_same_interval_and_values_that_do_not_apply_are_left_out() -> None:
    with_gaps = np.where(np.arange(len(VALUES)) % 3 == 0, np.nan, VALUES)
    columns = [Column(VALUES), Column(with_gaps)]
    first, second = (bootstrap_intervals(columns, CLUSTERS, 7) for _ in range(2))
    assert first == second
    assert first != bootstrap_intervals(columns, CLUSTERS, 8)
    assert bootstrap_intervals([Column(np.full(3, np.nan))], np.arange(3), 0)[0] != (0, 0)


def test_the_interval_of_a_difference_knows_the_pairs() -> None:
    better = np.minimum(VALUES + 0.1, 1.1)
    low, high = bootstrap_difference(Column(better), Column(VALUES), CLUSTERS, 0)
    assert low == pytest.approx(0.1) and high == pytest.approx(0.1)


def test_few_clusters_are_permuted_exactly() -> None:
    ours, theirs = np.array([1.0, 1, 1, 1]), np.zeros(4)
    # All signs of four clusters: 2 of 16 are as extreme as what was seen.
    assert permutation_p(Column(ours), Column(theirs), np.arange(4), 0) == pytest.approx(2 / 16)
    # The same values from two clusters: 2 of 4.
    assert permutation_p(Column(ours), Column(theirs), np.array([0, 0, 1, 1]), 0) == 0.5


def test_permutation_of_medians_and_of_equals() -> None:
    ranks = np.arange(1.0, 41)
    worse = Column(ranks + 30, is_median=True)
    assert permutation_p(Column(ranks, True), worse, np.arange(40), 0) < 0.01
    assert permutation_p(Column(VALUES), Column(VALUES), CLUSTERS, 0) == 1.0
    assert permutation_p(Column(VALUES[:2]), Column(1 - VALUES[:2]), np.zeros(2, int), 0) == 1.0


def test_p_values_are_uniform_where_there_is_no_difference() -> None:
    p_values = []
    for seed in range(40):
        numbers = np.random.default_rng(seed)
        ours, theirs = numbers.random((2, 60))
        p_values.append(permutation_p(Column(ours), Column(theirs), np.arange(60) // 2, seed))
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    adjusted = holm([0.02, float("nan")])
    assert adjusted[0] == pytest.approx(0.02) and np.isnan(adjusted[1])
