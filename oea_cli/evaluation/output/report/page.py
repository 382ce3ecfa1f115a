"""The report: one HTML file that holds everything but the sounds, which it links to.

It opens from disk and loads nothing from a network. Every figure comes from the results document;
the page adds the intervals per type of query, and the texts and sounds of the worst hard negatives.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.errors import OeaError
from oea_cli.evaluation.output import rendering
from oea_cli.evaluation.output.notes import notes
from oea_cli.evaluation.output.report import figures
from oea_cli.evaluation.output.report.examples import examples_of, signed
from oea_cli.evaluation.setting import Document, RecordLookup
from oea_cli.metrics.metrics import Metric, parse_metric
from oea_cli.metrics.outcomes import Outcomes, from_columns
from oea_cli.metrics.significance import Column, Interval, bootstrap_intervals

PAGE = Path(__file__).parent
CLEAR = 0.05
"""A difference whose corrected p is under this is called better or worse."""


def check_installed() -> None:
    """Raise OeaError where Jinja2, of the extra `[report]`, is missing."""
    _jinja()


def _jinja() -> Any:
    try:
        return import_module("jinja2")
    except ImportError as error:
        raise OeaError("--report needs Jinja2; pip install 'oea[report]'") from error


def to_report(document: Document, records: RecordLookup, folder: Path) -> bytes:
    """Render results as a page that will lie in `folder`.

    The same results, records and sounds give the same bytes. Raises OeaError where Jinja2 is
    missing.
    """
    outcomes = from_columns(document["per_query"], "the results")
    metrics = [parse_metric(name) for name in document["metrics"]]
    style, script = ((PAGE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    page = _template().render(
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        headline=rendering.headline(document),
        notes=[_MINUS.sub("−", note) for note in notes(document)],
        num_queries=document["counts"]["queries"],
        baseline=document.get("baseline"),
        gates=document.get("gates", []),
        passed=document.get("passed", True),
        metrics=[_metric_row(metric, document) for metric in metrics],
        groups=_group_rows(document),
        panels=_panels(metrics, document, outcomes),
        deltas=_deltas(outcomes),
        examples=examples_of(outcomes, records, folder),
        num_hard_negatives=int(outcomes.has_hard_negative.sum()),
        facts=_facts(document),
    )
    # A file name that is not UTF-8 becomes lone surrogates in texts, which cannot be written.
    return str(page).encode("utf-8", "replace")


def _template() -> Any:
    jinja = _jinja()
    environment = jinja.Environment(
        autoescape=True, undefined=jinja.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((PAGE / "page.html").read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    """The text's hash in the form that a content security policy uses."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _metric_row(metric: Metric, document: Document) -> dict[str, Any]:
    """A metric's cells as text, with its unit, and a drawing of it."""
    name = str(metric)
    value, interval = document["metrics"][name], document["intervals"][name]
    compared = document.get("baseline", {}).get("metrics", {}).get(name)
    is_fraction = metric.definition.is_fraction
    theirs = compared["baseline"] if compared else None
    return {
        "label": metric.label,
        "meaning": metric.definition.description,
        "value": _with_unit(metric, value),
        "interval": _range(metric, interval),
        "drawing": figures.strip(value, _known(interval), theirs) if is_fraction else "",
        "compared": _comparison(metric, compared) if compared else None,
    }


_MINUS = re.compile(r"(?<![^ (])-(?=[0-9])")
"""A hyphen that stands for a minus: before a number, and not within a word."""


def _group_rows(document: Document) -> list[list[str]]:
    """The rows per type, their negative numbers with a real minus; names stay as they are."""
    rows = rendering.group_rows(document)
    names = [cell in ("dataset", "type") for cell in rows[0]] if rows else []
    return [
        [
            cell if is_name else _MINUS.sub("−", cell)
            for cell, is_name in zip(row, names, strict=True)
        ]
        for row in rows
    ]


def _comparison(metric: Metric, compared: Document) -> dict[str, str]:
    difference = rendering.formatted(metric, compared["difference"])
    sign = "" if difference.startswith("-") else "+"
    points = " points" if metric.definition.is_fraction else ""
    return {
        "baseline": _with_unit(metric, compared["baseline"]),
        "difference": f"{sign}{difference}{points}".replace("-", "−"),
        "interval": _range(metric, compared["interval"]),
        "p": f"{compared['p_holm']:.3g}",
        "verdict": _verdict(metric, compared),
    }


