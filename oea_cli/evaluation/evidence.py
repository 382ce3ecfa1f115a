"""What the ids in outcomes stand for: a query's text, a clip's captions and sound.

Measuring needs none of it, so it is read only when a report shows it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from oea_cli.evaluation.clip_names import ClipNames
from oea_cli.evaluation.judgments import Query
from oea_cli.tables import Record, is_remote, open_bytes, read_json_lines, rejoin

if TYPE_CHECKING:
    from oea_cli.embeddings.batch import Batch
    from oea_cli.vector_index import VectorIndex

GetRecords = Callable[[Collection[str]], dict[str, Record]]
"""Records by the ids asked for, in whatever spelling; ids that mean nothing are left out."""
CAPTION_ID = re.compile(r"(?P<clip>.+)#(?P<number>[1-9][0-9]*)", re.DOTALL)


def no_records(ids: Collection[str]) -> dict[str, Record]:
    """There are none."""
    return {}


@dataclass(frozen=True)
class Evidence:
    """Where the records of queries and of clips can be had."""

    queries: GetRecords = no_records
    clips: GetRecords = no_records


def query_records(queries: Sequence[Query]) -> GetRecords:
    """The records of queries as they were read, their paths resolved."""

    def get(ids: Collection[str]) -> dict[str, Record]:
        wanted = set(ids)
        return {query.id: _resolved(query) for query in queries if query.id in wanted}

    return get


def _resolved(query: Query) -> Record:
    """The query's record, its path such that it opens from the working directory."""
    from oea_cli.folders import parent
    from oea_cli.records import resolved

    path = query.record.get("path")
    source = query.where.rpartition(":")[0]
    if not isinstance(path, str) or source in ("", "stdin"):
        return query.record
    return {**query.record, "path": resolved(path, parent(source))}


def index_records(index: "VectorIndex") -> GetRecords:
    """The records of an index; of a clip that lies as several windows, the first one's."""

    def get(ids: Collection[str]) -> dict[str, Record]:
        meant = _meant(ids, index.row_of)
        names = sorted(set(meant.values()))
        rows = np.array([index.row_of[name] for name in names], np.int64)
        return _by_asked(meant, dict(zip(names, index.records(rows), strict=True)))

    return get


def corpus_records(source: str, ids: Sequence[str]) -> GetRecords:
    """The records beside a corpus of vectors, which is read again; stdin cannot be."""

    def get(asked: Collection[str]) -> dict[str, Record]:
        from oea_cli.embeddings import read_embeddings

        if source == "-":
            return {}
        meant = _meant(asked, ids)
        wanted = set(meant.values())
        batches: Iterable[Batch] = read_embeddings(source) if wanted else ()
        found = {
            record["id"]: record
            for batch in batches
            for record in batch.records
            if record["id"] in wanted
        }
        return _by_asked(meant, found)

    return get


def hit_records(source: str) -> GetRecords:
    """What the hits of a JSONL run carry of their clips; the run is read again up to the last one
    asked for. A TREC run holds bare ids, and what is no file cannot be read twice."""

    def get(ids: Collection[str]) -> dict[str, Record]:
        if not (is_remote(source) or Path(source).is_file()):
            return {}
        wanted, found = set(ids), {}
        with open_bytes(source) as stream:
            first, whole = rejoin(stream)
            rows = read_json_lines(whole, source) if first.lstrip()[:1] == b"{" else iter(())
            for _, row in rows:
                if row["id"] in wanted:
                    wanted.remove(row["id"])
                    found[row["id"]] = row
                if not wanted:
                    break
        return found

    return get


def _meant(asked: Iterable[str], ids: Collection[str]) -> dict[str, str]:
    """For each id asked for, the id of the record that it means: the same one, the first window
    of the clip, or, for `CLIP#2`, the clip that is the caption's."""
    from oea_cli.embeddings.shards import clip_of

    first_of_clip: dict[str, str] = {}
    for id_ in ids:
        first_of_clip.setdefault(clip_of(id_), id_)
    known, names = set(ids), ClipNames(first_of_clip)
    meant: dict[str, str] = {}
    for id_ in dict.fromkeys(asked):
        caption = CAPTION_ID.fullmatch(id_)
        clip = names.find(id_) or (names.find(caption["clip"]) if caption else None)
        if id_ in known:
            meant[id_] = id_
        elif clip is not None:
            meant[id_] = first_of_clip[clip]
    return meant


def _by_asked(meant: dict[str, str], records: dict[str, Record]) -> dict[str, Record]:
    found = {}
    for asked, id_ in meant.items():
        if id_ not in records:
            continue
        record = dict(records[id_])
        caption = CAPTION_ID.fullmatch(asked)
        captions = record.get("captions")
        if asked != id_ and caption and isinstance(captions, list):
            number = int(caption["number"])
            record["captions"] = captions[number - 1 : number]
        if asked != id_ and "#t=" not in asked:
            # The clip was meant, and not the window that stands for it.
            record = {key: value for key, value in record.items() if key not in ("start", "end")}
        found[asked] = record
    return found
