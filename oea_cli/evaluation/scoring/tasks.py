"""From queries and a corpus to outcomes: which candidates are relevant to which query.

text-to-audio   every caption, or given query, ranks all clips
audio-to-text   every clip ranks all captions; its best-ranked own caption counts
text-to-text    every caption ranks all others; the best of its clip's other captions counts, and
                clips with a single caption are left out
audio-to-audio  every sound ranks all other clips

The protocols are the OEA paper's (sections 3 and 4); the results of `oea eval` name the protocol
that was used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from oea_cli.clips.queries import Query
from oea_cli.errors import OeaError
from oea_cli.evaluation.protocol import Task
from oea_cli.evaluation.scoring.finder import Finder
from oea_cli.metrics.outcomes import (
    Floats,
    Mask,
    Outcomes,
    QueryNumbers,
    best_of,
    numbers_of,
    places_of,
)
from oea_cli.records.similar_ids import did_you_mean
from oea_cli.vectors.arrays import Ties, Vectors
from oea_cli.vectors.scan.candidates import Corpus
from oea_cli.vectors.scan.ranks import ranks_of

ANY_TARGET: tuple[Task, ...] = ("audio-to-text", "text-to-text")
Candidate = tuple[str, int, float]


@dataclass(frozen=True)
class QueryVectors:
    """Judged queries and their vectors (Q, D); `is_encoded` (Q,) is False for a query that could
    not be encoded, and its vector is 0. With `from_sounds`, queries without a text asked by their
    sounds; with `from_corpus`, the vectors are the candidates' own. `encoder` made the vectors,
    None where they name none."""

    queries: list[Query]
    vectors: Vectors
    is_encoded: list[bool]
    from_sounds: bool = False
    encoder: str | None = None
    from_corpus: bool = False

    def chosen(self, rows: Sequence[int]) -> "QueryVectors":
        """These queries, in this order."""
        return QueryVectors(
            [self.queries[row] for row in rows],
            self.vectors[list(rows)],
            [self.is_encoded[row] for row in rows],
            self.from_sounds,
            self.encoder,
            self.from_corpus,
        )


@dataclass(frozen=True)
class Assigned:
    """A query with the numbers of the candidates that matter to it.

    `relevant` and `hard_negative` are (id, number, grade) triples, number -1 where the corpus does
    not hold it; `hidden` is the query's own number, which is not a candidate for it, or -1.
    """

    row: int
    query: Query
    relevant: list[Candidate]
    hard_negative: list[Candidate]
    hidden: int


def one_per_clip(queries: Sequence[Query], seed: int) -> list[int]:
    """The rows of one query per clip, drawn at random, in the order of the clips."""
    rows: dict[object, list[int]] = {}
    for row, query in enumerate(queries):
        rows.setdefault(query.about, []).append(row)
    choose = Random(seed).choice
    return [choose(own) for own in rows.values()]


def assign(
    queries: Sequence[Query], corpus: Corpus, task: Task, allow_missing: bool = False
) -> list[Assigned]:
    """Find each query's relevant candidates and its hard negative in the corpus.

    Relevant are the clips that a query names; for a query that names none, the candidates of the
    clip it was made from, or of its own id; where bare matrices are compared, the row of the same
    number. The candidate that a query is itself is neither relevant nor a candidate for it. Raises
    OeaError, naming the first of them, for queries that have no target and for targets and hard
    negatives that are not in the corpus, unless `allow_missing`. A query without relevant clips
    has no candidates.
    """
    finder = Finder(corpus)
    by_row = _are_rows(queries, corpus)
    found = []
    for row, query in enumerate(queries):
        if by_row:
            relevant = [(corpus.ids[row], row, 1.0)]
        else:
            relevant = _relevant(query, finder, task in ANY_TARGET)
        own = -1 if query.itself is None else corpus.number_of.get(query.itself, -1)
        relevant = [one for one in relevant if one[1] != own or own < 0]
        negative = _members(query.hard_negative, finder, task in ANY_TARGET)
        found.append(Assigned(row, query, relevant, negative, hidden=own))
    if not allow_missing:
        _refuse_without_target(found, corpus)
        _refuse_missing(found, corpus)
    return found


def _relevant(query: Query, finder: Finder, any_target: bool) -> list[Candidate]:
    if query.targets:
        return [
            (id_, number, grade)
            for name, grade in query.targets.items()
            for id_, number, _ in _members(name, finder, any_target)
        ]
    found = _members(query.clip or query.own_id, finder, any_target=True)
    return [one for one in found if query.names_target or one[1] >= 0]


def _members(name: str | None, finder: Finder, any_target: bool) -> list[Candidate]:
    """A candidate by its id or, where captions stand for clips, all that belong to the clip."""
    if name is None:
        return []
    numbers = finder.of_clip(name) if any_target else [finder.by_id(name)]
    found = [(finder.ids[number], number, 1.0) for number in numbers if number >= 0]
    return found or [(name, -1, 1.0)]


def _are_rows(queries: Sequence[Query], corpus: Corpus) -> bool:
    """True for a bare matrix whose rows are the corpus' rows in the same order."""
    return (
        len(queries) == len(corpus)
        and not any(query.targets or query.clip for query in queries)
        and all(query.id == str(row) for row, query in enumerate(queries))
        and "0" not in corpus.number_of
    )


