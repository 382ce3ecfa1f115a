"""Charts as SVG, drawn so that one drawing fits a phone and a desktop screen.

Horizontal positions are per cent of the figure's width, vertical ones are pixels: bars grow with
the page, and text does not. The style sheet sets colours by class. ElementTree escapes every text.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from oea_cli.evaluation.output.report.examples import signed
from oea_cli.metrics.significance import Interval

TICKS = (0, 25, 50, 75, 100)
LONGEST_LABEL = 34
ROW_HEIGHT, BAR_TOP, BAR_HEIGHT = 38, 18, 10
THEIRS_GAP, THEIRS_HEIGHT = 3, 5
"""The baseline's thinner bar below ours."""
STRIP_HEIGHT = 20
PLOT_TOP, PLOT_HEIGHT, AXIS_HEIGHT = 18, 200, 40
GUTTER = 10.0
"""Space left of a histogram for the numbers of its vertical axis, in per cent of the width."""


@dataclass(frozen=True)
class Bar:
    """A named fraction with its interval and, where there is one, the baseline's fraction."""

    label: str
    value: float
    interval: Interval
    baseline: float | None = None


@dataclass(frozen=True)
class Bin:
    """How many whole numbers lie from `low` to `high`, both included."""

    low: int
    high: int
    count: int

    @property
    def label(self) -> str:
        if self.low == self.high:
            return signed(self.low)
        return f"{signed(self.low)} to {signed(self.high)}"

    @property
    def sign(self) -> str:
        return "zero" if self.low == 0 else "above" if self.low > 0 else "below"


def bars(rows: Sequence[Bar], name: str) -> str:
    """A bar with a whisker per row, on an axis from 0 to 100 %, and the baseline's bar below it."""
    described = "; ".join(
        f"{row.label} {100 * row.value:.1f} %{_described_baseline(row)}" for row in rows
    )
    compared = any(row.baseline is not None for row in rows)
    row_height = ROW_HEIGHT + (THEIRS_GAP + THEIRS_HEIGHT if compared else 0)
    height = len(rows) * row_height
    root = _figure(height + 24, f"{name} by type of query: {described}")
    for tick in TICKS:
        _line(root, tick, tick, 4, height, "grid")
        _text(root, tick, height + 18, f"{tick}{' %' if tick == 100 else ''}", "tick", _side(tick))
    for number, row in enumerate(rows):
        _bar(root, row, number * row_height)
    return _written(root)


def _described_baseline(row: Bar) -> str:
    return "" if row.baseline is None else f", baseline {100 * row.baseline:.1f} %"


def _bar(root: Element, row: Bar, top: int) -> None:
    group = SubElement(root, "g")
    low, high = row.interval
    title = f"{row.label}: {100 * row.value:.2f} % ({100 * low:.2f} to {100 * high:.2f})"
    SubElement(group, "title").text = title + _described_baseline(row)
    _text(group, 0, top + 12, _cut(row.label), "label", "start")
    value = _text(group, 100, top + 12, "", "label", "end")
    SubElement(value, "tspan", {"class": "value"}).text = f"{100 * row.value:.1f} %"
    _rect(group, 0, 100 * row.value, top + BAR_TOP, BAR_HEIGHT, "bar")
    if row.baseline is not None:
        SubElement(value, "tspan", {"class": "tick"}).text = f" vs {100 * row.baseline:.1f}"
        below = top + BAR_TOP + BAR_HEIGHT + THEIRS_GAP
        _rect(group, 0, 100 * row.baseline, below, THEIRS_HEIGHT, "baseline")
    _whisker(group, row.interval, top + BAR_TOP + BAR_HEIGHT / 2)


def strip(value: float, interval: Interval, baseline: float | None = None) -> str:
    """A point with its interval from 0 to 100 %, for a table's cell that also has the numbers."""
    root = Element("svg", {"class": "strip", "height": str(STRIP_HEIGHT), "aria-hidden": "true"})
    middle = STRIP_HEIGHT / 2
    _line(root, 0, 100, middle, middle, "grid")
    for tick in TICKS:
        _line(root, tick, tick, middle - 3, middle + 3, "grid")
    _whisker(root, interval, middle)
    if baseline is not None:
        _circle(root, 100 * baseline, middle, "theirs")
    _circle(root, 100 * value, middle, "ours")
    return _written(root)


def bins_of(deltas: Sequence[int]) -> list[Bin]:
    """Count differences in bins that widen away from 0: 1, 2 to 4, 5 to 9, 10 to 19, 20 to 49 ...

    Every number lies in one bin; the bins reach as far as the numbers do on either side.
    """
    edges = _edges(max(map(abs, deltas), default=0))
    positive = [(low, after - 1) for low, after in pairwise(edges)]
    ranges = [(-high, -low) for low, high in reversed(positive)] + [(0, 0), *positive]
    lowest, highest = min(deltas, default=0), max(deltas, default=0)
    kept = [one for one in ranges if one == (0, 0) or 0 < one[0] <= highest or lowest <= one[1] < 0]
    return [Bin(low, high, sum(low <= delta <= high for delta in deltas)) for low, high in kept]


