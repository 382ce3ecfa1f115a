"""The metrics an evaluation can be asked for, for people and shells; loads no numpy."""

from collections.abc import Iterator

from oea_cli.metrics.names import DEFAULT_CUTOFFS, NAMES


def explained() -> list[str]:
    """A line per metric: how it is spelt, `[@K]` where the cutoff may be left out, and its
    meaning."""
    lines = []
    for name in NAMES.values():
        cutoff = "[@K]" if name.cutoff == "optional" else "@K"
        spelling = name.spelling.lower().replace("@k", cutoff)
        lines.append(f"{spelling:<12} {name.meaning}")
    return lines


def usual_metrics() -> Iterator[tuple[str, str]]:
    """Metrics as people ask for them, with the usual cutoffs, each with its meaning."""
    for name, (_, cutoff, meaning) in NAMES.items():
        if cutoff != "required":
            yield name, meaning
        if cutoff != "none":
            yield from ((f"{name}@{k}", meaning) for k in DEFAULT_CUTOFFS)
