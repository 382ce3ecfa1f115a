"""Gates: limits that metrics must keep, and a verdict on each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from oea_cli.errors import UsageError
from oea_cli.metrics.comparison import MetricComparison
from oea_cli.metrics.metrics import Metric, parse_metric

Kind = Literal["fail-under", "max-drop"]


@dataclass(frozen=True)
class Gate:
    """`--fail-under M=V`: at least V; `--max-drop M=D`: at most D worse than the baseline."""

    kind: Kind
    metric: Metric
    limit: float

    def __str__(self) -> str:
        return f"--{self.kind} {self.metric}={self.limit:g}"


@dataclass(frozen=True)
class Verdict:
    """Whether a gate is met, and why, as one line."""

    gate: Gate
    passed: bool
    value: float
    reason: str

    def __str__(self) -> str:
        return f"{'pass' if self.passed else 'FAIL'}: {self.reason} ({self.gate})"


def parse_gate(kind: Kind, text: str) -> Gate:
    """Read `hnsr@10=0.30`; raises UsageError for anything else, and for a percentage."""
    name, equals, number = text.replace(">=", "=").partition("=")
    try:
        limit = float(number)
    except ValueError:
        limit = math.nan
    if not equals or not math.isfinite(limit):
        raise UsageError(f"--{kind} {text}: must be METRIC=NUMBER, such as r@10=0.5")
    metric = parse_metric(name)
    if metric.definition.is_fraction and abs(limit) > 1:
        raise UsageError(
            f"--{kind} {text}: {metric} is a fraction from 0 to 1; "
            f"did you mean {metric}={limit / 100:g}?"
        )
    if kind == "max-drop" and limit < 0:
        raise UsageError(f"--{kind} {text}: a drop must be 0 or more")
    return Gate(kind, metric, limit)


def check_gates(gates: Sequence[Gate], metrics: Sequence[Metric]) -> None:
    """Raise UsageError for a gate on a metric that is not computed: it could never fail."""
    for gate in gates:
        if gate.metric not in metrics:
            raise UsageError(
                f"{gate}: {gate.metric} is not computed; add -M {gate.metric} "
                f"(computed: {', '.join(map(str, metrics))})"
            )


def judge(
    gates: Sequence[Gate],
    values: Mapping[Metric, float],
    comparisons: Mapping[Metric, MetricComparison],
    alpha: float | None,
    unlike: str | None = None,
) -> list[Verdict]:
    """One verdict per gate, in order. `unlike` is why the baseline is none for these queries: then
    no drop can be judged, and its gates fail."""
    return [
        _under(gate, values[gate.metric])
        if gate.kind == "fail-under"
        else _unlike(gate, comparisons[gate.metric], unlike)
        if unlike
        else _drop(gate, comparisons[gate.metric], alpha)
        for gate in gates
    ]


def _under(gate: Gate, value: float) -> Verdict:
    lower = gate.metric.definition.lower_is_better
    passed = value <= gate.limit if lower else value >= gate.limit
    word = {
        (False, True): "is at least",
        (False, False): "is under",
        (True, True): "is at most",
        (True, False): "is above",
    }[lower, passed]
    return Verdict(gate, passed, value, f"{gate.metric} {value:.4f} {word} {gate.limit:g}")


def _unlike(gate: Gate, comparison: MetricComparison, reason: str) -> Verdict:
    lower = gate.metric.definition.lower_is_better
    worse = comparison.difference if lower else -comparison.difference
    return Verdict(gate, False, worse, f"{gate.metric}: {reason}; make a new baseline")


def _drop(gate: Gate, comparison: MetricComparison, alpha: float | None) -> Verdict:
    lower = gate.metric.definition.lower_is_better
    worse = comparison.difference if lower else -comparison.difference
    both = f"{gate.metric} {comparison.value:.4f} against {comparison.baseline:.4f}"
    # Subtracting two decimals makes 0.010000000000000009 of a drop of 0.01.
    if worse <= gate.limit + 1e-9:
        return Verdict(gate, True, worse, f"{both}: {_worse_by(worse)}")
    if alpha is not None and not comparison.p_holm < alpha:
        reason = (
            f"{both}: worse by {worse:.4f}, but p = {comparison.p_holm:.3g} is not under {alpha:g}"
        )
        return Verdict(gate, True, worse, reason)
    p_value = f", p = {comparison.p_holm:.3g}" if alpha is not None else ""
    return Verdict(gate, False, worse, f"{both}: worse by {worse:.4f}{p_value}")


def _worse_by(worse: float) -> str:
    return f"worse by {worse:.4f} only" if worse > 0 else "no worse"
