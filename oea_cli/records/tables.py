"""Rows from JSONL, JSON, CSV, TSV and Parquet, from a path, an address or a stream, lazily."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import dropwhile, islice
from pathlib import Path
from typing import BinaryIO

from oea_cli.errors import Failure, OeaError, Report, raise_failure
from oea_cli.records.addresses import is_remote, open_bytes
from oea_cli.records.cells import LIST_COLUMNS, value_of
from oea_cli.records.fields import RowError, check_values
from oea_cli.records.lines import (
    filled_lines,
    parse_json_lines,
    peek,
    read_json,
    read_json_lines,
)
from oea_cli.records.rows import Record, Rows
from oea_cli.records.text import bytes_of, is_utf8, not_utf8

Line = tuple[int, bytes]
END: Line = (0, b"")
SEPARATOR_LINE = re.compile(rb'"?sep=([,;|:\t])"?\r?\n?', re.IGNORECASE)
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
    unchecked: bool = False,
) -> Rows:
    """Yield (where, row) from JSONL, JSON, CSV, TSV or Parquet, keys as they are.

    A path's format follows from its suffix; a stream ("-" is stdin) is JSONL when its first line
    starts with "{", CSV otherwise. Rows that cannot be read go to `report`, by default an OeaError.
    Columns named in `leave_out` need not be read, where the format can skip them. With `unchecked`,
    values that are not UTF-8 are left, with surrogate escapes, for the reader of the row.
    """
    rows = _rows_of(source, report, leave_out)
    return rows if unchecked else _checked(rows, report)


def _checked(rows: Rows, report: Report) -> Rows:
    for where, row in rows:
        try:
            check_values(row)
        except RowError as problem:
            report(Failure(where, str(problem)))
        else:
            yield where, row


def _rows_of(source: str | Path | BinaryIO, report: Report, leave_out: Sequence[str]) -> Rows:
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


def check_table(name: str) -> None:
    """Raise OeaError for a local table that is no text, or whose header cannot be used; its rows
    are not read."""
    suffix = table_suffix(name)
    if suffix in (None, ".parquet", ".json") or is_remote(name) or not Path(name).is_file():
        return
    with open_bytes(name) as stream:
        lines = filled_lines(stream, name, _ignored)
        if suffix in (".csv", ".tsv"):
            _opened(lines, name)
        else:
            peek(lines)


def lone_headers(names: Iterable[str]) -> str:
    """What to say of local CSV and TSV files among these that have a header and nothing else: a
    first row without one is taken for it. Empty where there is none."""
    return "".join(map(_lone_header, names))


def _lone_header(name: str) -> str:
    if table_suffix(name) not in (".csv", ".tsv") or is_remote(name) or not Path(name).is_file():
        return ""
    with open_bytes(name) as stream:
        header, text = _opened(filled_lines(stream, name, _ignored), name)
        if not header or text.next_row() is not None:
            return ""
    return f" ({name} has a header and no rows; its columns are {', '.join(map(repr, header))})"


def _ignored(failure: Failure) -> None:
    """A row's failure, which is reported when the table is read."""


def _read_stream(stream: BinaryIO, name: str, report: Report) -> Rows:
    first, lines = peek(filled_lines(stream, name, report))
    if first is None:
        return
    if first[1].lstrip().startswith(b"{"):
        yield from parse_json_lines(lines, name, report)
    else:
        yield from read_csv(lines, name, report)


def _read_json_document(name: str) -> Rows:
    document = read_json(name)
    rows = document.get("data") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OeaError(
            f"{name}: contains no list of records, neither at the top level nor under 'data'"
        )
    for number, row in enumerate(rows, 1):
        yield f"{name}: record {number}", row


