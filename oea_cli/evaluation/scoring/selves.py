"""Queries that are candidates themselves: nothing may count as found because it asked.

A sound finds itself before all others, and a caption its own text. Such a candidate is not ranked
for that query, and is not relevant to it either.
"""

from collections.abc import Sequence
from dataclasses import replace
from os.path import realpath

import numpy as np

from oea_cli.clips.lookup import GetRecords
from oea_cli.clips.names import AmbiguousNameError
from oea_cli.clips.queries import Query
from oea_cli.evaluation.protocol import Task
from oea_cli.evaluation.scoring.finder import Finder
from oea_cli.evaluation.scoring.tasks import QueryVectors
from oea_cli.records.fields import PATH_NAMES
from oea_cli.records.ids import clip_of
from oea_cli.vectors.arrays import Mask, RowNumbers
from oea_cli.vectors.scan.candidates import Corpus
from oea_cli.vectors.scan.scores import pair_scores

SAME_VECTOR = 0.999
"""No text has a cosine like this with a sound; a sound has it with itself, however it is stored."""


def with_selves(
    judged: QueryVectors, corpus: Corpus, task: Task, records: GetRecords
) -> QueryVectors:
    """The queries, each with the candidate that is the very same sound or caption as `itself`.

    A caption is known by its id, a sound by its id or its file, and a row of the corpus' own
    vectors by its id. Where only vectors are at hand, and the task does not say that sounds ask, id
    and vector must be the same. `records` are the candidates'.
    """
    if judged.from_corpus:
        return _marked(judged, corpus, np.array(_same_rows(judged.queries, corpus), np.int64))
    if task == "audio-to-text":
        return judged
    if task == "audio-to-audio" or (task == "text-to-audio" and judged.from_sounds):
        numbers = _same_sounds(judged.queries, corpus, records)
        return _marked(judged, corpus, np.array(numbers, np.int64))
    ids = [corpus.number_of.get(query.id, -1) for query in judged.queries]
    own = np.array(ids, np.int64)
    if task == "text-to-audio":
        own[~_same_vectors(judged, corpus, own)] = -1
    return _marked(judged, corpus, own)


def are_numbered(queries: Sequence[Query]) -> bool:
    """True for a bare matrix: no more is known of its rows than their numbers."""
    return all(
        query.id == str(row) and not query.targets and not query.clip and not query.has_content
        for row, query in enumerate(queries)
    )


def _same_rows(queries: Sequence[Query], corpus: Corpus) -> list[int]:
    """The number of the candidate that each row is, or is a window of; -1 for none."""
    numbers = corpus.number_of
    return [numbers.get(query.id, numbers.get(clip_of(query.id), -1)) for query in queries]


def _same_sounds(queries: Sequence[Query], corpus: Corpus, records: GetRecords) -> list[int]:
    """The number of the candidate that each query is, by its id or by its file; -1 for none."""
    finder = Finder(corpus)
    numbers = [-1 if query.text else _by_id(query.own_id, finder) for query in queries]
    paths = {
        row: realpath(query.path)
        for row, query in enumerate(queries)
        if numbers[row] < 0 and not query.text and query.path
    }
    if paths:
        files = _files(corpus, records)
        for row, path in paths.items():
            numbers[row] = files.get(path, -1)
    return numbers


def _by_id(id_: str | None, finder: Finder) -> int:
    if id_ is None:
        return -1
    try:
        number = finder.by_id(id_)
        return number if number >= 0 else finder.by_id(clip_of(id_))
    except AmbiguousNameError:
        return -1


def _files(corpus: Corpus, records: GetRecords) -> dict[str, int]:
    """The number of the candidate that lies in each file."""
    found: dict[str, int] = {}
    for clip, record in records(corpus.clips).items():
        path = next((record[name] for name in PATH_NAMES if record.get(name)), None)
        if isinstance(path, str) and clip in corpus.number_of:
            found.setdefault(realpath(path), corpus.number_of[clip])
    return found


def _same_vectors(judged: QueryVectors, corpus: Corpus, numbers: RowNumbers) -> Mask:
    """Which queries (Q,) have the vector of their candidate; False for those without one."""
    found = np.zeros(len(numbers), bool)
    rows = np.flatnonzero((numbers >= 0) & np.array(judged.is_encoded, bool))
    if len(rows) and not are_numbered(judged.queries):
        scores = pair_scores(corpus, judged.vectors, rows, numbers[rows])
        found[rows] = scores > SAME_VECTOR
    return found


def _marked(judged: QueryVectors, corpus: Corpus, numbers: RowNumbers) -> QueryVectors:
    queries = [
        replace(query, itself=corpus.ids[number]) if number >= 0 else query
        for query, number in zip(judged.queries, numbers.tolist(), strict=True)
    ]
    return replace(judged, queries=queries)
