"""Sums up verdicts and ratings: counts, agreement, and ratings as in Table 1 of the paper."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from statistics import fmean, stdev
from typing import Any

from oea_cli.clips.query_types import PAPER_NAMES, TYPES
from oea_cli.clips.verdicts import RATING, VERDICT, VERDICTS, VerdictEntry, majority
from oea_cli.web.review.agreement import Level, krippendorff_alpha

Document = dict[str, Any]
TYPES_IN_ORDER = tuple(PAPER_NAMES.get(name, name) for name in TYPES)
"""The order of Table 1; other types follow."""
NO_TYPE = "no type"


def summarise(entries: Sequence[VerdictEntry]) -> Document:
    """Counts, agreement, means and sample standard deviations, of the entries that count.

    "Unsure" is a verdict like the others for alpha; a verdict that was taken back does not count.
    """
    found: Document = {"annotators": sorted({entry.annotator for entry in entries})}
    verdicts = [entry for entry in entries if entry.kind == VERDICT]
    ratings = [entry for entry in entries if entry.kind == RATING]
    if verdicts:
        found["verdicts"] = _verdicts(verdicts)
    if ratings:
        found["ratings"] = _ratings(ratings)
    return found


def _verdicts(entries: Sequence[VerdictEntry]) -> Document:
    pairs = _by_item(entries)
    by_annotator = defaultdict(list)
    for entry in entries:
        by_annotator[entry.annotator].append(entry.value)
    return {
        "pairs": len(pairs),
        "judged_twice_or_more": sum(len(values) > 1 for values in pairs),
        "counts": _counted(entry.value for entry in entries),
        "by_annotator": {name: _counted(by_annotator[name]) for name in sorted(by_annotator)},
        "majority": {
            **_counted(majority(values) for values in pairs),
            "tie": sum(majority(values) is None for values in pairs),
        },
        "alpha": _alpha([[VERDICTS.index(v) for v in values] for values in pairs], Level.nominal),
    }


def _counted(values: Iterable[Hashable]) -> dict[str, int]:
    counts = Counter(values)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def _ratings(entries: Sequence[VerdictEntry]) -> Document:
    datasets = list(dict.fromkeys(_dataset(entry) for entry in entries))
    types = dict.fromkeys(_type(entry) for entry in entries)
    in_order = [name for name in dict.fromkeys([*TYPES_IN_ORDER, *types]) if name in types]
    rows = [(name, [e for e in entries if _type(e) == name]) for name in in_order]
    items = _by_item(entries)
    return {
        "queries": len(items),
        "rated_twice_or_more": sum(len(values) > 1 for values in items),
        "by_annotator": dict(sorted(Counter(entry.annotator for entry in entries).items())),
        "types": [
            {
                "type": name,
                **_spread(own),
                "datasets": {
                    dataset: _spread([e for e in own if _dataset(e) == dataset])
                    for dataset in datasets
                    if dataset is not None
                },
            }
            for name, own in [*rows, ("overall", list(entries))]
        ],
        "alpha": _alpha(items, Level.ordinal),
    }


def _by_item(entries: Sequence[VerdictEntry]) -> list[list[Any]]:
    values = defaultdict(list)
    for entry in entries:
        values[entry.key].append(entry.value)
    return list(values.values())


def _alpha(units: Sequence[Sequence[float]], level: Level) -> Document:
    value = krippendorff_alpha(units, level)
    return {"level": str(level), "value": None if value is None else round(value, 6)}


def _spread(entries: Sequence[VerdictEntry]) -> Document:
    """Number, mean and sample standard deviation, None where there are too few values."""
    values = [float(entry.value) for entry in entries if entry.value is not None]
    return {
        "ratings": len(values),
        "mean": round(fmean(values), 6) if values else None,
        "sd": round(stdev(values), 6) if len(values) > 1 else None,
    }


def _type(entry: VerdictEntry) -> str:
    name = str(entry.subject.get("query_type") or NO_TYPE)
    return PAPER_NAMES.get(name, name)


def _dataset(entry: VerdictEntry) -> str | None:
    name = entry.subject.get("dataset")
    return None if name is None else str(name)


# --- for people ---


def to_table(document: Document) -> str:
    """The summary as text."""
    blocks = []
    if "verdicts" in document:
        blocks.append(_verdict_lines(document["verdicts"]))
    if "ratings" in document:
        blocks.append(_rating_lines(document["ratings"]))
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _verdict_lines(found: Document) -> list[str]:
    rows = [["annotator", *VERDICTS, "all"]]
    for name, counts in [*found["by_annotator"].items(), ("all", found["counts"])]:
        rows.append([name, *(str(counts[v]) for v in VERDICTS), str(sum(counts.values()))])
    by_majority = ", ".join(f"{name} {count}" for name, count in found["majority"].items())
    return [
        f"{found['pairs']} pairs, {found['judged_twice_or_more']} of them judged by two or more",
        "",
        *aligned(rows),
        "",
        f"By majority: {by_majority}",
        _agreement_line(found["alpha"]),
    ]


def _rating_lines(found: Document) -> list[str]:
    datasets = list(found["types"][0]["datasets"])
    rows = [["type", "ratings", "mean ± sd", *datasets]]
    for row in found["types"]:
        means = [_mean_and_deviation(row["datasets"][name]) for name in datasets]
        rows.append([row["type"], str(row["ratings"]), _mean_and_deviation(row), *means])
    people = len(found["by_annotator"])
    return [
        f"{found['queries']} queries rated by {people} annotator{'s' if people > 1 else ''}, "
        f"{found['rated_twice_or_more']} of them by two or more",
        "",
        *aligned(rows),
        "",
        _agreement_line(found["alpha"]),
    ]


def _mean_and_deviation(spread: Document) -> str:
    if spread["mean"] is None:
        return ""
    deviation = "" if spread["sd"] is None else f" ± {spread['sd']:.2f}"
    return f"{spread['mean']:.2f}{deviation}"


def _agreement_line(alpha: Document) -> str:
    value = alpha["value"]
    if value is None:
        return "Agreement: unknown; it needs items judged by two or more, and two different values"
    return f"Agreement: Krippendorff's alpha {value:.3f} ({alpha['level']})"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    ]