def _refuse_without_target(found: Sequence[Assigned], corpus: Corpus) -> None:
    without = [one.query for one in found if not one.relevant and one.hidden < 0]
    if not without:
        return
    query = without[0]
    more = f" ({len(without)} of {len(found)} queries have none)" if len(without) > 1 else ""
    if query.clip:  # a clip of an index whose captions are ranked
        says, advice = f"clip {query.id!r} has none of {corpus.where}{more}", ""
    elif query.is_named:
        near = did_you_mean(query.id, corpus.ids)
        says = f"query {query.id!r} has no 'target', and its id is none of {corpus.where}"
        says, advice = f"{says}{more}{near}", "; add one, or give --qrels"
    else:
        says, advice = f"the query has no 'target'{more}", "; add one, or give --qrels"
    leaves = "them" if more else "it"
    raise OeaError(f"{query.where}: {says}{advice}; --allow-missing leaves {leaves} out")


def _refuse_missing(found: Sequence[Assigned], corpus: Corpus) -> None:
    missing = [
        (one.query, kind, id_)
        for one in found
        for kind, candidates in (("target", one.relevant), ("hard negative", one.hard_negative))
        for id_, number, _ in candidates
        if number < 0
    ]
    if not missing:
        return
    query, kind, id_ = missing[0]
    num_queries = len({query.id for query, _, _ in missing})
    more = f" ({num_queries} of {len(found)} queries miss one)" if num_queries > 1 else ""
    raise OeaError(
        f"{query.where}: {kind} {id_!r} of query {query.id!r} is not in {corpus.where}{more}"
        f"{did_you_mean(id_, corpus.ids) or ';'} --allow-missing counts it as not found"
    )


def rank(
    query_vectors: QueryVectors,
    corpus: Corpus,
    task: Task,
    *,
    ties: Ties = "strict",
    allow_missing: bool = False,
) -> Outcomes:
    """Rank the corpus for every query; returns the outcome of each.

    Queries without relevant candidates are left out; `assign` tells which they are.
    """
    found = [
        one for one in assign(query_vectors.queries, corpus, task, allow_missing) if one.relevant
    ]
    rows = np.array([one.row for one in found], np.int64)
    encoded = np.array(query_vectors.is_encoded, bool)[rows]
    pairs = _pairs_of(found, encoded)
    known = np.flatnonzero(pairs.numbers >= 0)
    found_ranks = ranks_of(
        corpus,
        query_vectors.vectors[rows],
        pairs.owners[known],
        pairs.numbers[known],
        np.array([one.hidden for one in found], np.int64),
        ties,
    )
    ranks = np.full(len(pairs.owners), np.inf)
    scores = np.full(len(pairs.owners), np.nan)
    ranks[known], scores[known] = found_ranks.above + 1, found_ranks.scores
    depths = np.where(encoded, len(corpus) - np.array([one.hidden >= 0 for one in found]), 0)
    outcomes = _outcomes(found, pairs, ranks, scores, depths, task, ties)
    tied = known[found_ranks.is_tied & pairs.is_relevant[known]]
    return replace(outcomes, num_tied=len(set(pairs.owners[tied].tolist())))


@dataclass(frozen=True)
class _Pairs:
    """Queries and candidates (P,), relevant ones and hard negatives, by ascending query; number -1
    where there is nothing to rank."""

    owners: QueryNumbers
    numbers: QueryNumbers
    is_relevant: Mask


def _pairs_of(found: Sequence[Assigned], encoded: Mask) -> _Pairs:
    rows = [
        (owner, number if encoded[owner] else -1, relevant)
        for owner, one in enumerate(found)
        for relevant, candidates in ((True, one.relevant), (False, one.hard_negative))
        for _, number, _ in candidates
    ]
    owners, numbers, kinds = zip(*rows, strict=True) if rows else ((), (), ())
    return _Pairs(np.array(owners, np.int64), np.array(numbers, np.int64), np.array(kinds, bool))


def _outcomes(
    found: Sequence[Assigned],
    pairs: _Pairs,
    ranks: Floats,
    scores: Floats,
    depths: QueryNumbers,
    task: Task,
    ties: Ties,
) -> Outcomes:
    relevant, negative = np.flatnonzero(pairs.is_relevant), np.flatnonzero(~pairs.is_relevant)
    owners = pairs.owners[relevant]
    target_ranks, target_scores = best_of(owners, ranks[relevant], scores[relevant], len(found))
    negative_ranks, negative_scores = best_of(
        pairs.owners[negative], ranks[negative], scores[negative], len(found)
    )
    has_negative = np.array([bool(one.hard_negative) for one in found], bool)
    places = ranks[relevant] if ties == "trec" else places_of(owners, ranks[relevant] - 1)
    queries = [one.query for one in found]
    return Outcomes(
        ids=[query.id for query in queries],
        types=[query.type for query in queries],
        datasets=[query.dataset for query in queries],
        targets=[[id_ for id_, _, _ in one.relevant] for one in found],
        hard_negatives=[query.hard_negative for query in queries],
        clusters=numbers_of([query.about for query in queries]),
        target_ranks=target_ranks,
        hard_negative_ranks=np.where(has_negative, negative_ranks, np.nan),
        target_scores=target_scores,
        hard_negative_scores=negative_scores,
        depths=depths,
        owners=owners,
        places=places,
        gains=np.array([grade for one in found for _, _, grade in one.relevant], np.float64),
        last_rank=int(depths.max(initial=0)) + 1,
        any_target=task in ANY_TARGET,
        texts=[query.text_sha256 for query in queries],
    )
