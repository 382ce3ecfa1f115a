"""The metrics per data set and type of query, and means over them, with a baseline's beside."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from oea_cli.metrics.comparison import Paired
from oea_cli.metrics.metrics import Metric, parse_metric, summary
from oea_cli.metrics.outcomes import Outcomes, QueryNumbers
from oea_cli.metrics.uiq_summary import average_uiq, mean_of_all

Document = dict[str, Any]
Kind = tuple[str | None, str | None]
"""A data set and a type of query."""


def groups(
    outcomes: Outcomes, metrics: Sequence[Metric], pair: Paired | None = None
) -> list[Document]:
    """The metrics of each kind of query; none where all queries are of one kind.

    With a baseline, its metrics and the differences, over the queries of the kind that both have.
    """
    rows = _rows_by(_kinds(outcomes))
    if len(rows) < 2:
        return []
    common = {} if pair is None else _rows_by(_kinds(pair.ours))
    found = []
    for (dataset, type), own in rows.items():
        group: Document = {
            "dataset": dataset,
            "type": type,
            "queries": len(own),
            "metrics": _values(metrics, outcomes.chosen(own)),
        }
        if pair is not None:
            group |= _beside(metrics, pair.chosen(common.get((dataset, type), own[:0])))
        found.append(group)
    return found


def _kinds(outcomes: Outcomes) -> list[Kind]:
    return list(zip(outcomes.datasets, outcomes.types, strict=True))


def _rows_by(labels: Sequence[Any]) -> dict[Any, QueryNumbers]:
    """The rows that have each label, in order of appearance."""
    found: dict[Any, list[int]] = {}
    for row, label in enumerate(labels):
        found.setdefault(label, []).append(row)
    return {label: np.array(rows, np.int64) for label, rows in found.items()}


def _values(metrics: Sequence[Metric], outcomes: Outcomes) -> Document:
    """Each metric over these queries; None where it applies to none of them."""
    return {str(metric): _known(summary(metric, metric.values(outcomes))) for metric in metrics}


def _beside(metrics: Sequence[Metric], pair: Paired) -> Document:
    both = {str(metric): pair.summaries(metric) for metric in metrics}
    return {
        "baseline": {
            "queries": len(pair.ours),
            "metrics": {name: _known(other) for name, (_, other) in both.items()},
        },
        "difference": {name: _known(mine - other) for name, (mine, other) in both.items()},
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def means(
    outcomes: Outcomes,
    metrics: Sequence[Metric],
    pair: Paired | None = None,
    *,
    uiq_types: Mapping[str, str],
) -> Document:
    """Unweighted means over data sets (paper, tables 4, 11, 17), and Avg UIQ where it applies.

    `uiq_types` are the types of queries that Avg UIQ is a mean over, by each of their names.

    With a baseline, the same of it and the differences, over the queries that both have.
    """
    found = _means(outcomes, metrics, uiq_types)
    if pair is not None and found:
        mine, theirs = (_means(each, metrics, uiq_types) for each in (pair.ours, pair.theirs))
        found |= {"baseline": theirs, "difference": _less(mine, theirs)}
    return found


def _means(outcomes: Outcomes, metrics: Sequence[Metric], uiq_types: Mapping[str, str]) -> Document:
    found: Document = {}
    if len(set(outcomes.datasets)) > 1 and None not in outcomes.datasets:
        parts = [
            _values(metrics, outcomes.chosen(rows)) for rows in _rows_by(outcomes.datasets).values()
        ]
        found["datasets"] = {str(m): mean_of_all(part[str(m)] for part in parts) for m in metrics}
    average = _average_uiq(outcomes, uiq_types)
    return found if average is None else {**found, "avg_uiq": average}


def _average_uiq(outcomes: Outcomes, types: Mapping[str, str]) -> float | None:
    """The mean of the five types' R@5, each an unweighted mean over data sets (paper, table 4)."""
    if not any(outcomes.types):
        return None
    values = parse_metric("r@5").values(outcomes).tolist()
    labels = zip(outcomes.datasets, outcomes.types, values, strict=True)
    scores = ((dataset or "", kind or "", value) for dataset, kind, value in labels)
    return average_uiq(scores, types)


def _less(mine: Document, theirs: Document) -> Document:
    """The differences of two sets of means; None where either lacks a figure."""
    found: Document = {}
    for name, value in mine.items():
        other = theirs.get(name)
        if isinstance(value, dict):
            found[name] = _less(value, other or {})
        else:
            found[name] = None if value is None or other is None else value - other
    return found
