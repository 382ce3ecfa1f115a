"""The metrics and their spelling: outcomes in, one value per query out.

HNSR, TFR and delta-rank are the OEA paper's (section 3.3, figure 3, appendix L): Rank(T) is the
rank of the target, Rank(HN) that of the query's hard negative. The others are trec_eval's.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from oea_cli.errors import OeaError, UsageError
from oea_cli.metrics.names import ALIASES, DEFAULT_CUTOFFS, NAMES, Cutoff
from oea_cli.metrics.outcomes import Floats, Mask, Outcomes, QueryNumbers


@dataclass(frozen=True)
class Definition:
    """What a metric is; `values` gives one number per query (Q,), NaN where it does not apply."""

    spelling: str
    cutoff: Cutoff
    description: str
    values: Callable[[Outcomes, float], Floats]
    lower_is_better: bool = False
    is_fraction: bool = True
    is_median: bool = False
    needs_hard_negative: bool = False


@dataclass(frozen=True)
class Metric:
    """A metric by its name and, where it has one, its cutoff k; as text, `r@10`."""

    name: str
    k: int | None = None

    def __str__(self) -> str:
        return self.name if self.k is None else f"{self.name}@{self.k}"

    @property
    def definition(self) -> Definition:
        return DEFINITIONS[self.name]

    @property
    def label(self) -> str:
        """As the field prints it: `R@10`, `nDCG@10`."""
        spelling = self.definition.spelling.partition("@")[0]
        return spelling if self.k is None else f"{spelling}@{self.k}"

    def values(self, outcomes: Outcomes) -> Floats:
        """One number per query (Q,), NaN where the metric does not apply to it."""
        cutoff = np.inf if self.k is None else float(self.k)
        values = self.definition.values(outcomes, cutoff)
        if self.definition.needs_hard_negative:
            values = np.where(outcomes.has_hard_negative, values, np.nan)
        return values


def summary(metric: Metric, values: Floats) -> float:
    """The metric over all queries it applies to: their mean or median; NaN without any."""
    applies = values[~np.isnan(values)]
    if not len(applies):
        return float("nan")
    return float(np.median(applies) if metric.definition.is_median else applies.mean())


def check_applies(metric: Metric, values: Floats) -> None:
    """Raise OeaError for a metric that applies to no query at all."""
    if np.isnan(values).all():
        why = "has a hard negative" if metric.definition.needs_hard_negative else "is judged"
        raise OeaError(f"{metric}: no query {why}, so there is nothing to measure")


def parse_metric(text: str) -> Metric:
    """Read a metric as people type it; raises UsageError that suggests the nearest name."""
    name, at, cutoff = _normalised(text).partition("@")
    definition = DEFINITIONS.get(name)
    if definition is None or bool(at) != bool(cutoff) or not re.fullmatch(r"[0-9]*", cutoff):
        raise UsageError(
            f"{text}: no such metric{_suggestion(text)} (--list-metrics lists them all)"
        )
    if cutoff and int(cutoff) == 0:
        raise UsageError(f"{text}: a cutoff must be 1 or more")
    if cutoff and definition.cutoff == "none":
        raise UsageError(f"{text}: {name} has no cutoff; write {name}")
    if not cutoff and definition.cutoff == "required":
        raise UsageError(f"{text}: {name} needs a cutoff; write {name}@10")
    return Metric(name, int(cutoff) if cutoff else None)


def parse_metrics(texts: Sequence[str]) -> list[Metric]:
    """Read several, each once, in order."""
    return list(dict.fromkeys(map(parse_metric, texts)))


def default_metrics(outcomes: Outcomes) -> list[Metric]:
    """The metrics computed by default: those that apply to the outcomes."""
    names = [f"r@{k}" for k in DEFAULT_CUTOFFS] + ["mrr", "median-rank"]
    if not outcomes.any_target and (outcomes.num_relevant > 1).any():
        names += ["map@10", "ndcg@10"]
    if outcomes.has_hard_negative.any():
        names += ["hnsr", "hnsr@10", "tfr", "tfr@10", "delta-rank"]
    return parse_metrics(names)


def _normalised(text: str) -> str:
    name = text.strip().lower().replace("_at_", "@").replace("_", "-")
    stem, at, cutoff = name.partition("@")
    return f"{ALIASES.get(stem, stem)}{at}{cutoff}"


def _suggestion(text: str) -> str:
    from difflib import get_close_matches

    digits = re.search(r"[0-9]+", text)
    k = digits[0].lstrip("0") if digits else ""
    spelt = [
        f"{name}@{k or 10}" if k or definition.cutoff == "required" else name
        for name, definition in DEFINITIONS.items()
        if not (k and definition.cutoff == "none")
    ]
    close = get_close_matches(_normalised(text), [*spelt, *DEFINITIONS], n=1, cutoff=0.5)
    if close and DEFINITIONS.get(close[0]) and DEFINITIONS[close[0]].cutoff == "required":
        close = [f"{close[0]}@{k or 10}"]
    return f"; did you mean {close[0]}?" if close else ""


def _recall(outcomes: Outcomes, k: float) -> Floats:
    if outcomes.any_target:
        return _success(outcomes, k)
    return _found(outcomes, k) / np.maximum(outcomes.num_relevant, 1)


def _found(outcomes: Outcomes, k: float) -> Floats:
    """How many relevant clips are among the first k, per query (Q,)."""
    return _per_query(outcomes, (outcomes.places <= k).astype(np.float64))


def _per_query(outcomes: Outcomes, values: Floats) -> Floats:
    """Sum values of pairs (P,) over each query (Q,)."""
    return np.asarray(np.bincount(outcomes.owners, values, minlength=len(outcomes)), np.float64)


def _precision(outcomes: Outcomes, k: float) -> Floats:
    return _found(outcomes, k) / k


def _success(outcomes: Outcomes, k: float) -> Floats:
    return (outcomes.target_ranks <= k).astype(np.float64)


def _reciprocal_rank(outcomes: Outcomes, k: float) -> Floats:
    return np.where(outcomes.target_ranks <= k, 1 / outcomes.target_ranks, 0.0)


def _average_precision(outcomes: Outcomes, k: float) -> Floats:
    order = np.lexsort((outcomes.places, outcomes.owners))
    places, owners = outcomes.places[order], outcomes.owners[order]
    # The n-th relevant clip of a query, at place p, has precision n / p.
    number = _numbered(owners)
    precisions = np.where(places <= k, number / places, 0.0)
    sums = np.bincount(owners, precisions, minlength=len(outcomes))
    return np.asarray(sums / np.maximum(outcomes.num_relevant, 1), np.float64)


def _ndcg(outcomes: Outcomes, k: float) -> Floats:
    order = np.lexsort((-outcomes.gains, outcomes.owners))
    owners = outcomes.owners[order]
    best_places = _numbered(owners)
    ideal = _discounted(outcomes.gains[order], best_places, k)
    best = np.bincount(owners, ideal, minlength=len(outcomes))
    got = _per_query(outcomes, _discounted(outcomes.gains, outcomes.places, k))
    return np.asarray(got / np.where(best > 0, best, 1.0), np.float64)


def _numbered(owners: QueryNumbers) -> Floats:
    """1, 2, 3 ... starting again for each owner; `owners` (P,) ascending."""
    return np.asarray(np.arange(len(owners)) - np.searchsorted(owners, owners) + 1, np.float64)


def _discounted(gains: Floats, places: Floats, k: float) -> Floats:
    return np.where(places <= k, gains / np.log2(places + 1), 0.0)


def _median_rank(outcomes: Outcomes, _: float) -> Floats:
    return outcomes.found_ranks(outcomes.target_ranks)


def _hnsr(outcomes: Outcomes, k: float) -> Floats:
    target, negative = outcomes.target_ranks, outcomes.hard_negative_ranks
    if np.isinf(k):
        return (negative > target).astype(np.float64)
    return ((target <= k) & (negative > k)).astype(np.float64)


def _tfr(outcomes: Outcomes, k: float) -> Floats:
    is_first: Mask = outcomes.target_ranks == 1
    if np.isinf(k):
        return is_first.astype(np.float64)
    return (is_first & (outcomes.hard_negative_ranks > k)).astype(np.float64)


def _delta_rank(outcomes: Outcomes, _: float) -> Floats:
    target, negative = outcomes.target_ranks, outcomes.hard_negative_ranks
    difference: Floats = outcomes.found_ranks(negative) - outcomes.found_ranks(target)
    return difference


DEFINITIONS: dict[str, Definition] = {
    "r": Definition(*NAMES["r"], _recall),
    "p": Definition(*NAMES["p"], _precision),
    "map": Definition(*NAMES["map"], _average_precision),
    "ndcg": Definition(*NAMES["ndcg"], _ndcg),
    "mrr": Definition(*NAMES["mrr"], _reciprocal_rank),
    "success": Definition(*NAMES["success"], _success),
    "median-rank": Definition(
        *NAMES["median-rank"],
        _median_rank,
        lower_is_better=True,
        is_fraction=False,
        is_median=True,
    ),
    "hnsr": Definition(*NAMES["hnsr"], _hnsr, needs_hard_negative=True),
    "tfr": Definition(*NAMES["tfr"], _tfr, needs_hard_negative=True),
    "delta-rank": Definition(
        *NAMES["delta-rank"], _delta_rank, is_fraction=False, needs_hard_negative=True
    ),
}
"""Names and descriptions are in `names`, the computations here."""
