"""How certain a figure is: bootstrap intervals and a paired permutation test, clustered by clip.

Queries about one clip are not independent, so whole clusters are drawn, or swapped, together. The
bootstrap is numpy: importing scipy.stats costs more processor time than scoring a run does, and
one draw of clusters serves every metric here. The tests check it against scipy.stats.bootstrap.
The permutation test is scipy's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from oea_cli.errors import OeaError
from oea_cli.metrics.outcomes import Floats, QueryNumbers

RESAMPLES = 2000
PERMUTATIONS = 9999
CONFIDENCE = 0.95
# Cells of a (resamples, clusters) table held at a time: half a MB of float64 stays in the cache.
CELLS_AT_ONCE = 1 << 16

Interval = tuple[float, float]


@dataclass(frozen=True)
class Column:
    """One metric's values per query (Q,), NaN where it does not apply; its summary is the mean or
    the median."""

    values: Floats
    is_median: bool = False


def bootstrap_intervals(
    columns: Sequence[Column], clusters: QueryNumbers, seed: int, resamples: int = RESAMPLES
) -> list[Interval]:
    """95 % percentile intervals of each column's summary, over resampled clusters.

    `clusters` (Q,) numbers the clip of each query; the same draws serve all columns.
    """
    return [_bounds(row) for row in _summaries(columns, clusters, seed, resamples)]


def bootstrap_difference(
    ours: Column, theirs: Column, clusters: QueryNumbers, seed: int
) -> Interval:
    """The same for the difference of two systems' summaries on the same queries."""
    mine, other = _summaries([ours, theirs], clusters, seed, RESAMPLES)
    return _bounds(mine - other)


def _summaries(
    columns: Sequence[Column], clusters: QueryNumbers, seed: int, resamples: int
) -> list[Floats]:
    """The summary of each column in each resample (resamples,)."""
    num_clusters = int(clusters.max()) + 1
    totals = np.vstack([_totals(column, clusters, num_clusters) for column in columns])
    draws = np.random.default_rng(seed)
    rows = max(1, CELLS_AT_ONCE // max(num_clusters, len(clusters)))
    found = np.empty((len(columns), resamples))
    for start in range(0, resamples, rows):
        part = slice(start, min(start + rows, resamples))
        weights = _drawn(draws, part.stop - start, num_clusters)
        # One product serves all means. BLAS would start its threads for it some hundred times.
        sums = np.einsum("bc,mc->bm", weights, totals)
        with np.errstate(invalid="ignore"):
            found[:, part] = (sums[:, ::2] / sums[:, 1::2]).T
        for number, column in enumerate(columns):
            if column.is_median:
                found[number, part] = _medians(column, clusters, weights)
    return list(found)


def _totals(column: Column, clusters: QueryNumbers, num_clusters: int) -> Floats:
    """Sum and number of the column's values in each cluster (2, clusters)."""
    applies = ~np.isnan(column.values)
    owners = clusters[applies]
    sums = np.bincount(owners, column.values[applies], minlength=num_clusters)
    return np.vstack([sums, np.bincount(owners, minlength=num_clusters)])


def _medians(column: Column, clusters: QueryNumbers, weights: Floats) -> Floats:
    applies = np.flatnonzero(~np.isnan(column.values))
    order = applies[np.argsort(column.values[applies], kind="stable")]
    return _weighted_medians(column.values[order], weights[:, clusters[order]])


def _bounds(summaries: Floats) -> Interval:
    tail = 50 * (1 - CONFIDENCE)
    known = summaries[~np.isnan(summaries)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, [tail, 100 - tail])
    return float(low), float(high)


def _drawn(draws: np.random.Generator, count: int, num_clusters: int) -> Floats:
    """How often each cluster was drawn, per resample (count, clusters)."""
    chosen = draws.integers(0, num_clusters, (count, num_clusters))
    chosen += np.arange(count)[:, None] * num_clusters
    counts = np.bincount(chosen.ravel(), minlength=count * num_clusters)
    return counts.reshape(count, num_clusters).astype(np.float64)


def _weighted_medians(values: Floats, weights: Floats) -> Floats:
    """Medians (B,) of ascending values (V,), each repeated as its weights (B, V) say."""
    if not len(values):
        return np.full(len(weights), np.nan)
    totals = np.cumsum(weights, axis=1)
    half = totals[:, -1:] / 2
    # The middle of an even count lies between two values: the one that reaches half of the
    # weight, and the one that goes beyond it.
    lower = np.minimum((totals < half).sum(axis=1), len(values) - 1)
    upper = np.minimum((totals <= half).sum(axis=1), len(values) - 1)
    medians = (values[lower] + values[upper]) / 2
    return np.where(totals[:, -1] > 0, medians, np.nan)


def permutation_p(ours: Column, theirs: Column, clusters: QueryNumbers, seed: int) -> float:
    """Two-sided p of no difference between two systems on the same queries.

    Under the null hypothesis the two systems' results for a cluster may be swapped: scipy flips
    the sign of each cluster at random (all ways of it, where there are few clusters). NaN where
    there is nothing to compare.
    """
    applies = ~(np.isnan(ours.values) | np.isnan(theirs.values))
    if not applies.any():
        return float("nan")
    mine, other = ours.values[applies], theirs.values[applies]
    if np.array_equal(mine, other):
        return 1.0
    _, owners = np.unique(clusters[applies], return_inverse=True)
    if owners.max() == 0:
        return 1.0  # a single cluster gives no evidence of a difference
    result = _scipy_stats().permutation_test(
        (np.ones(owners.max() + 1),),
        _difference_under(mine, other, owners, ours.is_median),
        permutation_type="samples",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        batch=max(1, CELLS_AT_ONCE // len(mine)),
        alternative="two-sided",
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def _difference_under(
    mine: Floats, other: Floats, owners: QueryNumbers, is_median: bool
) -> Callable[..., Floats]:
    """The difference of the two summaries, given a sign per cluster (..., clusters): -1 swaps."""
    if is_median:

        def medians(signs: Floats, axis: int = -1) -> Floats:
            swapped = np.moveaxis(signs, axis, -1)[..., owners] < 0
            first = np.median(np.where(swapped, other, mine), axis=-1)
            return np.asarray(first - np.median(np.where(swapped, mine, other), axis=-1))

        return medians
    differences = np.bincount(owners, mine - other) / len(mine)
    return lambda signs, axis=-1: np.moveaxis(signs, axis, -1) @ differences


def _scipy_stats() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise OeaError("comparing with a baseline needs scipy; pip install 'oea[eval]'") from error
    return stats


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: adjusted p values, in the order given; NaN stays NaN.

    scipy.stats has Benjamini and Hochberg's only.
    """
    p = np.array(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    p[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return [float(value) for value in p]
