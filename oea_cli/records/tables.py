"""Rows from JSONL, JSON, CSV, TSV and Parquet, from a path, an address or a stream, lazily."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import orjson

from oea_cli.errors import Failure, OeaError, Report, raise_failure
from oea_cli.records.addresses import open_bytes
from oea_cli.records.lines import (
    filled_lines,
    parse_json_lines,
    peek,
    read_json_lines,
    read_text,
)
from oea_cli.records.rows import Rows

TABLE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"})


def table_suffix(name: str) -> str | None:
    """The suffix of a table of records (".jsonl" also for .jsonl.gz); None for other names."""
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    return suffix if suffix in TABLE_SUFFIXES else None


def read_table(
    source: str | Path | BinaryIO,
    *,
    report: Report = raise_failure,
    leave_out: Sequence[str] = (),
) -> Rows:
    """Yield (where, row) from JSONL, JSON, CSV, TSV or Parquet, keys as they are.

    A path's format follows from its suffix; a stream ("-" is stdin) is JSONL when its first line
    starts with "{", CSV otherwise. Rows that cannot be read go to `report`, by default an OeaError.
    Columns named in `leave_out` need not be read, where the format can skip them.
    """
    if not isinstance(source, str | Path):
        yield from _read_stream(source, "stdin", report)
        return
    name = str(source)
    suffix = table_suffix(name)
    if suffix == ".parquet":
        yield from _read_parquet_rows(name, leave_out)
        return
    if suffix == ".json":
        yield from _read_json_document(name)
        return
    with open_bytes(source) as stream:
        if suffix in (".jsonl", ".ndjson"):
            yield from read_json_lines(stream, name, report)
        elif suffix in (".csv", ".tsv"):
            yield from read_csv(filled_lines(stream, name, report), name, report)
        else:
            yield from _read_stream(stream, "stdin" if name == "-" else name, report)


def _read_stream(stream: BinaryIO, name: str, report: Report) -> Rows:
    first, lines = peek(filled_lines(stream, name, report))
    if first is None:
        return
    if first[1].lstrip().startswith(b"{"):
        yield from parse_json_lines(lines, name, report)
    else:
        yield from read_csv(lines, name, report)


def _read_json_document(name: str) -> Rows:
    try:
        document = orjson.loads(read_text(name))
    except orjson.JSONDecodeError as error:
        raise OeaError(f"{name}:{error.lineno}: not JSON ({error.msg})") from error
    rows = document.get("data") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OeaError(
            f"{name}: contains no list of records, neither at the top level nor under 'data'"
        )
    for number, row in enumerate(rows, 1):
        yield f"{name}: record {number}", row


def read_csv(lines: Iterator[tuple[int, bytes]], name: str, report: Report = raise_failure) -> Rows:
    """Yield (where, row) under the header's names; the delimiter is found in the header.

    Cells are text as it is. A cell that is not UTF-8 keeps its bytes as surrogate escapes, for the
    reader of the row to interpret.
    """
    first, lines = peek(lines)
    if first is None:
        return
    numbers = [first[0]]
    cells = csv.reader(_decoded(lines, numbers), delimiter=delimiter_of(first[1]))
    header = next(cells)
    while True:
        start = numbers[0]
        try:
            row = next(cells, None)
        except csv.Error as error:
            report(Failure(f"{name}:{start + 1}", f"not CSV ({error})"))
            continue
        if row is None:
            return
        # A row can span lines inside quotes; its last line is named.
        where = f"{name}:{numbers[0]}"
        if not row:
            continue
        if len(row) == len(header):
            yield where, dict(zip(header, row, strict=True))
        else:
            report(Failure(where, f"{len(row)} cells, but the header has {len(header)}"))


def delimiter_of(header: bytes) -> str:
    """The delimiter a header line uses: a tab, else a comma, else a semicolon."""
    if b"\t" in header:
        return "\t"
    return ";" if b";" in header and b"," not in header else ","


def _decoded(lines: Iterator[tuple[int, bytes]], numbers: list[int]) -> Iterator[str]:
    for number, line in lines:
        numbers[0] = number
        yield line.decode("utf-8", "surrogateescape")


def _read_parquet_rows(name: str, leave_out: Sequence[str]) -> Rows:
    """Yield (where, row) of a Parquet file, some thousand rows in memory at a time."""
    from oea_cli.records.columns import read_parquet

    number = 0
    for rows in read_parquet(name, leave_out=leave_out):
        for row in rows:
            number += 1
            yield f"{name}: row {number}", row
