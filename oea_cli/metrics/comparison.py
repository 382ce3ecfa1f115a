"""Our outcomes against another system's, over the queries that both have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from oea_cli.errors import OeaError
from oea_cli.metrics.metrics import Metric, summary
from oea_cli.metrics.outcomes import Outcomes, QueryNumbers
from oea_cli.metrics.significance import (
    PERMUTATIONS,
    Column,
    bootstrap_difference,
    holm,
    permutation_p,
)


@dataclass(frozen=True)
class MetricComparison:
    """A metric against the baseline, over the queries that both have.

    `difference` is ours less the baseline's, `p` two-sided, `p_holm` corrected for all metrics.
    """

    value: float
    baseline: float
    difference: float
    interval: tuple[float, float]
    p: float
    p_holm: float
    queries: int


@dataclass(frozen=True)
class Paired:
    """The outcomes of two systems, query by query; types and datasets are ours."""

    ours: Outcomes
    theirs: Outcomes
    name: str

    def chosen(self, rows: QueryNumbers) -> "Paired":
        """The same for these queries."""
        return Paired(self.ours.chosen(rows), self.theirs.chosen(rows), self.name)

    def columns(self, metric: Metric) -> tuple[Column, Column]:
        """The metric's values of both (Q,), NaN where it does not apply to both."""
        is_median = metric.definition.is_median
        mine, other = metric.values(self.ours), metric.values(self.theirs)
        both = ~(np.isnan(mine) | np.isnan(other))
        return (
            Column(np.where(both, mine, np.nan), is_median),
            Column(np.where(both, other, np.nan), is_median),
        )

    def summaries(self, metric: Metric) -> tuple[float, float]:
        """The metric of both over the queries it applies to in both; NaN where there are none."""
        mine, other = self.columns(metric)
        return summary(metric, mine.values), summary(metric, other.values)


def paired(ours: Outcomes, theirs: Outcomes, name: str) -> Paired:
    """Pair queries by their ids; raises OeaError where there are none in common."""
    theirs_by_id = {id_: row for row, id_ in enumerate(theirs.ids)}
    rows = [row for row, id_ in enumerate(ours.ids) if id_ in theirs_by_id]
    if not rows:
        raise OeaError(f"{name}: holds none of the evaluated queries")
    mine = ours.chosen(np.array(rows))
    other = theirs.chosen(np.array([theirs_by_id[id_] for id_ in mine.ids]))
    return Paired(mine, replace(other, types=mine.types, datasets=mine.datasets), name)


def compare(pair: Paired, metrics: Sequence[Metric], seed: int) -> dict[Metric, MetricComparison]:
    """Test each metric against the other system's.

    Differences are ours less theirs, with 95 % bootstrap intervals; p values are those of a paired
    permutation test, clustered by clip and Holm-corrected over these metrics. Raises OeaError for
    a metric that applies to no query of both.
    """
    columns = {metric: pair.columns(metric) for metric in metrics}
    for metric, (mine, _) in columns.items():
        if np.isnan(mine.values).all():
            raise OeaError(f"{pair.name}: {metric} applies to no query that both have")
    clusters = pair.ours.clusters
    p_values = [permutation_p(*both, clusters, seed) for both in columns.values()]
    found = {}
    for (metric, both), p, corrected in zip(columns.items(), p_values, holm(p_values), strict=True):
        value, baseline = (summary(metric, column.values) for column in both)
        interval = bootstrap_difference(*both, clusters, seed)
        num_queries = int((~np.isnan(both[0].values)).sum())
        found[metric] = MetricComparison(
            value, baseline, value - baseline, interval, p, corrected, num_queries
        )
    return found


def comparison_document(
    comparisons: dict[Metric, MetricComparison], name: str, seed: int
) -> dict[str, Any]:
    """The comparison as a part of the results document."""
    return {
        "name": name,
        "test": {
            "method": "paired permutation over target clips, two-sided",
            "permutations": PERMUTATIONS,
            "correction": "Holm over the metrics",
            "seed": seed,
        },
        "metrics": {
            str(metric): {
                "value": found.value,
                "baseline": found.baseline,
                "difference": found.difference,
                "interval": list(found.interval),
                "p": found.p,
                "p_holm": found.p_holm,
                "queries": found.queries,
            }
            for metric, found in comparisons.items()
        },
    }