def read_csv(lines: Iterator[Line], name: str, report: Report = raise_failure) -> Rows:
    """Yield (where, row) under the header's names; the delimiter is found in the header, or named
    by a line `sep=;` before it.

    Cells are text as it is, but for lists in columns that may have them (`records/cells.py`). A
    cell that is not UTF-8 keeps its bytes as surrogate escapes, for the reader of the row to
    interpret. Raises OeaError for a header that cannot be used.
    """
    header, text = _opened(lines, name)
    lists = [column for column in header if column in LIST_COLUMNS]
    while True:
        try:
            row = text.next_row()
        except csv.Error as error:
            report(Failure(f"{name}:{text.taken[0][0]}", f"not CSV ({error})"))
            text.return_to_second_line()
            continue
        if row is None:
            return
        # A row can span lines inside quotes; its last line is named.
        where = f"{name}:{text.taken[-1][0]}"
        if not row:
            continue
        if len(row) == len(header):
            yield where, _with_lists(dict(zip(header, row, strict=True)), lists)
        else:
            report(Failure(where, f"{len(row)} cells, but the header has {len(header)}"))


class _CsvText:
    """The rows of CSV, and the lines that the last of them was made of."""

    def __init__(self, lines: Iterator[Line], delimiter: str) -> None:
        self._lines, self._delimiter = lines, delimiter
        self._again: deque[Line] = deque()
        self.taken: list[Line] = []
        self._cells = csv.reader(self._decoded(), delimiter=delimiter)

    def next_row(self) -> list[str] | None:
        """The cells of the next row, None after the last; raises csv.Error."""
        self.taken.clear()
        row = next(self._cells, None)
        if row is not None and self.taken[-1] is END:
            raise csv.Error("a quote is opened here and never closed")
        return row

    def return_to_second_line(self) -> None:
        """Read what follows the first line of a bad row again: a stray quote costs one row."""
        again = [line for line in self.taken[1:] if line is not END]
        if again:
            self._again.extendleft(reversed(again))
            self._cells = csv.reader(self._decoded(), delimiter=self._delimiter)

    def _decoded(self) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(self._lines, END)
            self.taken.append(line)
            if line is END:  # asked for within quotes, or behind the last row
                return
            yield line[1].decode("utf-8", "surrogateescape")


def _opened(lines: Iterator[Line], name: str) -> tuple[list[str], _CsvText]:
    """The header, and the rows that follow; raises OeaError for one that cannot be used."""
    first, lines = peek(lines)
    if first is None:
        return [], _CsvText(lines, ",")
    named = named_delimiter(first[1])
    if named is not None:
        lines = dropwhile(lambda line: line[1].isspace(), islice(lines, 1, None))
    text = _CsvText(lines, named or delimiter_of(first[1]))
    return _header(text, name), text


def _header(text: _CsvText, name: str) -> list[str]:
    try:
        header = text.next_row() or []
    except csv.Error as error:
        raise OeaError(f"{name}:{text.taken[0][0]}: not CSV ({error})") from error
    if not header:
        return []
    where = f"{name}:{text.taken[0][0]}"
    for column in header:
        if not is_utf8(column):
            raise OeaError(f"{where}: the header is {not_utf8(bytes_of(column))}")
        if column and header.count(column) > 1:
            twice = f"the header names {column!r:.60} twice"
            raise OeaError(f"{where}: {twice}; give each column one name")
    return header


def _with_lists(row: Record, lists: list[str]) -> Record:
    for column in lists:
        row[column] = value_of(row[column])
    return row


def named_delimiter(line: bytes) -> str | None:
    """The delimiter that a first line `sep=;` names, as Excel writes it; None for other lines."""
    found = SEPARATOR_LINE.fullmatch(line)
    return None if found is None else found[1].decode()


def delimiter_of(header: bytes) -> str:
    """The delimiter a header line uses: a tab, else a comma, else a semicolon."""
    if b"\t" in header:
        return "\t"
    return ";" if b";" in header and b"," not in header else ","


def _read_parquet_rows(name: str, leave_out: Sequence[str]) -> Rows:
    """Yield (where, row) of a Parquet file, some thousand rows in memory at a time."""
    from oea_cli.records.columns import read_parquet

    number = 0
    for rows in read_parquet(name, leave_out=leave_out):
        for row in rows:
            number += 1
            yield f"{name}: row {number}", row
