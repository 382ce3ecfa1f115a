"""Results for people and for CI: every format is rendered from the same JSON document."""

import math
import re
from collections.abc import Sequence
from io import BytesIO

import orjson

from oea_cli.errors import counted
from oea_cli.evaluation.output.notes import notes
from oea_cli.evaluation.output.results import to_json
from oea_cli.evaluation.setting import Document
from oea_cli.metrics.metrics import Metric, parse_metric
from oea_cli.records.visible import visible

Row = list[str]
GROUP_HEADER = ["dataset", "type", "queries"]
WHOSE = "whose"
"""The column with `ours`, `baseline` or `difference`."""


def formatted(metric: Metric, value: float | None) -> str:
    """A value for people: a fraction in per cent, a rank as it is; empty where there is none."""
    if value is None or math.isnan(value):
        return ""
    return f"{100 * value:.2f}" if metric.definition.is_fraction else f"{value:.1f}"


def with_sign(metric: Metric, value: float | None) -> str:
    """A difference for people, with its sign; empty where there is none."""
    text = formatted(metric, value)
    return text if text.startswith("-") or not text else f"+{text}"


def render(document: Document, format: str) -> bytes:
    """The results in a format: json, table, markdown, junit or mteb."""
    if format == "json":
        return to_json(document)
    writers = {"table": to_table, "markdown": to_markdown, "junit": to_junit, "mteb": to_mteb}
    return writers[format](document).encode()


def headline(document: Document) -> str:
    """What was measured, in one line."""
    counts, protocol = document["counts"], document["protocol"]
    parts = [protocol["task"], counted(counts["queries"], "query")]
    if "corpus" in counts:
        parts.append(counted(counts["corpus"], protocol["candidates"].rstrip("s")))
    if document["encoder"]:
        parts.append(document["encoder"])
    return ", ".join(parts)


def metric_rows(document: Document) -> list[Row]:
    """A header and a row per metric: value, interval and, with a baseline, the comparison."""
    baseline = document.get("baseline", {}).get("metrics", {})
    rows = [["metric", "%", "95 % interval", *(BASELINE_HEADER if baseline else [])]]
    for name, value in document["metrics"].items():
        metric = parse_metric(name)
        low, high = document["intervals"][name]
        row = [metric.label, formatted(metric, value)]
        row.append(f"{formatted(metric, low)} to {formatted(metric, high)}")
        rows.append(row + (_compared(metric, baseline[name]) if baseline else []))
    return rows


BASELINE_HEADER = ["baseline", "difference", "95 % interval", "p (Holm)"]


def _compared(metric: Metric, comparison: Document) -> Row:
    low, high = comparison["interval"]
    return [
        formatted(metric, comparison["baseline"]),
        with_sign(metric, comparison["difference"]),
        f"{formatted(metric, low)} to {formatted(metric, high)}",
        f"{comparison['p_holm']:.3g}",
    ]


def group_rows(document: Document) -> list[Row]:
    """A header and a row per data set and type of query, then the means; with a baseline, its row
    and the differences below each. Empty where there are no groups."""
    if not document["groups"]:
        return []
    metrics = [parse_metric(name) for name in document["metrics"]]
    rows = [[*GROUP_HEADER, WHOSE, *(metric.label for metric in metrics)]]
    for group in document["groups"]:
        theirs = group.get("baseline", {})
        labels = [group["dataset"] or "", group["type"] or ""]
        counts = str(group["queries"]), str(theirs.get("queries", ""))
        figures = group["metrics"], theirs.get("metrics"), group.get("difference")
        rows += _beside(labels, counts, metrics, figures)
    if over := document["means"].get("datasets"):
        theirs, difference = (
            document["means"].get(which, {}).get("datasets") for which in ("baseline", "difference")
        )
        rows += _beside(["mean", ""], ("", ""), metrics, (over, theirs, difference))
    empty = {
        number
        for number, name in enumerate(rows[0])
        if name in ("dataset", WHOSE) and not any(row[number] for row in rows[1:])
    }
    return [[cell for number, cell in enumerate(row) if number not in empty] for row in rows]


Figures = dict[str, float | None]


def _beside(
    labels: Row,
    counts: tuple[str, str],
    metrics: Sequence[Metric],
    figures: tuple[Figures, Figures | None, Figures | None],
) -> list[Row]:
    """Our row; with a baseline, its row and the differences, which have no labels."""
    ours, theirs, differences = figures
    if theirs is None or differences is None:
        return [[*labels, counts[0], "", *(formatted(m, ours[str(m)]) for m in metrics)]]
    return [
        [*labels, counts[0], "ours", *(formatted(m, ours[str(m)]) for m in metrics)],
        ["", "", counts[1], "baseline", *(formatted(m, theirs[str(m)]) for m in metrics)],
        ["", "", "", "difference", *(with_sign(m, differences[str(m)]) for m in metrics)],
    ]


