"""Qrels: which clips are relevant to a query."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from oea_cli.clips.queries import Query, read_queries
from oea_cli.errors import OeaError
from oea_cli.evaluation.inputs.trec_files import Column, columns_of, finite_number, line_numbers
from oea_cli.records.lines import read_text
from oea_cli.records.tables import table_suffix

BEIR_HEADERS = {b"query-id", b"query_id", b"qid"}


Judgments = Mapping[str, Mapping[str, float]]
"""The grades of clips for each query, above 0 for relevant ones."""


def read_qrels(source: str | Judgments) -> list[Query]:
    """Read relevance judgments: TREC qrels, BEIR's tsv, or queries with targets as JSONL.

    Grades of 0 and below are not relevant; queries without any relevant clip are kept, without
    targets. Raises OeaError that names what cannot be used.
    """
    if isinstance(source, Mapping):
        return [_judged(id_, grades) for id_, grades in source.items()]
    if table_suffix(source) in (".jsonl", ".ndjson", ".json", ".parquet"):
        return read_queries([source])
    content = read_text(source)
    if content.lstrip()[:1] == b"{":
        return read_queries([io.BytesIO(content)])
    header = content.lstrip().partition(b"\n")[0].split()
    if header and header[0] in BEIR_HEADERS:
        # The line feed in place of the header keeps the line numbers as they are.
        content = b"\n" + content.lstrip().partition(b"\n")[2]
        header = [b"", b"", b""]
    width = 3 if len(header) == 3 else 4
    columns = columns_of(content, source, width, "query-id corpus-id score" if width == 3 else
                         "query 0 document grade")  # fmt: skip
    return _graded([columns[0], columns[-2], columns[-1]], content, source)


def _judged(id_: str, grades: Mapping[str, float]) -> Query:
    where = f"qrels[{id_!r}]"
    for clip, grade in grades.items():
        if not math.isfinite(grade):
            raise OeaError(_no_grade(where, str(grade), clip))
    return Query(id_, where, {clip: float(grade) for clip, grade in grades.items() if grade > 0})


def _no_grade(where: str, grade: str, clip: str) -> str:
    return f"{where}: grade {grade!r:.60} of {clip!r} is not a number; a grade must be a finite one"


def _graded(columns: Sequence[Column], content: bytes, source: str) -> list[Query]:
    """Queries with their relevant documents, from columns of queries, documents and grades."""
    found: dict[bytes, dict[str, float]] = {}
    judged: set[tuple[bytes, bytes]] = set()
    words = [column.words() for column in columns]

    def where(row: int) -> str:
        return f"{source}:{line_numbers(content, len(words[0]))[row]}"

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
    if not any(query.id in grades for query in queries):
        raise OeaError(f"{source}: judges none of the queries, such as {queries[0].id!r}")
    return [replace(q, targets=grades[q.id]) for q in queries if q.id in grades]