def _edges(farthest: int) -> list[int]:
    """1, 2, 5, 10, 20 ... up to the first that lies beyond the farthest."""
    edges = [1]
    while edges[-1] <= farthest:
        power = 10 ** ((len(edges)) // 3)
        edges.append(power * (1, 2, 5)[len(edges) % 3])
    return edges


def histogram(bins: Sequence[Bin]) -> str:
    """Columns of counts; below, at and above zero in colours of their own."""
    total = sum(one.count for one in bins)
    parts = [(sign, sum(one.count for one in bins if one.sign == sign)) for sign in SIGNS]
    described = ", ".join(f"{count} {SIGNS[sign]}" for sign, count in parts)
    root = _figure(
        PLOT_TOP + PLOT_HEIGHT + AXIS_HEIGHT,
        f"Distribution of Rank(HN) minus Rank(T) over {total} queries: {described}",
    )
    step, top = _steps(max((one.count for one in bins), default=0))
    _text(root, 0, 11, "queries", "tick", "start")
    for count in range(0, top + 1, step):
        height = _down(count, top)
        _line(root, GUTTER, 100, height, height, "grid")
        _text(root, GUTTER - 1.5, height + 4, f"{count:,}", "tick", "end")
    for number, one in enumerate(bins):
        _column(root, one, number, len(bins), top)
    middle = GUTTER + (100 - GUTTER) / 2
    _text(root, middle, PLOT_TOP + PLOT_HEIGHT + 34, "Rank(HN) − Rank(T), ranks", "tick", "middle")
    return _written(root)


SIGNS = {
    "below": "below zero (the hard negative ranks above the target)",
    "zero": "at zero",
    "above": "above zero (the target ranks above the hard negative)",
}


def _column(root: Element, one: Bin, number: int, num_bins: int, top: int) -> None:
    width = (100 - GUTTER) / num_bins
    left, height = GUTTER + number * width, _down(one.count, top)
    group = SubElement(root, "g")
    SubElement(group, "title").text = f"{one.label}: {one.count:,}"
    base = PLOT_TOP + PLOT_HEIGHT
    _rect(group, left + 0.08 * width, 0.84 * width, height, base - height, one.sign)
    nearest = one.low if one.low >= 0 else one.high
    if _is_labelled(nearest, num_bins):
        _text(root, left + width / 2, base + 16, _short(nearest), "tick", "middle")


def _is_labelled(nearest: int, num_bins: int) -> bool:
    """Powers of ten; next to 0 only where the columns are wide enough for it."""
    size = abs(nearest)
    return size == 0 or (10 ** round(math.log10(size)) == size and (size > 1 or num_bins <= 15))


def _short(number: int) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if abs(number) >= size:
            return f"{signed(number // size if number > 0 else -(-number // size))}{letter}"
    return signed(number)


def _steps(highest: int) -> tuple[int, int]:
    """A round step, 1, 2 or 5 times a power of ten, for at most four of them, and the axis' end."""
    step = next(edge for edge in _edges(highest) if edge * 4 >= highest)
    return step, max(step, -(-highest // step) * step)


def _down(count: int, top: int) -> float:
    return PLOT_TOP + PLOT_HEIGHT * (1 - count / top)


def _side(tick: int) -> str:
    return {0: "start", 100: "end"}.get(tick, "middle")


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _figure(height: float, described: str) -> Element:
    return Element(
        "svg", {"class": "figure", "height": _px(height), "role": "img", "aria-label": described}
    )


def _whisker(parent: Element, interval: Interval, middle: float) -> None:
    low, high = (100 * bound for bound in interval)
    if math.isnan(low) or math.isnan(high):
        return
    _line(parent, low, high, middle, middle, "whisker")
    for end in (low, high):
        _line(parent, end, end, middle - 4, middle + 4, "whisker")


def _line(parent: Element, x1: float, x2: float, y1: float, y2: float, kind: str) -> None:
    places = {"x1": _pc(x1), "x2": _pc(x2), "y1": _px(y1), "y2": _px(y2)}
    SubElement(parent, "line", {**places, "class": kind})


def _rect(parent: Element, x: float, width: float, y: float, height: float, kind: str) -> None:
    places = {"x": _pc(x), "width": _pc(width), "y": _px(y), "height": _px(height)}
    SubElement(parent, "rect", {**places, "class": kind})


def _circle(parent: Element, x: float, y: float, kind: str) -> None:
    SubElement(parent, "circle", {"cx": _pc(x), "cy": _px(y), "r": "5", "class": kind})


def _text(parent: Element, x: float, y: float, text: str, kind: str, anchor: str) -> Element:
    places = {"x": _pc(x), "y": _px(y), "class": kind, "text-anchor": anchor}
    written = SubElement(parent, "text", places)
    written.text = text
    return written


def _pc(number: float) -> str:
    return f"{round(number, 3):g}%"


def _px(number: float) -> str:
    return f"{round(number, 2):g}"


def _written(root: Element) -> str:
    return ElementTree.tostring(root, encoding="unicode")
