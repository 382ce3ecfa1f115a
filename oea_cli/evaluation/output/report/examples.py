"""The queries whose hard negatives ranked too high, for a person to look at and listen to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.clips.captions import captions_in, cleaned
from oea_cli.evaluation.output.report.sounds import Link, link_to
from oea_cli.evaluation.setting import RecordLookup
from oea_cli.metrics.outcomes import Outcomes
from oea_cli.records.rows import Record

SHOWN = 20
LONGEST_TEXT = 2000
"""Characters of a text that are shown: one endless caption must not fill the page."""
MOST_CAPTIONS = 20


@dataclass(frozen=True)
class ShownClip:
    """A clip on the page; rank and score are text, `not found` and empty where there is none."""

    role: str
    id: str
    rank: str
    score: str
    captions: list[str]
    more_captions: int
    sound: Link


@dataclass(frozen=True)
class Example:
    """A query with its target and its hard negative; `delta` is Rank(HN) - Rank(T)."""

    query_id: str
    type: str | None
    dataset: str | None
    text: str
    sound: Link | None
    delta: str
    is_suppressed: bool
    target: ShownClip
    hard_negative: ShownClip


def worst_rows(outcomes: Outcomes, count: int = SHOWN) -> list[int]:
    """The queries with the lowest Rank(HN) - Rank(T); of equal ones, the best hard negative
    first."""
    negatives = outcomes.found_ranks(outcomes.hard_negative_ranks)
    deltas = negatives - outcomes.found_ranks(outcomes.target_ranks)
    rows = np.flatnonzero(outcomes.has_hard_negative)
    order = np.lexsort((rows, negatives[rows], deltas[rows]))
    return [int(row) for row in rows[order][:count]]


def examples_of(outcomes: Outcomes, records: RecordLookup, folder: Path) -> list[Example]:
    """The worst hard negatives with their texts and sounds; links are relative to `folder`."""
    rows = worst_rows(outcomes)
    targets = {row: _best_target(outcomes, row) for row in rows}
    negatives = {row: str(outcomes.hard_negatives[row]) for row in rows}
    queries = records.queries([outcomes.ids[row] for row in rows])
    clips = records.clips([*targets.values(), *negatives.values()])
    return [
        _example(
            outcomes,
            row,
            queries.get(outcomes.ids[row], {}),
            _clip("Target", targets[row], _rank_and_score(outcomes, row, "target"), clips, folder),
            _clip(
                "Hard negative",
                negatives[row],
                _rank_and_score(outcomes, row, "hard_negative"),
                clips,
                folder,
            ),
            folder,
        )
        for row in rows
    ]


def _best_target(outcomes: Outcomes, row: int) -> str:
    """The id of the best-ranked relevant clip."""
    places = outcomes.places[outcomes.owners == row]
    return outcomes.targets[row][int(np.argmin(places))]


def _rank_and_score(outcomes: Outcomes, row: int, which: str) -> tuple[float, float]:
    """Rank and score of the query's target or hard negative."""
    ranks: Any = getattr(outcomes, f"{which}_ranks")
    scores: Any = getattr(outcomes, f"{which}_scores")
    return float(ranks[row]), float(scores[row])


def _example(
    outcomes: Outcomes,
    row: int,
    record: Record,
    target: ShownClip,
    negative: ShownClip,
    folder: Path,
) -> Example:
    ranks = outcomes.target_ranks[row], outcomes.hard_negative_ranks[row]
    first, second = (outcomes.found_ranks(np.array([rank]))[0] for rank in ranks)
    text = record.get("text")
    return Example(
        query_id=outcomes.ids[row],
        type=outcomes.types[row],
        dataset=outcomes.datasets[row],
        text=shortened(text) if isinstance(text, str) else "",
        sound=link_to(record, folder) if record.get("path") else None,
        delta=signed(int(second - first)),
        is_suppressed=bool(ranks[1] > ranks[0]),
        target=target,
        hard_negative=negative,
    )


def _clip(
    role: str,
    id_: str,
    rank_and_score: tuple[float, float],
    records: Mapping[str, Record],
    folder: Path,
) -> ShownClip:
    rank, score = rank_and_score
    record = records.get(id_)
    captions = captions_in(record or {}) or cleaned((record or {}).get("text"))
    return ShownClip(
        role=role,
        id=id_,
        rank=f"{int(rank):,}" if np.isfinite(rank) else "not found",
        score=f"{score:.3f}" if np.isfinite(score) else "",
        captions=[shortened(caption) for caption in captions[:MOST_CAPTIONS]],
        more_captions=max(0, len(captions) - MOST_CAPTIONS),
        sound=Link(problem="only its id is known") if record is None else link_to(record, folder),
    )


def shortened(text: str) -> str:
    """The text, or its beginning and how much more there is."""
    more = len(text) - LONGEST_TEXT
    return text if more <= 0 else f"{text[:LONGEST_TEXT]}… (and {more:,} letters more)"


def signed(number: int) -> str:
    """A whole number with its sign, with a real minus: `+12`, `−3`, `0`."""
    return "0" if number == 0 else f"{'+' if number > 0 else '−'}{abs(number):,}"
