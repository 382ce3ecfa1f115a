"""The JSON document of an evaluation, from which every other format is rendered."""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from oea_cli import __version__
from oea_cli.clips.query_types import TYPE_OF
from oea_cli.errors import OeaError
from oea_cli.evaluation.scoring.gates import Verdict
from oea_cli.evaluation.setting import Document, Setting
from oea_cli.metrics.comparison import MetricComparison, Paired, comparison_document
from oea_cli.metrics.groups import groups, means
from oea_cli.metrics.metrics import Metric, check_applies, default_metrics, summary
from oea_cli.metrics.outcomes import Outcomes, from_columns
from oea_cli.metrics.significance import CONFIDENCE, RESAMPLES, Column, bootstrap_intervals
from oea_cli.records.format_versions import check_format, format_mark

FORMAT = "oea-results"


@dataclass(frozen=True)
class Measured:
    """Outcomes, and the metrics with their values over all queries."""

    outcomes: Outcomes
    metrics: list[Metric]
    values: dict[Metric, float]


def measure(outcomes: Outcomes, metrics: Sequence[Metric]) -> Measured:
    """Compute `metrics`, by default those that apply to the outcomes.

    Raises OeaError for a metric that applies to no query.
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


def document_of(
    measured: Measured,
    setting: Setting,
    seed: int,
    pair: Paired | None = None,
    comparisons: dict[Metric, MetricComparison] | None = None,
    verdicts: Sequence[Verdict] = (),
) -> Document:
    """Everything that is known about an evaluation, as one object that can be written as JSON."""
    outcomes, metrics = measured.outcomes, measured.metrics
    document: Document = {
        "format": format_mark(FORMAT),
        "metrics": {str(metric): value for metric, value in measured.values.items()},
        "intervals": _intervals(measured, seed),
        "counts": {"queries": len(outcomes), **setting.counts, **_counts(outcomes)},
        "protocol": {**setting.protocol, "intervals": _method(seed)},
        "encoder": setting.encoder,
        "dataset": setting.dataset,
        "judgments_sha256": judgments_sha256(outcomes),
        "versions": versions(),
        "groups": groups(outcomes, metrics, pair),
        "means": means(outcomes, metrics, pair, uiq_types=TYPE_OF),
    }
    if pair is not None and comparisons:
        document["baseline"] = comparison_document(comparisons, pair.name, seed)
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
    counts = {
        "clusters": len(set(outcomes.clusters.tolist())),  # np.unique would import numpy.ma
        "hard_negatives": int(outcomes.has_hard_negative.sum()),
        "targets_not_found": int(np.isinf(outcomes.target_ranks).sum()),
        "targets_tied": outcomes.num_tied,
    }
    if outcomes.num_contradicted:
        counts["ranks_contradicted"] = outcomes.num_contradicted
    return counts


LIBRARIES = ("numpy", "scipy", "onnxruntime", "torch", "transformers")


def versions() -> dict[str, str]:
    """The versions of what computed the figures: oea, Python, and the libraries that are loaded.

    Nothing is imported for this: importlib.metadata alone takes 40 ms of processor time.
    """
    python = ".".join(map(str, sys.version_info[:3]))
    loaded = {name: sys.modules[name] for name in LIBRARIES if name in sys.modules}
    libraries = {name: str(module.__version__) for name, module in loaded.items()}
    return {"oea": __version__, "python": python, **libraries}


def judgments_sha256(outcomes: Outcomes) -> str:
    """A fingerprint of the judgments: query ids, relevant clips, grades and hard negatives."""
    rows = zip(
        outcomes.ids, outcomes.targets, outcomes.grades, outcomes.hard_negatives, strict=True
    )
    digest = hashlib.sha256()
    for id_, targets, grades, negative in rows:
        relevant = sorted(zip(targets, grades, strict=True))
        digest.update(orjson.dumps([id_, relevant, negative]))
    return digest.hexdigest()


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


def read_results(content: bytes, where: str) -> Outcomes | None:
    """The outcomes in a results JSON; None for any other content (a run)."""
    if content.lstrip()[:1] != b"{":
        return None
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if "query_id" in document:
        return None  # a run of a single hit
    if not str(document.get("format")).startswith(f"{FORMAT}/"):
        raise OeaError(
            f"{where}: neither results of `oea eval -f json` nor a run; give one of them"
        )
    check_format(document, FORMAT, where)
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
