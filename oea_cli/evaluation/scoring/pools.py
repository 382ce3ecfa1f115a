"""Ranking within pools: every query ranks the candidates that share the value of a record's key.

The paper ranks like this: UIQ's queries of each dataset among its clips (sections 3 and 4).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from oea_cli.clips.lookup import GetRecords
from oea_cli.clips.queries import Query
from oea_cli.errors import OeaError
from oea_cli.evaluation.protocol import Task
from oea_cli.evaluation.scoring.tasks import Assigned, QueryVectors, assign, rank
from oea_cli.metrics.outcomes import Outcomes, joined
from oea_cli.vectors.arrays import Ties
from oea_cli.vectors.scan.candidates import Corpus

Labels = list[str]
"""The pool of each candidate."""


def labels_of(
    corpus: Corpus, key: str, records: GetRecords, queries: Sequence[Query], task: Task
) -> Labels:
    """The value of `key` in each candidate's record.

    Where a record has no `dataset`, the queries that have the clip as their target give it: UIQ
    has queries for every clip of a dataset. Raises OeaError that names the first candidate without
    a value.
    """
    known = records(corpus.clips)
    by_query = _datasets_by_queries(corpus, queries, task) if key == "dataset" else {}
    labels = []
    for number, clip in enumerate(corpus.clips):
        value = known.get(clip, {}).get(key)
        label = by_query.get(number) if value in (None, "") else str(value)
        if label is None:
            hint = " and no query of a dataset has it as its target" if key == "dataset" else ""
            raise OeaError(
                f"{corpus.where}: {clip!r} has no {key!r} in its record{hint}; "
                f"--within {key} needs it for every clip"
            )
        labels.append(label)
    return labels


def _datasets_by_queries(corpus: Corpus, queries: Sequence[Query], task: Task) -> dict[int, str]:
    with_dataset = [query for query in queries if query.dataset is not None]
    return {
        number: str(one.query.dataset)
        for one in assign(with_dataset, corpus, task, allow_missing=True)
        for _, number, _ in one.relevant
    }


def sizes(labels: Labels) -> dict[str, int]:
    """How many candidates each pool has."""
    return {label: labels.count(label) for label in dict.fromkeys(labels)}


def rank_within(
    query_vectors: QueryVectors,
    corpus: Corpus,
    labels: Labels,
    task: Task,
    *,
    ties: Ties = "strict",
    allow_missing: bool = False,
) -> Outcomes:
    """As `tasks.rank`, every query within the pool of its target.

    A target that is not in the corpus counts as missing from the pool of the query's dataset.
    Raises OeaError for a query with targets, or a hard negative, in several pools.
    """
    pools: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        pools.setdefault(label, []).append(number)
    rows: dict[str, list[int]] = {label: [] for label in pools}
    for one in assign(query_vectors.queries, corpus, task, allow_missing):
        if one.relevant:
            rows[_pool_of(one, labels, rows)].append(one.row)
    parts = [
        rank(
            query_vectors.chosen(own),
            corpus.chosen(np.array(pools[label], np.int64), label),
            task,
            ties=ties,
            allow_missing=allow_missing,
        )
        for label, own in rows.items()
        if own
    ]
    found = joined(parts)
    place = {query.id: row for row, query in enumerate(query_vectors.queries)}
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
