"""The curves of a run as one SVG: losses, R@10 and the learning rate over its steps.

It opens in any browser and asks no network for anything. ElementTree escapes every text.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from oea_cli.errors import OeaError
from oea_cli.records.artefacts import AtomicFile
from oea_cli.training.results.log import LOG_FILE, read_log

CURVES_FILE = "train_curves.svg"
WIDTH, PANEL, GAP = 760, 200, 76
LEFT, RIGHT, TOP = 64, 130, 72
COLOURS = ("#3b76c4", "#c4552f", "#17693a", "#7d4bb0", "#9a6b00")
STYLE = (
    "svg{background:#fff;font:13px system-ui,sans-serif}text{fill:#1b1f24}.quiet{fill:#57606a}"
    ".grid{stroke:#d5dae0}.stage{stroke:#57606a;stroke-dasharray:3 3}polyline{fill:none;"
    "stroke-width:1.6;stroke-linejoin:round}.title{font-size:17px;font-weight:600}"
)
Row = dict[str, Any]
Point = tuple[float, float]
Place = Callable[[float], float]


@dataclass(frozen=True)
class Panel:
    """Lines that share an axis."""

    title: str
    lines: dict[str, list[Point]]


def write_curves(folder: Path) -> Path:
    """Draw a run's train_log.jsonl into its folder, and return the file.

    Raises OeaError where there is nothing to draw yet.
    """
    rows = read_log(folder / LOG_FILE)
    if not rows:
        raise OeaError(f"{folder / LOG_FILE}: no steps in it; is {folder} a folder of `oea train`?")
    path = folder / CURVES_FILE
    with AtomicFile(path) as aside:
        aside.write_text(curves(folder.resolve().name, rows), encoding="utf-8")
    return path


def curves(name: str, rows: Sequence[Row]) -> str:
    """The SVG of a run's reports."""
    panels = [panel for panel in _panels(rows) if any(panel.lines.values())]
    height = TOP + len(panels) * (PANEL + GAP)
    root = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {height}",
            "role": "img",
            "aria-label": f"Training of {name}: {', '.join(panel.title for panel in panels)}",
        },
    )
    SubElement(root, "style").text = STYLE
    last = rows[-1]
    _text(root, LEFT, 26, name, "title")
    _text(root, LEFT, 46, f"step {last['step']:,} of {last['total']:,}", "quiet")
    stages = _stages(rows)
    for number, panel in enumerate(panels):
        _panel(root, panel, TOP + number * (PANEL + GAP), last["step"], stages)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _panels(rows: Sequence[Row]) -> list[Panel]:
    def lines(part: str) -> dict[str, list[Point]]:
        names = dict.fromkeys(name for row in rows for name in row[part])
        return {n: [(r["step"], r[part][n]) for r in rows if n in r[part]] for n in names}

    rates = [(row["step"], row["learning_rate"]) for row in rows]
    measured = {name.upper(): points for name, points in lines("validation").items()}
    return [
        Panel("loss", lines("losses")),
        Panel("validation", measured),
        Panel("learning rate", {"": rates}),
    ]


def _stages(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """Each stage's name and the last step before it."""
    found: list[tuple[str, int]] = []
    before = 0
    for row in rows:
        if not found or found[-1][0] != row["stage"]:
            found.append((row["stage"], before))
        before = row["step"]
    return found


def _panel(
    root: Element, panel: Panel, top: float, steps: int, stages: Sequence[tuple[str, int]]
) -> None:
    values = [value for points in panel.lines.values() for _, value in points]
    finite = [value for value in values if math.isfinite(value)]
    ticks = _ticks(min([0.0, *finite]), max(finite, default=1.0))
    low, high = ticks[0], ticks[-1]

    def across(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / max(1, steps)

    def down(value: float) -> float:
        return top + PANEL * (high - value) / (high - low)

    _text(root, LEFT, top - 10, panel.title)
    for tick in ticks:
        _line(root, LEFT, WIDTH - RIGHT, down(tick), down(tick), "grid")
        _text(root, LEFT - 8, down(tick) + 4, f"{tick:g}", "quiet", "end")
    for number, (name, before) in enumerate(stages if len(stages) > 1 else []):
        _line(root, across(before), across(before), top, top + PANEL, "stage")
        # In two rows, since a short stage leaves its name no room.
        _text(root, across(before) + 4, top + PANEL + 32 + 13 * (number % 2), name, "quiet")
    for step in _ticks(0, steps):
        if step <= steps:
            _text(root, across(step), top + PANEL + 18, f"{step:,.0f}", "quiet", "middle")
    _draw(root, panel, top, across, down)


def _draw(root: Element, panel: Panel, top: float, across: Place, down: Place) -> None:
    for number, (name, points) in enumerate(panel.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        shown = [(across(x), down(y)) for x, y in points if math.isfinite(y)]
        if not shown:
            continue
        group = SubElement(root, "g")
        SubElement(group, "title").text = f"{name or panel.title}: {points[-1][1]:.4g} at the end"
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in shown)
        SubElement(group, "polyline", {"points": path, "stroke": colour})
        if len(shown) == 1:
            x, y = shown[0]
            places = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "3"}
            SubElement(group, "circle", {**places, "fill": colour})
        # Names stand in a column of their own, so that they never overlap.
        label = f"{name} {points[-1][1]:.3g}".strip()
        made = _text(root, WIDTH - RIGHT + 10, top + 12 + 18 * number, label)
        made.set("style", f"fill:{colour}")


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers around low and high."""
    span = (high - low) or 1.0
    size = 10 ** math.floor(math.log10(span / 4))
    step = next(size * times for times in (1, 2, 5, 10) if span / (size * times) <= 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(step * i, 12) for i in range(first, max(last, first + 1) + 1)]


def _line(parent: Element, x1: float, x2: float, y1: float, y2: float, kind: str) -> None:
    places = {"x1": f"{x1:.1f}", "x2": f"{x2:.1f}", "y1": f"{y1:.1f}", "y2": f"{y2:.1f}"}
    SubElement(parent, "line", {**places, "class": kind})


def _text(
    parent: Element, x: float, y: float, text: str, kind: str = "", anchor: str = "start"
) -> Element:
    places = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    made = SubElement(parent, "text", places | ({"class": kind} if kind else {}))
    made.text = text
    return made
