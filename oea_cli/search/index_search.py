"""A search in one call: queries in whatever form a program holds them, hits out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import cast
from weakref import WeakKeyDictionary

import numpy as np

from oea_cli.clips.queries import as_asked
from oea_cli.encoder.matching import check_encoder, matching_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import stream_clips
from oea_cli.errors import UsageError, raise_failure
from oea_cli.records.fields import records_from_row
from oea_cli.records.rows import Record
from oea_cli.records.where.evaluation import Condition
from oea_cli.search.hits import Hit
from oea_cli.search.retrieval import Conditions, Retrieval
from oea_cli.vectors.arrays import Floats
from oea_cli.vectors.batch import Batch, batch_of
from oea_cli.vectors.index.folder import Index

Query = str | Path | Record
Queries = Query | Sequence[Query] | Batch | Floats

_LOADED: WeakKeyDictionary[Index, Encoder] = WeakKeyDictionary()
"""The encoder of each index that was searched by text or sound: loading one takes seconds."""


def search_index(
    index: Index | str | Path,
    queries: Queries,
    *,
    k: int = 10,
    exclude: Sequence[str] = (),
    where: str | None = None,
    min_score: float | None = None,
    windows: bool = True,
    encoder: Encoder | None = None,
) -> list[list[Hit]]:
    """The best `k` records of an index for each query, best first: a list of hits per query.

    A query is a text, a Path of a sound, or a record with `text` or `path`; give one or a list. A
    Batch, or an array of vectors (dim,) or (n, dim) float32, needs no encoder. A hit is a dict:
    `query_id` (the text, the path or the row's number), `rank` from 1, `id`, `score` (the cosine,
    less what `exclude` takes off), then the record's own keys. `frame(hits)` makes a table of them.

    `exclude` are texts: a clip that resembles one more than most of the index does loses score.
    `where` is a condition over the records' keys, as `--where` takes it: "duration < 10". Of a long
    clip every window may be a hit; without `windows` its best one stands for the file, and `k`
    counts files. `encoder` is the one that made the index; without it, the index's own is loaded by
    its name when first needed, and kept as long as `index` is.

    Raises UsageError for a query, a `k` or a condition that makes no sense, OeaError for an index
    without vectors, queries of another encoder or dimension, and a query that cannot be encoded.
    """
    if k < 1:
        raise UsageError(f"k must be 1 or more; got {k}")
    opened = index if isinstance(index, Index) else Index(index)
    get_encoder = cache(lambda: _encoder_of(opened, encoder))
    if encoder is not None:
        check_encoder(opened.encoder, str(opened.path), encoder.encoder_id)
    excluded = [exclude] if isinstance(exclude, str) else list(exclude)
    condition = None if where is None else Condition.parse(where)
    conditions = Conditions(excluded, condition, min_score, k, windows)
    retrieval = Retrieval(opened.snapshot, conditions, get_encoder)
    return list(retrieval.answer(_batches(opened, queries, get_encoder)))


def _encoder_of(index: Index, given: Encoder | None) -> Encoder:
    if given is not None:
        return given
    if index not in _LOADED:
        _LOADED[index] = matching_encoder(index.encoder, index.dim, str(index.path), None, {})
    return _LOADED[index]


def _batches(index: Index, queries: Queries, get_encoder: Callable[[], Encoder]) -> Iterable[Batch]:
    if isinstance(queries, Batch):
        check_encoder(index.encoder, str(index.path), queries.encoder)
        return [queries]
    if isinstance(queries, np.ndarray):
        return [batch_of(queries, "queries")]
    one = isinstance(queries, str | Path | dict)
    items = [cast(Query, queries)] if one else list(cast(Sequence[Query], queries))
    if not items:
        return []
    return stream_clips(get_encoder(), _records(items), report=raise_failure)


def _records(queries: Sequence[Query]) -> Iterator[Record]:
    for number, query in enumerate(queries, 1):
        match query:
            case str():
                yield {"id": query, "text": query}
            case Path():
                yield {"id": str(query), "path": str(query)}
            case dict():
                yield from map(as_asked, records_from_row(query, number, text=False, resolve=str))
            case _:
                raise UsageError(
                    f"query {number} is a {type(query).__name__}; "
                    "it must be a text, a Path, or a record"
                )
