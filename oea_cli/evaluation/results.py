"""The one JSON of an evaluation, which table, Markdown, JUnit and all else are rendered from."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from oea_cli import __version__
from oea_cli.errors import OeaError
from oea_cli.evaluation.evidence import Evidence
from oea_cli.evaluation.gates import Comparison, Verdict
from oea_cli.evaluation.metrics import (
    Metric,
    check_applies,
    default_metrics,
    parse_metric,
    summary,
)
from oea_cli.evaluation.outcomes import Codes, Outcomes, from_columns
from oea_cli.evaluation.significance import (
    CONFIDENCE,
    PERMUTATIONS,
    RESAMPLES,
    Column,
    bootstrap_difference,
    bootstrap_intervals,
    holm,
    permutation_p,
)

FORMAT = "oea-results/1"
Document = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """How the outcomes came about: counts, the protocol, what made the vectors, and where the
    records of queries and clips can be had."""

    protocol: Document
    counts: Document = field(default_factory=dict)
    encoder: str | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Measured:
    """Outcomes and the metrics asked for, as values over all queries."""

    outcomes: Outcomes
    metrics: list[Metric]
    values: dict[Metric, float]


def measure(outcomes: Outcomes, metrics: Sequence[Metric]) -> Measured:
    """Compute metrics, by default those the outcomes have an answer to.

    Raises OeaError for a metric that was asked for and applies to no query.
    """
    if not len(outcomes):
        raise OeaError("no query has a relevant clip, so there is nothing to measure")
    chosen = list(metrics) or default_metrics(outcomes)
    values = {}
    for metric in chosen:
        per_query = metric.values(outcomes)
        check_applies(metric, per_query)
        values[metric] = summary(metric, per_query)
    return Measured(outcomes, chosen, values)


def compare(
    measured: Measured, baseline: Outcomes, where: str, seed: int
) -> dict[Metric, Comparison]:
    """Test each metric against another system's outcomes, over the queries that both have.

    Differences are ours less theirs, with 95 % bootstrap intervals; p values are those of a paired
    permutation test, clustered by clip and Holm-corrected over these metrics.
    """
    theirs_by_id = {id_: row for row, id_ in enumerate(baseline.ids)}
    rows = [row for row, id_ in enumerate(measured.outcomes.ids) if id_ in theirs_by_id]
    if not rows:
        raise OeaError(f"{where}: holds none of the queries that are evaluated here")
    ours = measured.outcomes.chosen(np.array(rows))
    theirs = baseline.chosen(np.array([theirs_by_id[id_] for id_ in ours.ids]))
    pairs = {metric: _pair(metric, ours, theirs, where) for metric in measured.metrics}
    p_values = [permutation_p(*pair, ours.clusters, seed) for pair in pairs.values()]
    return {
        metric: _comparison(metric, pair, ours.clusters, seed, p, corrected)
        for (metric, pair), p, corrected in zip(
            pairs.items(), p_values, holm(p_values), strict=True
        )
    }


def _pair(metric: Metric, ours: Outcomes, theirs: Outcomes, where: str) -> tuple[Column, Column]:
    is_median = metric.definition.is_median
    mine, other = metric.values(ours), metric.values(theirs)
    both = ~(np.isnan(mine) | np.isnan(other))
    if not both.any():
        raise OeaError(f"{where}: {metric} applies to no query that both have")
    return (
        Column(np.where(both, mine, np.nan), is_median),
        Column(np.where(both, other, np.nan), is_median),
    )


def _comparison(
    metric: Metric,
    pair: tuple[Column, Column],
    clusters: Codes,
    seed: int,
    p: float,
    corrected: float,
) -> Comparison:
    mine, other = (summary(metric, column.values) for column in pair)
    interval = bootstrap_difference(*pair, clusters, seed)
    num_queries = int((~np.isnan(pair[0].values)).sum())
    return Comparison(mine, other, mine - other, interval, p, corrected, num_queries)


def document_of(
    measured: Measured,
    setting: Setting,
    seed: int,
    comparisons: dict[Metric, Comparison] | None = None,
    baseline: str | None = None,
    verdicts: Sequence[Verdict] = (),
) -> Document:
    """Put everything that is known about an evaluation into one JSON-ready object."""
    outcomes = measured.outcomes
    document: Document = {
        "format": FORMAT,
        "oea_version": __version__,
        "metrics": {str(metric): value for metric, value in measured.values.items()},
        "intervals": _intervals(measured, seed),
        "counts": {"queries": len(outcomes), **setting.counts, **_counts(outcomes)},
        "protocol": {**setting.protocol, "intervals": _method(seed)},
        "encoder": setting.encoder,
        "judgments_sha256": judgments_sha256(outcomes),
        "groups": groups(measured),
        "means": means(measured),
    }
    if comparisons:
        document["baseline"] = _baseline(comparisons, baseline, seed)
    if verdicts:
        document["gates"] = [_gate(verdict) for verdict in verdicts]
        document["passed"] = all(verdict.passed for verdict in verdicts)
    document["per_query"] = outcomes.columns()
    return document


def _intervals(measured: Measured, seed: int) -> Document:
    columns = [
        Column(metric.values(measured.outcomes), metric.definition.is_median)
        for metric in measured.metrics
    ]
    found = bootstrap_intervals(columns, measured.outcomes.clusters, seed)
    return {
        str(metric): list(bounds) for metric, bounds in zip(measured.metrics, found, strict=True)
    }


def _method(seed: int) -> Document:
    return {
        "confidence": CONFIDENCE,
        "method": "percentile bootstrap over target clips",
        "resamples": RESAMPLES,
        "seed": seed,
    }


def _counts(outcomes: Outcomes) -> Document:
    return {
        "clusters": len(np.unique(outcomes.clusters)),
        "hard_negatives": int(outcomes.has_hard_negative.sum()),
        "targets_not_found": int(np.isinf(outcomes.target_ranks).sum()),
    }


def judgments_sha256(outcomes: Outcomes) -> str:
    """A fingerprint of what was asked: ids, relevant clips, grades and hard negatives."""
    rows = zip(
        outcomes.ids, outcomes.targets, outcomes.grades, outcomes.hard_negatives, strict=True
    )
    digest = hashlib.sha256()
    for id_, targets, grades, negative in rows:
        relevant = sorted(zip(targets, grades, strict=True))
        digest.update(orjson.dumps([id_, relevant, negative]))
    return digest.hexdigest()


def _baseline(comparisons: dict[Metric, Comparison], name: str | None, seed: int) -> Document:
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


def _gate(verdict: Verdict) -> Document:
    return {
        "gate": str(verdict.gate),
        "kind": verdict.gate.kind,
        "metric": str(verdict.gate.metric),
        "limit": verdict.gate.limit,
        "value": verdict.value,
        "passed": verdict.passed,
        "verdict": str(verdict),
    }


def groups(measured: Measured) -> list[Document]:
    """The metrics per data set and type of query; none where all queries are of one kind."""
    outcomes = measured.outcomes
    keys = list(zip(outcomes.datasets, outcomes.types, strict=True))
    if len(set(keys)) < 2:
        return []
    found: dict[tuple[str | None, str | None], list[int]] = {}
    for row, key in enumerate(keys):
        found.setdefault(key, []).append(row)
    return [
        {
            "dataset": dataset,
            "type": kind,
            "queries": len(rows),
            "metrics": _values(measured.metrics, outcomes.chosen(np.array(rows))),
        }
        for (dataset, kind), rows in found.items()
    ]


def _values(metrics: Sequence[Metric], outcomes: Outcomes) -> Document:
    """Each metric over these queries; None where it applies to none of them."""
    values = {str(metric): summary(metric, metric.values(outcomes)) for metric in metrics}
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def means(measured: Measured) -> Document:
    """Unweighted means over data sets (paper, tables 4, 11, 17), and Avg UIQ where it applies."""
    outcomes = measured.outcomes
    datasets = sorted({name for name in outcomes.datasets if name is not None})
    found: Document = {}
    if len(datasets) > 1 and None not in outcomes.datasets:
        found["datasets"] = _mean_over(datasets, outcomes.datasets, measured.metrics, outcomes)
    average = _average_uiq(outcomes)
    if average is not None:
        found["avg_uiq"] = average
    return found


def _mean_over(
    names: Sequence[str], labels: Sequence[str | None], metrics: Sequence[Metric], of: Outcomes
) -> Document:
    from oea_cli.evaluation.uiq_summary import mean_of_all

    parts = [_values(metrics, of.chosen(_rows(labels, name))) for name in names]
    return {str(metric): mean_of_all(part[str(metric)] for part in parts) for metric in metrics}


def _rows(labels: Sequence[str | None], name: str | None) -> Codes:
    return np.array([row for row, label in enumerate(labels) if label == name], np.int64)


def _average_uiq(outcomes: Outcomes) -> float | None:
    """The mean of the five types' R@5, each an unweighted mean over data sets (paper, table 4)."""
    if not any(outcomes.types):
        return None
    from oea_cli.evaluation.uiq_summary import average_uiq

    values = parse_metric("r@5").values(outcomes).tolist()
    labels = zip(outcomes.datasets, outcomes.types, values, strict=True)
    return average_uiq((dataset or "", kind or "", value) for dataset, kind, value in labels)


def read_results(content: bytes, where: str) -> Outcomes | None:
    """The outcomes in a results JSON; None for content that is something else (a run)."""
    if content.lstrip()[:1] != b"{":
        return None
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if "query_id" in document:
        return None  # a run of a single hit
    if document.get("format") != FORMAT:
        raise OeaError(f"{where}: neither results of `oea eval -f json` nor a run")
    return from_columns(document.get("per_query", {}), where)


def to_json(document: Document) -> bytes:
    """The document as JSON, its per-query table last, each column on one line."""
    head = {key: value for key, value in document.items() if key != "per_query"}
    text = orjson.dumps(head, option=orjson.OPT_INDENT_2)[:-2]
    columns = [
        b"    " + orjson.dumps(name) + b": " + orjson.dumps(column)
        for name, column in document["per_query"].items()
    ]
    return text + b',\n  "per_query": {\n' + b",\n".join(columns) + b"\n  }\n}\n"
