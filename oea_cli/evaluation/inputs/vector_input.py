"""Query vectors and corpus vectors, or an index with its encoder -> outcomes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from oea_cli.clips.captions import captions_in
from oea_cli.clips.lookup import GetRecords, lookup
from oea_cli.clips.queries import Query, distinct
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import embed_texts
from oea_cli.errors import OeaError, Report, UsageError
from oea_cli.evaluation.inputs.qrels import Judgments, read_qrels, with_qrels
from oea_cli.evaluation.inputs.query_vectors import (
    Queries,
    are_same,
    clips_as_queries,
    named,
    only_one,
    queries_for_index,
    read_query_vectors,
    rows_as_queries,
)
from oea_cli.evaluation.inputs.record_lookup import corpus_records, query_records
from oea_cli.evaluation.inputs.run_input import RANK_RULES, name_of, with_targets
from oea_cli.evaluation.protocol import Protocol
from oea_cli.evaluation.scoring.selves import are_numbered, with_selves
from oea_cli.evaluation.scoring.tasks import QueryVectors, one_per_clip, rank
from oea_cli.evaluation.setting import RecordLookup, Setting
from oea_cli.metrics.outcomes import Outcomes
from oea_cli.records.ids import caption_id, clip_of
from oea_cli.records.rows import Record
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.opening import IndexSource, read_vectors, same_encoder
from oea_cli.vectors.rows import ArrayRows
from oea_cli.vectors.scan.candidates import Corpus

Qrels = str | Judgments | None


def evaluate_vectors(
    queries: Sequence[Queries], corpus: str | Batch, qrels: Qrels, protocol: Protocol
) -> tuple[Outcomes, Setting]:
    """Rank corpus vectors by query vectors, whatever made them.

    Without `queries`, text-to-text ranks the corpus by its own rows. Raises OeaError for vectors of
    two encoders or dimensions, and where a query's target is not in the corpus.
    """
    candidates = read_vectors(corpus).candidates()
    if queries:
        query_vectors = read_query_vectors(only_one(queries))
    elif protocol.task == "text-to-text":
        query_vectors = rows_as_queries(candidates)
    else:
        raise UsageError("--corpus needs --queries FILE with vectors")
    names = named(queries, candidates.where)
    if not same_encoder(query_vectors.encoder, candidates.encoder):
        raise OeaError(
            f"{names}: made by {query_vectors.encoder}, {candidates.where} by "
            f"{candidates.encoder}; embed both with the same encoder"
        )
    query_vectors = replace(query_vectors, from_corpus=are_same(queries, corpus))
    records = corpus_records(corpus, candidates.ids)
    return _evaluate(query_vectors, candidates, qrels, protocol, "vectors", names, records)


def evaluate_index(
    queries: Sequence[Queries],
    folder: Path,
    qrels: Qrels,
    protocol: Protocol,
    get_encoder: Callable[[VectorIndex], Encoder],
    report: Report,
) -> tuple[Outcomes, Setting]:
    """Rank what an index holds, exactly, queries encoded by the index's own encoder.

    Without `queries`, the captions of its records are the queries (or, audio-to-text, its clips).
    Raises OeaError for an index without captions where they are needed, and as `evaluate_vectors`
    does.
    """
    index = VectorIndex.open(folder)
    clips = IndexSource(index).candidates()
    encoder_of_index = cache(lambda: get_encoder(index))
    captions = protocol.task in ("audio-to-text", "text-to-text")
    corpus = _caption_corpus(index, encoder_of_index()) if captions else clips
    if protocol.task == "audio-to-text":
        if queries:
            raise UsageError(
                "audio-to-text: the queries are the index's own clips; leave --queries out"
            )
        query_vectors = clips_as_queries(clips.by_clip() if clips.has_windows else clips)
    elif queries:
        query_vectors = queries_for_index(queries, index, encoder_of_index, report)
        from_corpus = not captions and are_same(queries, str(folder))
        query_vectors = replace(query_vectors, from_corpus=from_corpus)
    elif protocol.task == "text-to-text":
        query_vectors = rows_as_queries(corpus)
    elif protocol.task == "text-to-audio":
        query_vectors = rows_as_queries(_caption_corpus(index, encoder_of_index()))
    else:
        raise UsageError("audio-to-audio needs --queries FILE with targets")
    return _evaluate(
        query_vectors,
        corpus,
        qrels,
        protocol,
        "index",
        named(queries, str(folder)),
        lookup(index.row_of, index.records_of),
    )


def _evaluate(
    query_vectors: QueryVectors,
    corpus: Corpus,
    qrels: Qrels,
    protocol: Protocol,
    kind: str,
    source: str,
    clips: GetRecords,
) -> tuple[Outcomes, Setting]:
    judged, num_without_relevant = _judged(query_vectors, qrels)
    if judged.vectors.shape[1] != corpus.dim:
        raise OeaError(
            f"{source}: vectors of {judged.vectors.shape[1]} dimensions, {corpus.where} has "
            f"{corpus.dim}; embed both with the same encoder"
        )
    if corpus.has_windows and not any(query.names_window for query in judged.queries):
        corpus = corpus.by_clip()
    if qrels is None:
        _refuse_unpaired(judged.queries, corpus, source)
    judged = with_selves(judged, corpus, protocol.task, clips)
    if protocol.captions == "one":
        judged = judged.chosen(one_per_clip(judged.queries, protocol.seed))
    described = protocol_document(protocol, kind)
    if protocol.within is None:
        outcomes = rank(
            judged, corpus, protocol.task, ties=protocol.ties, allow_missing=protocol.allow_missing
        )
    else:
        outcomes, described["pools"] = _rank_within(
            judged, corpus, clips, protocol, protocol.within
        )
    counts = _counts(judged, corpus, outcomes, protocol)
    counts["queries_without_relevant"] += num_without_relevant
    records = RecordLookup(query_records(judged.queries), clips)
    return outcomes, Setting(described, counts, corpus.encoder or judged.encoder, records)


def _refuse_unpaired(queries: Sequence[Query], corpus: Corpus, source: str) -> None:
    """Raise OeaError for a bare matrix of queries that has not as many rows as the corpus."""
    if are_numbered(queries) and len(queries) != len(corpus):
        raise OeaError(
            f"{source}: {len(queries)} rows without targets, and {corpus.where} has {len(corpus)}; "
            "rows are paired one to one, so both must have as many: give each query its 'target', "
            "or --qrels"
        )


def _counts(
    judged: QueryVectors, corpus: Corpus, outcomes: Outcomes, protocol: Protocol
) -> dict[str, int]:
    """What was ranked and what was left out; raises OeaError where nothing is left."""
    measured = set(outcomes.ids)
    left_out = [query for query in judged.queries if query.id not in measured]
    themselves = [query for query in left_out if query.itself]
    if left_out and not measured and protocol.task != "text-to-text":
        _refuse_nothing_left(left_out, themselves, judged.from_corpus)
    counts = {
        "corpus": len(corpus),
        "queries_without_relevant": len(left_out) - len(themselves),
        "queries_not_encoded": judged.is_encoded.count(False),
    }
    if protocol.task == "text-to-text":
        counts["skipped_single_caption"] = len(themselves)
    elif protocol.task.endswith("audio") or themselves:
        counts["queries_of_themselves"] = len(themselves)
    datasets = {name for name in outcomes.datasets if name is not None}
    if protocol.within is None and len(datasets) > 1:
        counts["datasets_in_one_pool"] = len(datasets)
    return counts


def _refuse_nothing_left(
    left_out: Sequence[Query], themselves: Sequence[Query], from_corpus: bool
) -> None:
    """Raise OeaError: no query has a target, or none but itself."""
    first = (themselves or left_out)[0]
    if not themselves:
        raise OeaError(
            f"{first.where}: no query has a target, this one neither; add 'target', or give --qrels"
        )
    hint = (
        "the queries are the corpus: give other queries, or targets"
        if from_corpus
        else "give other targets, or queries with 'text' (without --queries, the captions of an "
        "index ask)"
    )
    raise OeaError(
        f"{first.where}: query {first.id!r} is itself the sound that it should find, and no query "
        f"has another target; {hint}"
    )


def _rank_within(
    judged: QueryVectors, corpus: Corpus, records: GetRecords, protocol: Protocol, key: str
) -> tuple[Outcomes, dict[str, int]]:
    """The outcomes, every query ranked in its own pool, and the pools' sizes."""
    from oea_cli.evaluation.scoring.pools import labels_of, rank_within, sizes

    labels = labels_of(corpus, key, records, judged.queries, protocol.task)
    found = rank_within(
        judged,
        corpus,
        labels,
        protocol.task,
        ties=protocol.ties,
        allow_missing=protocol.allow_missing,
    )
    return found, sizes(labels)


