"""Names and descriptions of the metrics; `--help` and shell completion read them: no numpy."""

from typing import Literal, NamedTuple

Cutoff = Literal["required", "optional", "none"]
DEFAULT_CUTOFFS = (1, 5, 10)


class MetricName(NamedTuple):
    """How the field prints a metric, whether it takes a cutoff k, and what it measures."""

    spelling: str
    cutoff: Cutoff
    description: str


NAMES = {
    "r": MetricName(
        "R@k",
        "required",
        "recall: share of a query's relevant clips that are among the first k",
    ),
    "p": MetricName("P@k", "required", "precision: share of the first k that is relevant"),
    "map": MetricName("mAP@k", "optional", "mean average precision, over the first k or all"),
    "ndcg": MetricName(
        "nDCG@k", "optional", "gain, grade / log2(place + 1), over the best possible"
    ),
    "mrr": MetricName("MRR@k", "optional", "1 / rank of the best relevant clip, 0 beyond k"),
    "success": MetricName(
        "success@k", "required", "1 where any relevant clip is among the first k"
    ),
    "median-rank": MetricName(
        "median-rank", "none", "median rank of the best relevant clip; lower is better"
    ),
    "hnsr": MetricName(
        "HNSR@k",
        "optional",
        "hard negative suppression rate: Rank(HN) > Rank(T); @k: T among the first k, HN not",
    ),
    "tfr": MetricName(
        "TFR@k",
        "optional",
        "target first rate: Rank(T) = 1, over queries with a hard negative; @k: and Rank(HN) > k",
    ),
    "delta-rank": MetricName(
        "delta-rank", "none", "mean of Rank(HN) - Rank(T), in ranks; higher is better"
    ),
}

ALIASES = {
    "recall": "r",
    "precision": "p",
    "rr": "mrr",
    "recip-rank": "mrr",
    "hit": "success",
    "hits": "success",
    "hit-rate": "success",
    "medr": "median-rank",
    "medianrank": "median-rank",
    "deltarank": "delta-rank",
    "tfr-hn": "tfr",
}
