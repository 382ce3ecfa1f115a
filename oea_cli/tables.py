"""Rows out of JSONL, JSON, CSV, TSV and Parquet, from a path, an address or a stream, lazily."""

import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, dropwhile
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import orjson

from oea_cli.errors import Failure, OeaError, Report, raise_failure

T = TypeVar("T")
Record = dict[str, Any]
"""`id`, `path` or `text`, `captions`?, `start`/`end`/`duration`? in seconds, and any other key."""
Rows = Iterator[tuple[str, Record]]
"""Rows with where they stand ("clips.jsonl:12"), as people look them up."""

TABLE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"})
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S")
MAX_LINE_BYTES = 64 * 2**20
CUT_OFF = "the line is cut off"
"""How the error of a last line without its end ends."""
UTF8_BOM = b"\xef\xbb\xbf"
BINARY_STARTS = {
    b"RIFF": "audio",
    b"fLaC": "audio",
    b"OggS": "audio",
    b"ID3": "audio",
    b"\x93NUMPY": "a matrix of vectors",
    b"PAR1": "Parquet, which has to be a file, given by its path",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}


def is_remote(source: str) -> bool:
    """True for an address such as s3://bucket/a.wav, which fsspec opens."""
    return ADDRESS.match(source) is not None


def table_suffix(name: str) -> str | None:
    """The suffix of a name that says it is a table of records (".jsonl" also for .jsonl.gz)."""
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    return suffix if suffix in TABLE_SUFFIXES else None


@contextmanager
def open_bytes(source: str | Path) -> Iterator[BinaryIO]:
    """Open a file, an address or "-" (stdin) for reading bytes; gzip by its suffix.

    Raises OeaError when it does not exist or cannot be read.
    """
    name = str(source)
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = _open_remote(name) if is_remote(name) else _open_local(name)
    except (OSError, ValueError, ImportError) as error:
        raise OeaError(f"{name}: {_reason(error)}") from error
    with stream:
        if not name.lower().endswith(".gz"):
            yield stream
            return
        try:
            with gzip.open(stream) as unzipped:
                yield cast(BinaryIO, unzipped)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise OeaError(f"{name}: not a whole gzip file ({error})") from error


def _open_local(path: str) -> BinaryIO:
    return Path(path).open("rb")


def _open_remote(address: str) -> BinaryIO:
    import fsspec

    return cast(BinaryIO, fsspec.open(address, "rb").open())


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return getattr(error, "strerror", None) or str(error)


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
    with open_bytes(source) as stream:
        if suffix in (".jsonl", ".ndjson"):
            yield from read_json_lines(stream, name, report)
        elif suffix == ".json":
            yield from _read_json_document(stream, name)
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


def filled_lines(stream: BinaryIO, name: str, report: Report) -> Iterator[tuple[int, bytes]]:
    """The numbered lines from the first one on that is not blank."""
    return dropwhile(lambda line: line[1].isspace(), numbered_lines(stream, name, report))


def peek(items: Iterator[T]) -> tuple[T | None, Iterator[T]]:
    """The first item (None when there is none) and the whole iteration, that item included."""
    for first in items:
        return first, chain([first], items)
    return None, iter(())


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already, whole again."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._start or self._rest.read(len(buffer))
        chunk, self._start = chunk[: len(buffer)], chunk[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def rejoin(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """Read a stream's first line that is not blank; return it, and the whole stream again."""
    start = line = stream.readline(MAX_LINE_BYTES)
    while line and line.isspace():
        line = stream.readline(MAX_LINE_BYTES)
        start += line
    return line, io.BufferedReader(_Rejoined(start, stream))


def numbered_lines(
    stream: BinaryIO, name: str, report: Report = raise_failure
) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based number, line with its end), blank lines too, without a BOM.

    A line beyond 64 MiB goes to `report`, so that no stream is ever held whole; raises OeaError for
    a stream that is not text at all.
    """
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        if number == 1:
            line = _checked_start(line, name)
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
            report(Failure(f"{name}:{number}", "line is longer than 64 MiB"))
        else:
            yield number, line


def _checked_start(line: bytes, name: str) -> bytes:
    for start, kind in BINARY_STARTS.items():
        if line.startswith(start):
            raise OeaError(f"{name}: neither lines nor records, but {kind}")
    return line.removeprefix(UTF8_BOM) or b"\n"


def read_json_lines(stream: BinaryIO, name: str, report: Report = raise_failure) -> Rows:
    """Yield (where, object) for every line of JSONL; other lines go to `report`."""
    return parse_json_lines(numbered_lines(stream, name, report), name, report)


def parse_json_lines(lines: Iterator[tuple[int, bytes]], name: str, report: Report) -> Rows:
    """The same for lines that have been numbered already."""
    for number, _, row in json_objects(lines, name, report):
        yield f"{name}:{number}", row


def json_objects(
    lines: Iterator[tuple[int, bytes]], name: str, report: Report
) -> Iterator[tuple[int, bytes, Record]]:
    """Yield (number, line, object) for every line that holds one, as above."""
    for number, line in lines:
        if line.isspace():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            report(Failure(f"{name}:{number}", _json_problem(line, error)))
            continue
        if isinstance(row, dict):
            yield number, line, row
        else:
            problem = "not a JSON object; records are one object per line"
            report(Failure(f"{name}:{number}", problem))


def _json_problem(line: bytes, error: orjson.JSONDecodeError) -> str:
    cut = "" if line.endswith(b"\n") else f"; {CUT_OFF}"
    text = line.decode("utf-8", "replace")
    if "\ufffd" in text and "\ufffd".encode() not in line:
        return f"not UTF-8{cut}"
    if line.strip() in (b"[", b"{"):
        return "one JSON object per line is expected; `jq -c '.[]'` makes them from a list"
    return f"not JSON ({error.msg} at column {error.colno}){cut}"


def _read_json_document(stream: BinaryIO, name: str) -> Rows:
    content = stream.read().removeprefix(UTF8_BOM)
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise OeaError(f"{name}:{error.lineno}: not JSON ({error.msg})") from error
    rows = document.get("data") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise OeaError(f"{name}: holds no list of records, neither at the top nor under 'data'")
    for number, row in enumerate(rows, 1):
        yield f"{name}: record {number}", row


def read_csv(lines: Iterator[tuple[int, bytes]], name: str, report: Report = raise_failure) -> Rows:
    """Yield (where, row) under the header's names; tabs or semicolons are seen in the header.

    Cells are text as they stand. A cell that is not UTF-8 keeps its bytes as surrogate escapes:
    who interprets the row decides what they mean.
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
        # A row can span lines inside quotes; it is looked up by its last one.
        where = f"{name}:{numbers[0]}"
        if not row:
            continue
        if len(row) == len(header):
            yield where, dict(zip(header, row, strict=True))
        else:
            report(Failure(where, f"{len(row)} cells, the header has {len(header)}"))


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
    from oea_cli.record_columns import read_parquet

    number = 0
    for rows in read_parquet(name, leave_out=leave_out):
        for row in rows:
            number += 1
            yield f"{name}: row {number}", row