def protocol_document(protocol: Protocol, kind: str) -> Record:
    """The protocol as a part of the results document."""
    document: Record = {
        "task": protocol.task,
        "input": kind,
        "candidates": "captions" if protocol.task.endswith("text") else "clips",
        "pool": "all" if protocol.within is None else f"those of the target's {protocol.within}",
        "captions": protocol.captions,
        "ties": protocol.ties,
        "rank": RANK_RULES[protocol.ties],
        "search": "exact",
    }
    if protocol.captions == "one":
        document["captions_seed"] = protocol.seed
    if protocol.task.endswith("text"):
        document["relevance"] = "the best rank among the clip's captions"
    if protocol.task in ("text-to-text", "audio-to-audio"):
        document["self"] = "the query itself is no candidate"
    return document


def _judged(query_vectors: QueryVectors, qrels: Qrels) -> tuple[QueryVectors, int]:
    """The queries with the qrels' targets, and how many of them have no relevant clip."""
    if qrels is None:
        return query_vectors, 0
    name = name_of(qrels, "qrels")
    judged = with_qrels(query_vectors.queries, distinct(read_qrels(qrels)), name)
    found = {query.id: query for query in with_targets(judged, name)}
    rows = [row for row, query in enumerate(query_vectors.queries) if query.id in found]
    kept = query_vectors.chosen(rows)
    queries = [found[query.id] for query in kept.queries]
    return replace(kept, queries=queries), len(judged) - len(queries)


def _caption_corpus(index: VectorIndex, encoder: Encoder) -> Corpus:
    """Every caption of the index's clips, encoded; a clip's windows share its captions."""
    captions = list(_captions(index))
    if not captions:
        raise OeaError(
            f"{index.folder}: no record has captions, and this task needs them; "
            "index records with captions"
        )
    vectors = embed_texts(encoder, [text for _, _, text in captions])
    ids, clips = [id_ for id_, _, _ in captions], [clip for _, clip, _ in captions]
    rows = ArrayRows([vectors], encoder.dim)
    made_by = index.encoder or encoder.encoder_id
    return Corpus(rows, ids, f"the captions of {index.folder}", made_by, clips)


def _captions(index: VectorIndex) -> Iterator[tuple[str, str, str]]:
    """(id, clip, text) of every caption, numbered from 1 within its clip."""
    seen: set[str] = set()
    for record in index.records(np.flatnonzero(index.live)):
        clip = clip_of(record["id"])
        if clip in seen:
            continue
        seen.add(clip)
        for number, text in enumerate(captions_in(record), 1):
            yield caption_id(clip, number), clip, text