def to_table(document: Document) -> str:
    """Aligned columns for a terminal."""
    blocks = [[visible(headline(document))], aligned(metric_rows(document))]
    if rows := group_rows(document):
        blocks.append(aligned(rows))
    if lines := notes(document):
        blocks.append([visible(line) for line in lines])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def aligned(rows: list[Row]) -> list[str]:
    """Lines with the cells of each column under each other, numbers to the right."""
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    is_text = [
        not any(cell.lstrip("+-")[:1].isdigit() for cell in column)
        for column in zip(*rows, strict=True)
    ]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(row, widths, is_text, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def to_markdown(document: Document) -> str:
    """A summary for a pull request or a job's page."""
    parts = [f"### Retrieval: {escaped(headline(document))}"]
    if gates := document.get("gates"):
        word = "met" if document["passed"] else "NOT met"
        lines = [
            f"- {'✅' if gate['passed'] else '❌'} {escaped(gate['verdict'])}" for gate in gates
        ]
        parts.append("\n".join([f"**Gates {word}**", "", *lines]))
    parts.append(markdown_table(metric_rows(document)))
    if rows := group_rows(document):
        parts.append(markdown_table(rows))
    parts += [escaped(note) for note in notes(document)]
    return "\n\n".join(parts) + "\n"


def markdown_table(rows: list[Row]) -> str:
    """A table in Markdown; the first row is its header."""
    lines = ["| " + " | ".join(map(escaped, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    line = visible(" ".join(text.split()))
    return re.sub(r"[\\|<>*_`\[\]&]", r"\\\g<0>", line)


def to_junit(document: Document) -> str:
    """A test suite: a test case per gate, failed where the gate is not met; a property per
    metric."""
    # Imported here, so that the other formats need not wait for it.
    from junitparser import Failure, JUnitXml, TestCase, TestSuite

    suite = TestSuite("oea eval")
    for name, value in document["metrics"].items():
        suite.add_property(name, repr(value))
    if leaks := document.get("leaks"):
        for kind, number in leaks["counts"].items():
            suite.add_property(f"leaks {kind}", str(number))
        blacklisted = {pair["training"] for pair in leaks["blacklisted"]}
        suite.add_property("leaks blacklist", str(len(blacklisted)))
    for gate in document.get("gates", []):
        case = TestCase(visible(gate["gate"]), classname="oea eval")
        case.result = [] if gate["passed"] else [Failure(visible(gate["verdict"]))]
        suite.add_testcase(case)
    suites = JUnitXml()
    suites.add_testsuite(suite)
    suites.update_statistics()
    written = BytesIO()
    suites.write(written, pretty=True)
    return written.getvalue().decode()


MTEB_NAMES = {"r": "recall", "p": "precision", "success": "hit_rate"}


MTEB_MAIN = ("success@5", "ndcg@10")
"""What MTEB's own tasks have as their main score: those of captions of sounds, and all others."""


def to_mteb(document: Document) -> str:
    """A task result in MTEB's layout: `ndcg_at_10`, `recall_at_5`, our own metrics likewise."""
    scores = {_mteb_key(name): value for name, value in document["metrics"].items()}
    main = scores[_mteb_key(_main_metric(list(document["metrics"])))]
    entry = {**scores, "main_score": main, "hf_subset": "default", "languages": ["eng-Latn"]}
    result = {
        "dataset_revision": document["judgments_sha256"][:40],
        "task_name": document["dataset"] or document["protocol"]["task"],
        "mteb_version": None,
        "scores": {"test": [entry]},
        "evaluation_time": None,
        "kg_co2_emissions": None,
    }
    return orjson.dumps(result, option=orjson.OPT_INDENT_2).decode() + "\n"


def _mteb_key(name: str) -> str:
    stem, at, k = name.partition("@")
    return f"{MTEB_NAMES.get(stem, stem.replace('-', '_'))}{'_at_' if at else ''}{k}"


def _main_metric(names: Sequence[str]) -> str:
    """MTEB's main metric where it was measured, else the first that rises from 0 to 1."""
    rising = [name for name in names if not parse_metric(name).definition.lower_is_better]
    return next((name for name in (*MTEB_MAIN, *rising) if name in names), names[0])
