"""Qrels: which clips are relevant to a query."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from oea_cli.clips.queries import Query, read_queries
from oea_cli.errors import OeaError
from oea_cli.evaluation.inputs.trec_files import columns_of, finite_number, line_numbers
from oea_cli.records.fields import RowError, id_of
from oea_cli.records.lines import peek, read_text
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table, table_suffix
from oea_cli.records.text import nfc, with_line_feeds

QUERY_KEYS = ("query-id", "query_id", "qid")
CLIP_KEYS = ("corpus-id", "corpus_id", "docid", "doc_id")
BEIR_HEADERS = {key.encode() for key in QUERY_KEYS}


Judgments = Mapping[str, Mapping[str, float]]
"""The grades of clips for each query, above 0 for relevant ones."""


def read_qrels(source: str | Judgments) -> list[Query]:
    """Read relevance judgments: TREC qrels, BEIR's tsv or its rows as a table, or queries with
    targets.

    Grades of 0 and below are not relevant; queries without any relevant clip are kept, without
    targets. Raises OeaError that names what cannot be used.
    """
    if isinstance(source, Mapping):
        return [_judged(id_, grades) for id_, grades in source.items()]
    if table_suffix(source) not in (None, ".tsv"):
        return _from_table(source)
    content = with_line_feeds(read_text(source))
    if content.lstrip()[:1] == b"{":
        return _from_table(io.BytesIO(content))
    header = content.lstrip().partition(b"\n")[0].split()
    if header and header[0] in BEIR_HEADERS:
        # The line feed in place of the header keeps the line numbers as they are.
        content = b"\n" + content.lstrip().partition(b"\n")[2]
        header = [b"", b"", b""]
    width = 3 if len(header) == 3 else 4
    columns = columns_of(content, source, width, "query-id corpus-id score" if width == 3 else
                         "query 0 document grade")  # fmt: skip
    words = [column.words() for column in (columns[0], columns[-2], columns[-1])]

    def where(row: int) -> str:
        return f"{source}:{line_numbers(content, len(words[0]))[row]}"

    return _graded(words, where, source)


def _from_table(source: str | BinaryIO) -> list[Query]:
    """Rows of BEIR's judgments, or queries with targets."""
    first, rows = peek(read_table(source))
    if first is None or not all(_names(first[1])):
        if not isinstance(source, str):
            source.seek(0)
        return read_queries([source])
    places: list[str] = []
    judged: list[list[bytes]] = []
    for where, row in rows:
        places.append(where)
        judged.append(_judgment(row, where))
    words = [list(column) for column in zip(*judged, strict=True)]
    return _graded(words, places.__getitem__, places[0].rpartition(":")[0])


def _judgment(row: Record, where: str) -> list[bytes]:
    """Query, clip and grade of a row, as words of a file."""
    query, clip = _names(row)
    if query is None or clip is None or "" in (row[query], row[clip]):
        raise OeaError(f"{where}: a judgment has 'query-id', 'corpus-id' and 'score'")
    try:
        ids = [nfc(id_of(row[key], key)).encode() for key in (query, clip)]
    except RowError as problem:
        raise OeaError(f"{where}: {problem}") from problem
    return [*ids, str(row.get("score", 1)).encode(errors="replace")]


def _names(row: Record) -> tuple[str | None, str | None]:
    """Under which keys a row of judgments has its query and its clip."""
    query = next((key for key in QUERY_KEYS if row.get(key) is not None), None)
    return query, next((key for key in CLIP_KEYS if row.get(key) is not None), None)


def _judged(id_: str, grades: Mapping[str, float]) -> Query:
    where = f"qrels[{id_!r}]"
    for clip, grade in grades.items():
        if not math.isfinite(grade):
            raise OeaError(_no_grade(where, str(grade), clip))
    relevant = {nfc(clip): float(grade) for clip, grade in grades.items() if grade > 0}
    return Query(nfc(id_), where, relevant)


def _no_grade(where: str, grade: str, clip: str) -> str:
    return f"{where}: grade {grade!r:.60} of {clip!r} is not a number; a grade must be a finite one"


def _graded(words: Sequence[list[bytes]], where: Callable[[int], str], source: str) -> list[Query]:
    """Queries with their relevant documents, from columns of queries, documents and grades."""
    found: dict[bytes, dict[str, float]] = {}
    judged: set[tuple[bytes, bytes]] = set()
    for row, (query, document, grade) in enumerate(zip(*words, strict=True)):
        value = finite_number(grade)
        if value is None:
            clip = document.decode(errors="replace")
            raise OeaError(_no_grade(where(row), grade.decode(errors="replace"), clip))
        if (query, document) in judged:
            raise OeaError(
                f"{where(row)}: {document.decode()!r} is judged twice for query {query.decode()!r}"
            )
        judged.add((query, document))
        targets = found.setdefault(query, {})
        if value > 0:
            targets[document.decode()] = value
    return [Query(query.decode(), source, targets) for query, targets in found.items()]


def with_qrels(queries: list[Query], qrels: list[Query], source: str) -> list[Query]:
    """Give queries the targets that qrels name; raises OeaError where they share no query."""
    grades = {query.id: query.targets for query in qrels}
    if not any(nfc(query.id) in grades for query in queries):
        such_as = f", such as {queries[0].id!r}" if queries else ""
        raise OeaError(f"{source}: judges none of the queries{such_as}")
    return [replace(q, targets=grades[nfc(q.id)]) for q in queries if nfc(q.id) in grades]
