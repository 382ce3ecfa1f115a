"""Shorthands of the tests that measure: outcomes out of plain rows."""

import numpy as np

from oea_cli.metrics.metrics import parse_metric, summary
from oea_cli.metrics.outcomes import Outcomes, numbers_of, places_of

INF = float("inf")


def outcomes_of(
    ranks: list[list[float]],
    negatives: list[float | None] | None = None,
    *,
    clips: list[str] | None = None,
    depth: int = 100,
    gains: list[list[float]] | None = None,
    types: list[str | None] | None = None,
    datasets: list[str | None] | None = None,
    any_target: bool = False,
) -> Outcomes:
    """Outcomes of queries whose relevant clips, and whose hard negative, have these ranks."""
    count = len(ranks)
    negatives = negatives or [None] * count
    clips = clips or [f"clip{row}" for row in range(count)]
    owners = np.repeat(np.arange(count), [len(own) for own in ranks])
    flat = np.array([rank for own in ranks for rank in own], np.float64)
    return Outcomes(
        ids=[f"q{row}" for row in range(count)],
        types=types or [None] * count,
        datasets=datasets or [None] * count,
        targets=[
            [f"{clip}-{n}" for n in range(len(own))] for clip, own in zip(clips, ranks, strict=True)
        ],
        hard_negatives=[None if rank is None else "hn" for rank in negatives],
        clusters=numbers_of(clips),
        target_ranks=np.array([min(own) for own in ranks], np.float64),
        hard_negative_ranks=np.array([np.nan if r is None else r for r in negatives], np.float64),
        target_scores=np.full(count, np.nan),
        hard_negative_scores=np.full(count, np.nan),
        depths=np.full(count, depth),
        owners=owners,
        places=places_of(owners, flat - 1),
        gains=np.array([g for own in gains for g in own]) if gains else np.ones(len(flat)),
        last_rank=depth + 1,
        any_target=any_target,
    )


def value(name: str, outcomes: Outcomes) -> float:
    """A metric over all queries it applies to."""
    metric = parse_metric(name)
    return summary(metric, metric.values(outcomes))
