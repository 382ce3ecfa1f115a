"""How each query came out: the ranks of its relevant clips and of its hard negative."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError

Floats = npt.NDArray[np.float64]
QueryNumbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Outcomes:
    """Q queries and, for all of them together, P (query, relevant clip) pairs.

    Ranks count from 1: 1 + the number of clips scored strictly higher. Infinite means not found,
    NaN that there is no such clip. `places` differ from ranks only where several relevant clips
    of one query are tied: each has its own place, ahead of the irrelevant ones tied with it.
    """

    ids: list[str]
    types: list[str | None]
    datasets: list[str | None]
    targets: list[list[str]]
    hard_negatives: list[str | None]
    clusters: QueryNumbers  # (Q,) queries about the same clip share a number
    target_ranks: Floats  # (Q,) of the best relevant clip
    hard_negative_ranks: Floats  # (Q,)
    target_scores: Floats  # (Q,) NaN where unknown
    hard_negative_scores: Floats  # (Q,)
    depths: QueryNumbers  # (Q,) how many clips were ranked for the query; 0: missing from the run
    owners: QueryNumbers  # (P,) the query of each pair, ascending
    places: Floats  # (P,)
    gains: Floats  # (P,) graded relevance, above 0
    last_rank: int  # stands for "not found" where a finite rank is needed: one after the deepest
    any_target: bool = False  # the best of several relevant clips counts, not the share of them
    texts: list[str | None] = field(default_factory=list)
    """(Q,) a fingerprint of what each query asks, None for what is no text; empty: unknown."""
    num_tied: int = 0  # queries with a relevant clip that is tied with other clips, and goes first
    num_contradicted: int = 0  # queries of a run whose stated ranks and scores disagree

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def has_hard_negative(self) -> Mask:
        """Which queries (Q,) have one."""
        return np.array([name is not None for name in self.hard_negatives], bool)

    @property
    def num_relevant(self) -> QueryNumbers:
        """How many relevant clips each query (Q,) has."""
        return np.bincount(self.owners, minlength=len(self))

    @property
    def grades(self) -> list[list[float]]:
        """The gains, query by query."""
        return _ragged(self.gains.tolist(), self.num_relevant)

    def found_ranks(self, ranks: Floats) -> Floats:
        """Ranks (Q,) with a finite value for "not found": one after the deepest ranking."""
        return np.where(np.isposinf(ranks), float(self.last_rank), ranks)

    def chosen(self, rows: QueryNumbers) -> "Outcomes":
        """The outcomes of these queries, in this order."""
        pairs = _pairs_of(self.owners, rows, len(self))
        lengths = self.num_relevant[rows]
        return Outcomes(
            ids=[self.ids[row] for row in rows],
            types=[self.types[row] for row in rows],
            datasets=[self.datasets[row] for row in rows],
            targets=[self.targets[row] for row in rows],
            hard_negatives=[self.hard_negatives[row] for row in rows],
            clusters=self.clusters[rows],
            target_ranks=self.target_ranks[rows],
            hard_negative_ranks=self.hard_negative_ranks[rows],
            target_scores=self.target_scores[rows],
            hard_negative_scores=self.hard_negative_scores[rows],
            depths=self.depths[rows],
            owners=np.repeat(np.arange(len(rows)), lengths),
            places=self.places[pairs],
            gains=self.gains[pairs],
            last_rank=self.last_rank,
            any_target=self.any_target,
            texts=[self.texts[row] for row in rows] if self.texts else [],
        )

    def columns(self) -> dict[str, Any]:
        """The same as plain columns for JSON, one entry per query; not found is null."""
        columns = {
            "id": self.ids,
            "type": self.types,
            "dataset": self.datasets,
            "targets": self.targets,
            "hard_negative": self.hard_negatives,
            "cluster": self.clusters.tolist(),
            "target_rank": _plain(self.target_ranks),
            "hard_negative_rank": _plain(self.hard_negative_ranks),
            "target_score": _plain(self.target_scores),
            "hard_negative_score": _plain(self.hard_negative_scores),
            "depth": self.depths.tolist(),
            "places": _ragged(_plain(self.places), self.num_relevant),
            "gains": self.grades,
            "last_rank": self.last_rank,
            "any_target": self.any_target,
        }
        return {**columns, "text_sha256": self.texts} if any(self.texts) else columns


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """Several outcomes as one; queries of two parts are never about the same clip."""
    queries = np.cumsum([0, *(len(part) for part in parts)])
    clips = np.cumsum([0, *(part.clusters.max(initial=-1) + 1 for part in parts)])

    def listed(name: str) -> list[Any]:
        return [value for part in parts for value in getattr(part, name)]

    def numbers(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    return Outcomes(
        ids=listed("ids"),
        types=listed("types"),
        datasets=listed("datasets"),
        targets=listed("targets"),
        hard_negatives=listed("hard_negatives"),
        clusters=np.concatenate([p.clusters + n for p, n in zip(parts, clips, strict=False)]),
        target_ranks=numbers("target_ranks"),
        hard_negative_ranks=numbers("hard_negative_ranks"),
        target_scores=numbers("target_scores"),
        hard_negative_scores=numbers("hard_negative_scores"),
        depths=numbers("depths"),
        owners=np.concatenate([p.owners + n for p, n in zip(parts, queries, strict=False)]),
        places=numbers("places"),
        gains=numbers("gains"),
        last_rank=max(part.last_rank for part in parts),
        any_target=any(part.any_target for part in parts),
        texts=listed("texts") if all(part.texts for part in parts) else [],
        num_tied=sum(part.num_tied for part in parts),
    )


def from_columns(columns: dict[str, Any], where: str) -> Outcomes:
    """Outcomes out of `columns`; raises OeaError where something is missing."""
    try:
        _check_columns(columns)
        lengths = [len(places) for places in columns["places"]]
        has_negative = np.array([name is not None for name in columns["hard_negative"]], bool)
        negative_ranks = _numbers(columns["hard_negative_rank"], np.inf)
        return Outcomes(
            ids=columns["id"],
            types=columns["type"],
            datasets=columns["dataset"],
            targets=columns["targets"],
            hard_negatives=columns["hard_negative"],
            clusters=np.array(columns["cluster"], np.int64),
            target_ranks=_numbers(columns["target_rank"], np.inf),
            hard_negative_ranks=np.where(has_negative, negative_ranks, np.nan),
            target_scores=_numbers(columns["target_score"], np.nan),
            hard_negative_scores=_numbers(columns["hard_negative_score"], np.nan),
            depths=np.array(columns["depth"], np.int64),
            owners=np.repeat(np.arange(len(lengths)), lengths),
            places=_numbers([place for row in columns["places"] for place in row], np.inf),
            gains=_numbers([gain for row in columns["gains"] for gain in row], 0.0),
            last_rank=columns["last_rank"],
            any_target=columns["any_target"],
            texts=columns.get("text_sha256", []),
        )
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise OeaError(
            f"{where}: 'per_query' is incomplete ({error!r}); run `oea eval -f json` again"
        ) from error


def _check_columns(columns: dict[str, Any]) -> None:
    """Raise ValueError where the columns are not those of the same queries."""
    own = [name for name in columns if name not in ("last_rank", "any_target")]
    counts = {name: len(columns[name]) for name in own}
    if len(set(counts.values())) > 1:
        raise ValueError(f"columns of different lengths: {counts}")
    for name in ("id", "hard_negative", "type", "dataset"):
        if not all(isinstance(value, str | None) for value in columns[name]):
            raise ValueError(f"{name}: a value that is no text")
    for places, gains, targets in zip(
        columns["places"], columns["gains"], columns["targets"], strict=True
    ):
        if len(places) != len(gains) or not all(isinstance(one, str) for one in targets):
            raise ValueError("places, gains and targets that do not fit each other")
    if not isinstance(columns["last_rank"], int | float):
        raise ValueError("last_rank")
    if not isinstance(columns["any_target"], bool):
        raise ValueError("any_target")


def places_of(owners: QueryNumbers, greater: Floats) -> Floats:
    """The place of each relevant clip (P,) from how many clips score strictly higher.

    `owners` (P,) are the queries, ascending. A place is one of its own: the relevant clips of a
    query that are tied follow each other, so that no prefix holds more clips than its length.
    """
    order = np.lexsort((greater, owners))
    owner, above = owners[order], greater[order]
    number = np.arange(len(order))
    first_of_owner = np.searchsorted(owner, owner, "left")
    is_new = np.ones(len(order), bool)
    is_new[1:] = (owner[1:] != owner[:-1]) | (above[1:] != above[:-1])
    first_of_tie = np.maximum.accumulate(np.where(is_new, number, 0))
    places = np.empty(len(order))
    # Of the clips above, those that are relevant have been counted already: `number` has them.
    places[order] = above - (first_of_tie - first_of_owner) + (number - first_of_owner) + 1
    return places


def best_of(
    owners: QueryNumbers, ranks: Floats, scores: Floats, num_queries: int
) -> tuple[Floats, Floats]:
    """The lowest rank of each query (Q,) among its pairs (P,), and that pair's score.

    Infinite and NaN for a query without pairs.
    """
    best = np.full(num_queries, len(owners), np.int64)
    order = np.lexsort((ranks, owners))[::-1]
    best[owners[order]] = order  # of one query's, the one written last stays: the lowest rank
    return np.append(ranks, np.inf)[best], np.append(scores, np.nan)[best]


def numbers_of(keys: Sequence[object]) -> QueryNumbers:
    """Number equal keys alike, in order of appearance."""
    codes: dict[object, int] = {}
    return np.array([codes.setdefault(key, len(codes)) for key in keys], np.int64)


def _pairs_of(owners: QueryNumbers, rows: QueryNumbers, num_queries: int) -> QueryNumbers:
    starts = np.searchsorted(owners, np.arange(num_queries + 1))
    parts = [np.arange(starts[row], starts[row + 1]) for row in rows]
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _plain(numbers: Floats) -> list[Any]:
    """A column as JSON holds it: integers where all are whole; None for infinite ones and NaN."""
    is_known = np.isfinite(numbers)
    known = np.where(is_known, numbers, 0.0)
    values: list[Any] = (known.astype(np.int64) if not (known % 1).any() else known).tolist()
    for row in np.flatnonzero(~is_known).tolist():
        values[row] = None
    return values


def _numbers(values: list[Any], absent: float) -> Floats:
    return np.array([absent if value is None else value for value in values], np.float64)


def _ragged(values: list[Any], lengths: QueryNumbers) -> list[list[Any]]:
    ends = np.cumsum(lengths).tolist()
    return [values[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
