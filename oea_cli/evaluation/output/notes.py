"""What a reader of the figures should know besides: a line for each."""

from oea_cli.errors import counted
from oea_cli.evaluation.setting import Document
from oea_cli.metrics.metrics import parse_metric

NOTES = {
    "missing_queries": ("query", "missing from the run: counted as not found"),
    "queries_not_encoded": ("query", "could not be encoded: counted as not found"),
    "targets_not_found": ("query", "whose target was not found"),
    "targets_tied": (
        "query",
        "with a target that is tied with other clips: the better rank counts (--ties trec ranks "
        "as trec_eval)",
    ),
    "queries_without_relevant": ("query", "without a relevant clip: left out"),
    "queries_of_themselves": ("query", "whose only target is its own sound: left out"),
    "queries_not_judged": ("query", "of the run not judged: left out"),
    "datasets_in_one_pool": (
        "dataset",
        "of queries ranked in one pool: --within dataset ranks each within its own clips",
    ),
    "skipped_single_caption": ("clip", "with a single caption: left out"),
}


def notes(document: Document) -> list[str]:
    """What a reader of the figures should know besides."""
    counts = document["counts"]
    lines = [
        f"{counted(counts[key], thing)} {what}"
        for key, (thing, what) in NOTES.items()
        if counts.get(key)
    ]
    lines += _rank_notes(counts) + _depth_notes(document) + _baseline_notes(document)
    average = document["means"].get("avg_uiq")
    if average is not None and "r@5" in document["metrics"]:  # what it is a mean of
        beside = _average_beside(document["means"])
        lines.append(f"Avg UIQ (mean of the five types' R@5): {100 * average:.2f}{beside}")
    return lines + (_leak_notes(document["leaks"]) if "leaks" in document else [])


def _rank_notes(counts: Document) -> list[str]:
    """That the ranks which a run states are not those of its scores, as those of distances are."""
    number = counts.get("ranks_contradicted")
    if not number:
        return []
    queries = counted(counts["queries"] - counts["missing_queries"], "query")
    return [
        f"ranks and scores disagree in {number} of {queries}; scores count. Are these distances?"
    ]


SAME_AT_ANY_DEPTH = ("tfr",)
"""Metrics without a cutoff that look at the first place only."""


def _depth_notes(document: Document) -> list[str]:
    """What a run that ends early leaves out of which metrics."""
    counts = document["counts"]
    depth, beyond = counts.get("run_depth"), counts.get("judged_not_in_run")
    if not beyond:
        return []
    metrics = [parse_metric(name) for name in document["metrics"]]
    names = [
        str(m)
        for m in metrics
        if (m.k is None and m.name not in SAME_AT_ANY_DEPTH) or (m.k or 0) > depth
    ]
    if not names:
        return []
    return [
        f"{counted(beyond, 'judged clip')} not in the run, which holds {depth} per query at most: "
        f"a deeper one gives other figures for {', '.join(names)}"
    ]


BASELINE_NOTES = {
    "gone": "of the baseline missing here: not compared",
    "new": "not in the baseline: not compared",
    "changed": "with another text or other judgments than in the baseline",
    "unanswered": "missing from the baseline: counted as not found there",
    "contradicted": "of the baseline whose ranks and scores disagree: scores count",
}


def _baseline_notes(document: Document) -> list[str]:
    """How the queries, and what was ranked for them, differ from the baseline's."""
    if "queries" not in document.get("baseline", {}):
        return []
    counts = document["baseline"]["queries"]
    lines = [
        f"{counted(counts[key], 'query')} {what}"
        for key, what in BASELINE_NOTES.items()
        if counts.get(key)
    ]
    ours, theirs = document["baseline"]["depths"]
    if ours != theirs:
        lines.append(f"{counted(ours, 'clip')} ranked per query at most, in the baseline {theirs}")
    return lines


def _average_beside(means: Document) -> str:
    theirs, difference = (
        means.get(which, {}).get("avg_uiq") for which in ("baseline", "difference")
    )
    if theirs is None or difference is None:
        return ""
    return f", baseline {100 * theirs:.2f} ({100 * difference:+.2f})"


def _leak_notes(leaks: Document) -> list[str]:
    """A line per kind of overlap with training; one line where there is none."""
    lines = [
        f"leaks: {number} of {counted(leaks['clips'], 'clip')} in training by {kind}, such as "
        + _example(next(pair for pair in leaks["pairs"] if pair["by"] == kind))
        for kind, number in leaks["counts"].items()
        if number
    ]
    forbidden = leaks["blacklisted"]
    if forbidden:
        number = len({pair["training"] for pair in forbidden})
        where = forbidden[0]["blacklist"]
        lines.append(
            f"leaks: {counted(number, 'training clip')} on the blacklist {where}, such as "
            + _example(forbidden[0])
        )
    if lines:
        return lines
    kinds = [kind for kind in leaks["counts"] if kind != "content" or leaks["content"]]
    clips = counted(leaks["clips"], "clip")
    return [f"leaks: none of {clips} in {', '.join(leaks['training'])} by {', '.join(kinds)}"]


def _example(pair: Document) -> str:
    return f"{pair['evaluation']} ({pair['training']} in {pair['source']})"
