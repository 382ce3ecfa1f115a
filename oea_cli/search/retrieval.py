"""A search from vectors to hits: filters, exclusions, the best k, their records."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import embed_texts
from oea_cli.errors import UsageError
from oea_cli.records.ids import clip_of, is_window
from oea_cli.records.rows import Record
from oea_cli.records.where.evaluation import Condition
from oea_cli.search.exclusion import exclusion_penalty
from oea_cli.search.folding import best_files
from oea_cli.search.hits import Hit, make_hits
from oea_cli.vectors.arrays import SCORE_DIGITS, Floats, Mask, RowNumbers
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.index import VectorIndex


@dataclass(frozen=True)
class Conditions:
    """Which clips may be hits: what to push down, a condition over the records, a least score, how
    many; and whether each window of a long clip is a hit of its own, or its best one stands for the
    file."""

    exclude: list[str] = field(default_factory=list)
    where: Condition | None = None
    min_score: float | None = None
    top_k: int = 10
    windows: bool = True

    def __post_init__(self) -> None:
        if self.min_score is not None and not math.isfinite(self.min_score):
            raise UsageError(f"the least score must be a finite number; got {self.min_score}")


class Retrieval:
    """An index under certain conditions; `num_queries` and `num_hits` count what went through.

    A condition may name `other_keys` besides those of the index's records.
    """

    def __init__(
        self,
        index: VectorIndex,
        conditions: Conditions,
        get_encoder: Callable[[], Encoder],
        other_keys: Collection[str] = (),
    ) -> None:
        self.index, self.conditions, self._get_encoder = index, conditions, get_encoder
        self._other_keys = other_keys
        self.num_queries = self.num_hits = 0

    def answer(self, queries: Iterable[Batch], hide: str | None = None) -> Iterator[list[Hit]]:
        """Yield the hits of each query in turn; the record with the id `hide` is never one."""
        mask = self._mask(hide)
        for batch in queries:
            found = self._found(batch.vectors, mask)
            yield from self._hits([record["id"] for record in batch.records], found)

    def _found(self, vectors: Floats, mask: Mask | None) -> "_Found":
        """The best rows of each query, windows folded where files are asked for."""
        asked = (vectors, self.conditions.top_k, mask, self._penalty)
        if self.conditions.windows or not self._expects_windows:
            found = self._kept(*self.index.search(*asked))
            if self.conditions.windows or not found.has_windows:
                return found
        found = self._kept(*best_files(self.index, *asked))
        records = {row: {**r, "id": clip_of(r["id"])} for row, r in found.records.items()}
        return replace(found, records=records)

    @cached_property
    def _expects_windows(self) -> bool:
        """Whether to fold at once: rows that are windows may be so by their ids alone."""
        return "start" in self.index.record_files.names

    def _kept(self, rows: RowNumbers, scores: Floats) -> "_Found":
        """The rows whose score suffices, with their records."""
        # A score that was printed, given as --min-score, lets its own hit through.
        scores = np.round(scores, SCORE_DIGITS)
        least = self.conditions.min_score
        kept = (rows >= 0) & (scores >= np.float32(-np.inf if least is None else least))
        chosen = np.unique(rows[kept])
        records = dict(zip(chosen.tolist(), self.index.records(chosen), strict=True))
        return _Found(rows, scores, kept, records)

    def _mask(self, hide: str | None) -> Mask | None:
        """Return which rows (N,) may be found; None for all."""
        where = self.conditions.where
        mask = None if where is None else self.index.where(where, self._other_keys)
        if hide is not None:
            mask = np.ones(self.index.num_rows, bool) if mask is None else mask.copy()
            mask[self._hidden(hide)] = False
        return mask

    def _hidden(self, id_: str) -> RowNumbers:
        """The rows that a record hides: its own, or, where files are asked for, its file's."""
        return self.index.by_id.find_clips([id_ if self.conditions.windows else clip_of(id_)])

    @cached_property
    def _penalty(self) -> Floats | None:
        """What the excluded texts take off every row's score (N,)."""
        if not self.conditions.exclude:
            return None
        unwanted = embed_texts(self._get_encoder(), self.conditions.exclude)
        live = self.index.live
        penalty = np.zeros(self.index.num_rows, np.float32)
        penalty[live] = exclusion_penalty(self.index.scores_for(unwanted)[:, live])
        return penalty

    def _hits(self, ids: list[str], found: "_Found") -> Iterator[list[Hit]]:
        for query, id_ in enumerate(ids):
            own = found.kept[query]
            hit_records = [found.records[row] for row in found.rows[query][own].tolist()]
            self.num_queries += 1
            self.num_hits += len(hit_records)
            yield make_hits(id_, found.scores[query][own].tolist(), hit_records)


@dataclass(frozen=True)
class _Found:
    """Rows (Q, k), best first, their scores, which of them are hits, and the hits' records."""

    rows: RowNumbers
    scores: Floats
    kept: Mask
    records: dict[int, Record]

    @property
    def has_windows(self) -> bool:
        """True where a hit is a part of its clip."""
        return any(is_window(record["id"]) for record in self.records.values())