def _verdict(metric: Metric, compared: Document) -> str:
    if not compared["p_holm"] < CLEAR or not compared["difference"]:
        return "not clear"
    grew = compared["difference"] > 0
    return "better" if grew != metric.definition.lower_is_better else "worse"


def _with_unit(metric: Metric, value: float | None) -> str:
    text = rendering.formatted(metric, value)
    return f"{text} %" if text and metric.definition.is_fraction else text.replace("-", "−")


def _range(metric: Metric, interval: Sequence[float | None]) -> str:
    low, high = (rendering.formatted(metric, bound) for bound in interval)
    return f"{low} to {high}".replace("-", "−") if low and high else ""


def _known(interval: Sequence[float | None]) -> Interval:
    low, high = (float("nan") if bound is None else bound for bound in interval)
    return low, high


def _panels(
    metrics: Sequence[Metric], document: Document, outcomes: Outcomes
) -> list[dict[str, str]]:
    """A chart for each metric that applies to at least two kinds of queries."""
    parts = [_of_group(outcomes, group) for group in document["groups"]]
    seed = document["protocol"]["intervals"]["seed"]
    drawn = [metric for metric in metrics if metric.definition.is_fraction]
    intervals = [_intervals(drawn, part, seed) for part in parts]
    panels = []
    for number, metric in enumerate(drawn):
        rows = [
            figures.Bar(
                _kind(group),
                group["metrics"][str(metric)],
                bounds[number],
                group.get("baseline", {}).get("metrics", {}).get(str(metric)),
            )
            for group, bounds in zip(document["groups"], intervals, strict=True)
            if group["metrics"][str(metric)] is not None
        ]
        if len(rows) > 1:
            panels.append({"label": metric.label, "drawing": figures.bars(rows, metric.label)})
    return panels


def _of_group(outcomes: Outcomes, group: Document) -> Outcomes:
    labels = zip(outcomes.datasets, outcomes.types, strict=True)
    own = [row for row, label in enumerate(labels) if label == (group["dataset"], group["type"])]
    return outcomes.chosen(np.array(own, np.int64))


def _intervals(metrics: Sequence[Metric], outcomes: Outcomes, seed: int) -> list[Interval]:
    # Clusters get new numbers: one without a query of this kind must not be drawn.
    _, clusters = np.unique(outcomes.clusters, return_inverse=True)
    columns = [Column(metric.values(outcomes), metric.definition.is_median) for metric in metrics]
    return bootstrap_intervals(columns, clusters, seed)


def _kind(group: Document) -> str:
    names = [name for name in (group["dataset"], group["type"]) if name]
    return f"{', '.join(names) or 'no type'} ({group['queries']:,})"


def _deltas(outcomes: Outcomes) -> dict[str, Any] | None:
    """The distribution of Rank(HN) - Rank(T); None where there is no hard negative."""
    has = outcomes.has_hard_negative
    if not has.any():
        return None
    negatives = outcomes.found_ranks(outcomes.hard_negative_ranks)[has]
    deltas = (negatives - outcomes.found_ranks(outcomes.target_ranks)[has]).astype(int)
    bins = figures.bins_of(deltas.tolist())
    return {
        "drawing": figures.histogram(bins),
        "bins": bins,
        "below": int((deltas < 0).sum()),
        "zero": int((deltas == 0).sum()),
        "above": int((deltas > 0).sum()),
        "lowest": signed(int(deltas.min())),
        "median": f"{float(np.median(deltas)):+.1f}".replace("-", "−"),
        "highest": signed(int(deltas.max())),
    }


def _facts(document: Document) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a reader needs in order to repeat this, under headings."""
    about = {
        "encoder": document["encoder"] or "not named",
        "judgments (SHA-256)": document["judgments_sha256"],
        **document["versions"],
        "format": document["format"],
    }
    sections = {
        "Protocol": document["protocol"],
        "Counts": document["counts"],
        "Encoder, data, versions": about,
    }
    if baseline := document.get("baseline"):
        sections["Baseline"] = {"file": baseline["name"], **baseline["test"]}
    return [(heading, _pairs(values)) for heading, values in sections.items()]


def _pairs(values: Document) -> list[tuple[str, str]]:
    return [
        (key.replace("_", " "), _as_text(value))
        for key, value in values.items()
        if value is not None
    ]


def _as_text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_as_text(one)}" for key, one in value.items())
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
