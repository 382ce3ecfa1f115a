"""Judged queries with their vectors: read from files, encoded, or the rows of a corpus."""

from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import numpy as np

from oea_cli.clips.captions import captions_by_clip
from oea_cli.clips.queries import Query, QuerySource, distinct, query_from, read_queries
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import stream_clips
from oea_cli.errors import OeaError, Report, UsageError
from oea_cli.evaluation.inputs.run_input import name_of
from oea_cli.evaluation.scoring.tasks import QueryVectors
from oea_cli.records.ids import clip_of
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.opening import VectorSource, open_vectors, same_encoder, stdin_of
from oea_cli.vectors.scan.candidates import Corpus

GetEncoder = Callable[[], Encoder]
Queries = str | Sequence[Record] | Batch
"""A file of queries or of their vectors, queries as records, or vectors in memory."""


def named(queries: Sequence[Queries], otherwise: str) -> str:
    """How messages call the queries, by their files."""
    return ", ".join(name_of(query, "queries") for query in queries) or otherwise


def only_one(sources: Sequence[Queries]) -> Queries:
    """The one file of query vectors; raises UsageError for several."""
    if len(sources) > 1:
        raise UsageError("query vectors must be in one file; give --queries once")
    return sources[0]


def read_query_vectors(source: Queries) -> QueryVectors:
    """Queries with their vectors; raises OeaError where there are no vectors."""
    vectors = open_vectors(source) if isinstance(source, str | Batch) else None
    if vectors is None:
        source = name_of(source, "queries")
        raise OeaError(
            f"{source}: holds no vectors; embed it with `oea embed --text`, "
            "or give an index with -i"
        )
    return _queries_of(vectors, name_of(source, "queries"))


def are_same(queries: Sequence[Queries], corpus: str | Batch) -> bool:
    """True where the queries are the corpus: one file or folder, under whatever names, or one
    Batch."""
    if len(queries) != 1 or not (isinstance(queries[0], str) and isinstance(corpus, str)):
        return len(queries) == 1 and queries[0] is corpus
    one, other = Path(queries[0]), Path(corpus)
    in_one_column = getattr(queries[0], "column", None) == getattr(corpus, "column", None)
    return in_one_column and one.exists() and other.exists() and one.samefile(other)


def queries_for_index(
    sources: Sequence[Queries], index: VectorIndex, get_encoder: GetEncoder, report: Report
) -> QueryVectors:
    """Queries for an index, encoded where they are no vectors yet.

    Raises OeaError for vectors of another encoder, and where there are no queries.
    """
    first = sources[0]
    stdin = stdin_of(sources)
    vectors = open_vectors(first, stdin=stdin) if isinstance(first, str | Batch) else None
    if vectors is not None:
        name = name_of(only_one(sources), "queries")
        query_vectors = _queries_of(vectors, name)
        if not same_encoder(vectors.encoder, index.encoder):
            raise OeaError(
                f"{index.folder}: made by {index.encoder}, {name} by {vectors.encoder}; "
                "embed both with the same encoder"
            )
        return query_vectors
    queries = read_queries(
        [_judgeable(source, stdin) for source in sources],
        lambda: captions_by_clip(index.records(np.flatnonzero(index.live))),
    )
    if not queries:
        raise OeaError(f"{named(sources, 'queries')}: no queries")
    return _encoded(queries, index, get_encoder, report)


def rows_as_queries(corpus: Corpus) -> QueryVectors:
    """The rows of a corpus of captions as queries of their clips."""
    queries = [
        Query(id_, corpus.where, clip=clip)
        for id_, clip in zip(corpus.ids, corpus.clips, strict=True)
    ]
    return _all_encoded(queries, corpus.rows.take(np.arange(len(corpus))), corpus.encoder)


def clips_as_queries(corpus: Corpus) -> QueryVectors:
    """The clips of an index as queries; the vector of a clip with several windows is their mean."""
    queries = [Query(id_, corpus.where, clip=id_) for id_ in corpus.ids]
    vectors = corpus.rows.take(np.arange(corpus.rows.count))
    if corpus.starts is not None:
        sums = np.add.reduceat(vectors.astype(np.float64), corpus.starts, axis=0)
        vectors = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
    return _all_encoded(queries, vectors, corpus.encoder)


def _queries_of(vectors: VectorSource, source: str) -> QueryVectors:
    queries: list[Query] = []
    parts: list[Vectors] = []
    for batch in vectors:
        for record in batch.records:
            queries.append(query_from(f"{source}: row {len(queries) + 1}", record))
        parts.append(batch.vectors)
    if not queries:
        raise OeaError(f"{source}: holds no queries")
    return _all_encoded(distinct(queries), np.concatenate(parts), vectors.encoder)


def _all_encoded(queries: list[Query], vectors: Vectors, encoder: str | None) -> QueryVectors:
    return QueryVectors(queries, vectors, [True] * len(queries), encoder=encoder)


def _judgeable(source: Queries, stdin: BinaryIO | None) -> QuerySource:
    """What a reader of judged queries takes; a pipe whose start was read begins there again."""
    if isinstance(source, Batch):
        raise UsageError("query vectors must be in one file; give --queries once")
    return stdin if stdin is not None and source == "-" else source


def _encoded(
    queries: list[Query], index: VectorIndex, get_encoder: GetEncoder, report: Report
) -> QueryVectors:
    """Encode texts and sounds; a query with only a clip's id gets the clip's vector, and a sound of
    several windows their mean."""
    stored = [query for query in queries if not query.has_content and query.id in index.row_of]
    vectors = {query.id: index.vector_of(query.id) for query in stored}
    records = [query.as_record() for query in queries if query.id not in vectors]
    made_by = index.encoder
    if records:
        encoder = get_encoder()
        made_by = made_by or encoder.encoder_id
        with closing(stream_clips(encoder, records, report=report)) as batches:
            vectors.update(_means({record["id"] for record in records}, batches))
    not_encoded = np.zeros(index.dim, np.float32)
    table = np.stack([vectors.get(query.id, not_encoded) for query in queries])
    is_encoded = [query.id in vectors for query in queries]
    return QueryVectors(queries, table, is_encoded, from_sounds=True, encoder=made_by)


def _means(ids: Set[str], batches: Iterable[Batch]) -> dict[str, Vectors]:
    """The vector (D,) of each id: its own, or the mean of its windows'."""
    found: dict[str, list[Vectors]] = {}
    for batch in batches:
        for record, vector in zip(batch.records, batch.vectors, strict=True):
            id_ = record["id"] if record["id"] in ids else clip_of(record["id"])
            found.setdefault(id_, []).append(vector)
    return {id_: _mean(own) if len(own) > 1 else own[0] for id_, own in found.items()}


def _mean(vectors: Sequence[Vectors]) -> Vectors:
    """The mean (D,) of unit vectors, of length 1."""
    total = np.stack(vectors).sum(axis=0, dtype=np.float64)
    mean: Vectors = np.asarray(total / np.linalg.norm(total), np.float32)
    return mean
