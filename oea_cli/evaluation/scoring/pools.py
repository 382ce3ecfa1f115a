"""Ranking within parts of a corpus: every query among the candidates that share a record's key.

So the paper ranks: UIQ's queries of each dataset among that dataset's clips (sections 3 and 4).
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from oea_cli.clips.lookup import GetRecords
from oea_cli.clips.queries import Query
from oea_cli.errors import OeaError
from oea_cli.evaluation.protocol import Task
from oea_cli.evaluation.scoring.tasks import Assigned, Questions, assign, rank
from oea_cli.metrics.outcomes import Outcomes, QueryNumbers, joined
from oea_cli.vectors.arrays import Ties, Vectors
from oea_cli.vectors.scan.candidates import BLOCK_ROWS, Corpus, Rows, spread

Labels = list[str]
"""The pool of each candidate."""


class ChosenRows:
    """Some rows of others."""

    def __init__(self, rows: Rows, numbers: QueryNumbers) -> None:
        self.dim, self.count = rows.dim, len(numbers)
        self._rows, self._numbers = rows, numbers

    def take(self, rows: QueryNumbers) -> Vectors:
        return self._rows.take(self._numbers[rows])

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        for start in range(0, self.count, BLOCK_ROWS):
            yield start, self._rows.take(self._numbers[start : start + BLOCK_ROWS])


def labels_of(
    corpus: Corpus, key: str, records: GetRecords, queries: Sequence[Query], task: Task
) -> Labels:
    """What each candidate's record has under `key`.

    A `dataset` that a record does not tell is told by the queries that have the clip as their
    target: UIQ asks for every clip of a dataset. Raises OeaError that names a candidate of which
    nobody tells it.
    """
    known = records(corpus.clips)
    by_query = _told_by_queries(corpus, queries, task) if key == "dataset" else {}
    labels = []
    for number, clip in enumerate(corpus.clips):
        value = known.get(clip, {}).get(key)
        label = by_query.get(number) if value in (None, "") else str(value)
        if label is None:
            hint = " and no query of a dataset has it as its target" if key == "dataset" else ""
            raise OeaError(
                f"{corpus.where}: {clip!r} has no {key!r} in its record{hint}; "
                f"--within {key} needs it of every clip"
            )
        labels.append(label)
    return labels


def _told_by_queries(corpus: Corpus, queries: Sequence[Query], task: Task) -> dict[int, str]:
    asked = [query for query in queries if query.dataset is not None]
    return {
        number: str(one.query.dataset)
        for one in assign(asked, corpus, task, allow_missing=True)
        for _, number, _ in one.relevant
    }


def sizes(labels: Labels) -> dict[str, int]:
    """How many candidates each pool has."""
    return {label: labels.count(label) for label in dict.fromkeys(labels)}


def rank_within(
    questions: Questions,
    corpus: Corpus,
    labels: Labels,
    task: Task,
    *,
    ties: Ties = "strict",
    allow_missing: bool = False,
) -> Outcomes:
    """As `tasks.rank`, every query within the pool of its target.

    A target that is not in the corpus is missing from the pool of the query's own dataset. Raises
    OeaError for a query with targets, or a hard negative, in several pools.
    """
    pools: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        pools.setdefault(label, []).append(number)
    rows: dict[str, list[int]] = {label: [] for label in pools}
    for one in assign(questions.queries, corpus, task, allow_missing):
        rows[_pool_of(one, labels, rows)].append(one.row)
    parts = [
        rank(
            questions.chosen(own),
            _part(corpus, np.array(pools[label], np.int64), label),
            task,
            ties=ties,
            allow_missing=allow_missing,
        )
        for label, own in rows.items()
        if own
    ]
    found = joined(parts)
    place = {query.id: row for row, query in enumerate(questions.queries)}
    return found.chosen(np.argsort([place[id_] for id_ in found.ids]))


def _pool_of(one: Assigned, labels: Labels, known: Mapping[str, object]) -> str:
    candidates = [*one.relevant, *one.hard_negative]
    found = {labels[number]: id_ for id_, number, _ in candidates if number >= 0}
    if len(found) > 1:
        (first, id_), (second, other) = list(found.items())[:2]
        raise OeaError(
            f"{one.query.where}: query {one.query.id!r} has {id_!r} in {first} and {other!r} in "
            f"{second}; a query ranks within one of them"
        )
    own = one.query.dataset
    return next(iter(found), own if own is not None and own in known else next(iter(known)))


def _part(corpus: Corpus, numbers: QueryNumbers, label: str) -> Corpus:
    """The corpus of these candidates alone."""
    ids = [corpus.ids[number] for number in numbers]
    clips = None if corpus.clips is corpus.ids else [corpus.clips[number] for number in numbers]
    rows: QueryNumbers = numbers
    starts: QueryNumbers | None = None
    if corpus.starts is not None:
        firsts = corpus.starts[numbers]
        ends = np.append(corpus.starts, corpus.rows.count)[numbers + 1]
        rows = spread(firsts, ends)
        starts = np.asarray(np.cumsum(ends - firsts) - (ends - firsts), np.int64)
    where = f"{corpus.where} ({label})"
    return Corpus(ChosenRows(corpus.rows, rows), ids, where, corpus.encoder, clips, starts)
