"""Hits as rows, and the rows as JSONL, JSON, CSV, TREC run, paths or a table for a person."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

import orjson

from oea_cli.errors import OeaError
from oea_cli.records.ids import trec_id
from oea_cli.vectors.arrays import SCORE_DIGITS

Hit = dict[str, Any]
"""`query_id`, `rank` from 1, `id`, `score` (the cosine, less what --not takes off), then the
record's own keys."""

RUN_TAG = "oea"


def make_hits(
    query_id: str, scores: Iterable[float], records: Iterable[dict[str, Any]]
) -> list[Hit]:
    """Return the hits of one query, given best first."""
    return [
        {
            "query_id": query_id,
            "rank": rank,
            "id": record["id"],
            "score": round(float(score), SCORE_DIGITS),
            **{key: value for key, value in record.items() if key not in OWN_KEYS},
        }
        for rank, (score, record) in enumerate(zip(scores, records, strict=True), 1)
    ]


OWN_KEYS = ("query_id", "rank", "id", "score")
_FIRST_KEYS = ("index", "path", "text", "captions", "start", "end", "duration")


def write_jsonl(results: Iterable[list[Hit]], stream: BinaryIO) -> None:
    """One hit per line."""
    for hits in results:
        stream.write(b"".join(orjson.dumps(hit) + b"\n" for hit in hits))
        stream.flush()


def write_json(results: Iterable[list[Hit]], stream: BinaryIO) -> None:
    """One list of all hits."""
    mark = b"["
    for hits in results:
        for hit in hits:
            stream.write(mark + b"\n  " + orjson.dumps(hit))
            mark = b","
    stream.write(b"[]\n" if mark == b"[" else b"\n]\n")


def csv_columns(keys: Iterable[str]) -> list[str]:
    """The columns of hits whose records have these keys: what a hit has, then what we know."""
    known = sorted(set(keys) - {*OWN_KEYS})
    return [*OWN_KEYS, *sorted(known, key=lambda key: (*_FIRST_KEYS, key).index(key))]


def write_csv(results: Iterable[list[Hit]], stream: BinaryIO, columns: Sequence[str]) -> None:
    """A line per hit below a header; a list or an object is a cell of JSON, null an empty one."""
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerow(columns)
    for hits in results:
        writer.writerows([_cell(hit.get(key)) for key in columns] for hit in hits)
        _hand_over(rows, stream)
    _hand_over(rows, stream)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def _hand_over(rows: io.StringIO, stream: BinaryIO) -> None:
    stream.write(rows.getvalue().encode(errors="surrogateescape"))
    stream.flush()
    rows.seek(0)
    rows.truncate()


def write_trec(results: Iterable[list[Hit]], stream: BinaryIO) -> None:
    """A TREC run; blanks in ids are percent-encoded: a run has no other way to hold them.

    Raises OeaError for an id that two indexes have.
    """
    for hits in results:
        _refuse_equal_ids(hits)
        for hit in hits:
            query, clip = trec_id(hit["query_id"]), trec_id(hit["id"])
            line = f"{query} Q0 {clip} {hit['rank']} {hit['score']:.{SCORE_DIGITS}f} {RUN_TAG}\n"
            stream.write(line.encode())
        stream.flush()


def _refuse_equal_ids(hits: list[Hit]) -> None:
    first: dict[str, Hit] = {}
    for hit in hits:
        if (other := first.setdefault(hit["id"], hit)) is not hit:
            raise OeaError(
                f"{hit['id']}: is in {other['index']} and in {hit['index']}; "
                "a run needs ids that differ (-f jsonl names the index)"
            )


def write_paths(
    results: Iterable[list[Hit]],
    stream: BinaryIO,
    end: bytes = b"\n",
    shown: Callable[[str], str] = str,
) -> None:
    """The path of each hit, each file once per query, in the bytes of its name, or as `shown`."""
    for hits in results:
        for path in dict.fromkeys(map(hit_path, hits)):
            stream.write(shown(path).encode(errors="surrogateescape") + end)
        stream.flush()


def hit_path(hit: Hit) -> str:
    """Return where a hit's sound lies; raises OeaError where its record has no path."""
    path = hit.get("path")
    if not isinstance(path, str):
        raise OeaError(f"{hit['id']}: its record has no path; -f jsonl shows what it has")
    return path
