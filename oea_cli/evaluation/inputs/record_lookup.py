"""Looks up the records of the ids in outcomes: a query's text, a clip's captions and sound.

Metrics do not need them, so they are read only for a report.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oea_cli.clips.lookup import GetRecords, by_given_id, resolve_ids
from oea_cli.clips.names import without_suffix
from oea_cli.clips.queries import Query
from oea_cli.records.addresses import is_remote, open_bytes
from oea_cli.records.ids import clip_of
from oea_cli.records.lines import PeekableStream, read_json_lines
from oea_cli.records.rows import Record

if TYPE_CHECKING:
    from oea_cli.vectors.batch import Batch


def query_records(queries: Sequence[Query]) -> GetRecords:
    """The records of queries as they were read, their paths resolved."""

    def get(ids: Collection[str]) -> dict[str, Record]:
        chosen = set(ids)
        return {query.id: _resolved(query) for query in queries if query.id in chosen}

    return get


def _resolved(query: Query) -> Record:
    """The query's record, with a path that opens from the working directory."""
    return {**query.record, "path": query.path} if query.path else query.record


def corpus_records(source: "str | Batch", ids: Sequence[str]) -> GetRecords:
    """The records beside a corpus of vectors, read again from its file; none for stdin."""

    def get(names: Collection[str]) -> dict[str, Record]:
        from oea_cli.vectors.opening import read_vectors

        if source == "-":
            return {}
        resolved = resolve_ids(names, ids)
        chosen = set(resolved.values())
        batches: Iterable[Batch] = read_vectors(source) if chosen else ()
        found = {
            record["id"]: record
            for batch in batches
            for record in batch.records
            if record["id"] in chosen
        }
        return by_given_id(resolved, found)

    return get


def hit_records(source: str) -> GetRecords:
    """The records in the hits of a JSONL run, which is read again up to the last id looked up.
    None for a TREC run, which holds bare ids, and for a pipe, which cannot be read twice."""

    def get(ids: Collection[str]) -> dict[str, Record]:
        if not (is_remote(source) or Path(source).is_file()):
            return {}
        missing, by_stem = set(ids), {without_suffix(id_): id_ for id_ in ids}
        row_of: dict[str, str] = {}
        rows_found: dict[str, Record] = {}
        with open_bytes(source) as stream:
            whole = PeekableStream(stream, source)
            is_json = whole.first_line().lstrip()[:1] == b"{"
            rows = read_json_lines(whole, source) if is_json else iter(())
            for _, row in rows:
                id_ = str(row["id"])
                clip = clip_of(id_)
                if names := missing & {id_, clip, without_suffix(clip), by_stem.get(clip, id_)}:
                    missing -= names
                    row_of.update(dict.fromkeys(names, id_))
                    rows_found[id_] = row
                if not missing:
                    break
        return by_given_id(row_of, rows_found)

    return get
