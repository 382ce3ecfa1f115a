"""Numbered lines of text, and the JSON objects they hold."""

import io
from collections.abc import Iterator
from itertools import chain, dropwhile
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import orjson

from oea_cli.errors import Failure, OeaError, Report, raise_failure
from oea_cli.records.addresses import open_bytes
from oea_cli.records.json_values import json_problem, parse_json
from oea_cli.records.rows import Record, Rows
from oea_cli.records.text import CHUNK_BYTES, NUL_FOUND, UTF8_BOM, text_in, text_stream

T = TypeVar("T")


MAX_LINE_BYTES = 64 * 2**20


CUT_OFF = "the line is cut off"
"""The end of the error about a last line that is not complete."""


def filled_lines(stream: BinaryIO, name: str, report: Report) -> Iterator[tuple[int, bytes]]:
    """The numbered lines, from the first that is not blank."""
    return dropwhile(lambda line: line[1].isspace(), numbered_lines(stream, name, report))


def peek(items: Iterator[T]) -> tuple[T | None, Iterator[T]]:
    """The first item (None when there is none) and the whole iteration, that item included."""
    for first in items:
        return first, chain([first], items)
    return None, iter(())


class PeekableStream(io.BufferedReader):
    """A stream whose first line can be looked at before anything of it is read.

    `text` names a stream that has to be text: it is then as `text_stream` gives it.
    """

    def __init__(self, stream: BinaryIO, text: str | None = None) -> None:
        self._whole = _WholeStream(stream if text is None else text_stream(stream, text))
        super().__init__(self._whole, CHUNK_BYTES)

    def first_line(self) -> bytes:
        """The first line that is not blank, b"" where there is none; call it before reading."""
        return self._whole.first_line()


class _WholeStream(io.RawIOBase):
    """Gives out again what was looked at, and then the rest as it arrives."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._start = self._line = b""
        self._read = getattr(stream, "read1", stream.read)

    def first_line(self) -> bytes:
        while not self._line and (line := self._stream.readline(MAX_LINE_BYTES)):
            self._start += line
            self._line = b"" if line.isspace() else line
        return self._line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._start or self._read(len(buffer))
        chunk, self._start = chunk[: len(buffer)], chunk[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def read_text(source: str | Path) -> bytes:
    """The content of a text file, as `text_in` has it; "-" is stdin.

    Raises OeaError for a file that cannot be read, and for one that is not text.
    """
    with open_bytes(source) as stream:
        return text_in(stream.read(), "stdin" if str(source) == "-" else str(source))


def read_json(source: str | Path) -> Any:
    """The value in a file of JSON, as `parse_json` has it; raises OeaError naming the line that is
    none."""
    content = read_text(source)
    try:
        return parse_json(content)
    except orjson.JSONDecodeError as error:
        line, problem = json_problem(content, error)
        raise OeaError(f"{source}:{line}: {problem}") from error


def first_line(source: str, stdin: PeekableStream | None = None) -> bytes:
    """The first line of a file or of stdin ("-") that is not blank, b"" where there is none;
    of anything, be it text or not."""
    if source == "-" and stdin is not None:
        line = stdin.first_line()
    else:
        with open_bytes(source) as stream:
            line = next((line for line in stream if not line.isspace()), b"")
    return line.removeprefix(UTF8_BOM).strip().partition(b"\r")[0]


def numbered_lines(
    stream: BinaryIO, name: str, report: Report = raise_failure
) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based number, line with its end), blank lines too, of a text stream.

    A line beyond 64 MiB goes to `report`, so that no stream is ever held in memory as a
    whole, and so does one with a NUL byte; raises OeaError for a stream that is not text.
    """
    text = text_stream(stream, name)
    number = 0
    while line := text.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = text.readline(MAX_LINE_BYTES)
            report(Failure(f"{name}:{number}", "line is longer than 64 MiB"))
        elif 0 in line:  # seven times as fast as looking for b"\0"
            report(Failure(f"{name}:{number}", NUL_FOUND))
        else:
            yield number, line


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
            row = parse_json(line)
        except orjson.JSONDecodeError as error:
            report(Failure(f"{name}:{number}", _line_problem(line, error)))
            continue
        if isinstance(row, dict):
            yield number, line, row
        else:
            problem = "not a JSON object; records are one object per line"
            report(Failure(f"{name}:{number}", problem))


def _line_problem(line: bytes, error: orjson.JSONDecodeError) -> str:
    if line.strip() in (b"[", b"{"):
        cut = "" if line.endswith(b"\n") else f"; {CUT_OFF}"
        return f"expected one JSON object per line; `jq -c '.[]'` makes them from a list{cut}"
    problem = json_problem(line, error)[1]
    if line.endswith(b"\n"):
        return problem
    return f"{problem.partition(',')[0]}; {CUT_OFF}"
