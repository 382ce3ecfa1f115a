"""Hits as rows, and the rows as JSONL, JSON, TREC run, paths or a table for a person."""

import re
from collections.abc import Iterable
from typing import Any, BinaryIO
from urllib.parse import quote

import orjson

from oea_cli.errors import OeaError

Hit = dict[str, Any]
"""`query_id`, `rank` from 1, `id`, `score` (the cosine, less what --not takes off), then the
record's own keys."""

RUN_TAG = "oea"
SCORE_DIGITS = 6
BAR_CELLS = 10
_EIGHTHS = " ▏▎▍▌▋▊▉"


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
            **{key: value for key, value in record.items() if key not in _OWN_KEYS},
        }
        for rank, (score, record) in enumerate(zip(scores, records, strict=True), 1)
    ]


_OWN_KEYS = {"query_id", "rank", "id", "score"}


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


def write_trec(results: Iterable[list[Hit]], stream: BinaryIO) -> None:
    """A TREC run; blanks in ids are percent-encoded: a run has no other way to hold them."""
    for hits in results:
        for hit in hits:
            query, clip = trec_id(hit["query_id"]), trec_id(hit["id"])
            line = f"{query} Q0 {clip} {hit['rank']} {hit['score']:.{SCORE_DIGITS}f} {RUN_TAG}\n"
            stream.write(line.encode())
        stream.flush()


def trec_id(id: str) -> str:
    """Return an id without blanks: white space and `%` as %XX, all else as it is."""
    return re.sub(r"[\s%]", lambda found: quote(found[0]), id)


def write_paths(results: Iterable[list[Hit]], stream: BinaryIO, end: bytes = b"\n") -> None:
    """The path of each hit, each file once per query."""
    for hits in results:
        for path in dict.fromkeys(map(hit_path, hits)):
            stream.write(path.encode(errors="surrogateescape") + end)
        stream.flush()


def hit_path(hit: Hit) -> str:
    """Return where a hit's sound lies; raises OeaError where its record does not say."""
    path = hit.get("path")
    if not isinstance(path, str):
        raise OeaError(f"{hit['id']}: its record has no path; -f jsonl shows what it has")
    return path


def write_table(results: Iterable[list[Hit]], stream: BinaryIO) -> None:
    """A table per query that fits the terminal: rank, score bar, path, window, captions."""
    from rich.console import Console

    console = Console(highlight=False)
    several = False
    for hits in results:
        if hits:
            if several:
                console.print()
            console.print(_table(hits))
            several = True


def _table(hits: list[Hit]) -> Any:
    from rich.table import Table
    from rich.text import Text

    rows = [_cells(hit) for hit in hits]
    has_windows = any(row[3] for row in rows)
    has_captions = any(row[4] for row in rows)
    table = Table(
        box=None, title=printable(hits[0]["query_id"]), title_justify="left", pad_edge=False
    )
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("score", no_wrap=True)
    table.add_column("path", overflow="fold", ratio=2 if has_captions else None)
    if has_windows:
        table.add_column("seconds", no_wrap=True)
    if has_captions:
        table.add_column("captions", overflow="fold", ratio=3)
    for row in rows:
        shown = [*row[:3], *row[3:4][:has_windows], *row[4:][:has_captions]]
        table.add_row(*(Text(printable(cell)) for cell in shown))
    return table


def _cells(hit: Hit) -> tuple[str, str, str, str, str]:
    captions = hit.get("captions") or hit.get("text") or ""
    words = [captions] if isinstance(captions, str) else [str(caption) for caption in captions]
    more = f" (+{len(words) - 1})" if len(words) > 1 else ""
    place = str(hit.get("path") or hit["id"])
    return (
        str(hit["rank"]),
        f"{score_bar(hit['score'])} {hit['score']:.3f}",
        place,
        _seconds(hit),
        (words[0] if words else "") + more,
    )


def _seconds(hit: Hit) -> str:
    start, end = hit.get("start"), hit.get("end")
    if not isinstance(start, int | float):
        return ""
    return f"{start:g}–{end:g}" if isinstance(end, int | float) else f"{start:g}–"


def score_bar(score: float) -> str:
    """Return a bar of ten cells for a score from 0 to 1."""
    eighths = round(min(max(score, 0.0), 1.0) * BAR_CELLS * 8)
    bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return bar.ljust(BAR_CELLS)


def printable(text: str) -> str:
    """Return text that cannot command the terminal: control characters become dots."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)
