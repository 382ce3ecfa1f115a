"""The metrics that `oea eval` computes, for help texts and shell completion; loads no numpy."""

from collections.abc import Iterator

from oea_cli.metrics.names import DEFAULT_CUTOFFS, NAMES


def explained() -> list[str]:
    """A line per metric: its spelling, `[@K]` where k is optional, and what it measures."""
    lines = []
    for name in NAMES.values():
        cutoff = "[@K]" if name.cutoff == "optional" else "@K"
        spelling = name.spelling.lower().replace("@k", cutoff)
        lines.append(f"{spelling:<12} {name.description}")
    return lines


def usual_metrics() -> Iterator[tuple[str, str]]:
    """Metrics with the usual cutoffs, as people type them, each with what it measures."""
    for name, (_, cutoff, description) in NAMES.items():
        if cutoff != "required":
            yield name, description
        if cutoff != "none":
            yield from ((f"{name}@{k}", description) for k in DEFAULT_CUTOFFS)
