"""Reads the records of inputs: files, folders, patterns, lists of files, tables and texts.

The default id of a sound is its path relative to the folder that was given (as given on the command
line for a single file, as written in the row for a table); that of a text is its number: the line
in the file, or the place among the arguments (numbers continue from one input to the next).
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from oea_cli.errors import Failure, Report, UsageError, missing, raise_failure
from oea_cli.records.addresses import is_remote, join, open_bytes, parent
from oea_cli.records.alike import AlikeFailures
from oea_cli.records.datasets.layouts import interpret
from oea_cli.records.equal_ids import prefixes_of
from oea_cli.records.fields import PATH_NAMES, VECTOR_NAMES, RowError, records_from_row
from oea_cli.records.file_names import existing, exists, name_within, resolved
from oea_cli.records.folders import (
    is_folder,
    is_pattern,
    is_sound,
    matches,
    metadata_under,
    sounds_under,
)
from oea_cli.records.lines import filled_lines, parse_json_lines, peek
from oea_cli.records.path_lists import listed_paths
from oea_cli.records.rows import Record, Rows, trailing_number
from oea_cli.records.tables import (
    check_table,
    delimiter_of,
    named_delimiter,
    read_csv,
    read_table,
    table_suffix,
)
from oea_cli.records.text import bytes_of, is_utf8, nfc, not_utf8

__all__ = ["Record", "read_records", "read_table"]

TEXT_SUFFIXES = (".txt", ".txt.gz")
HEADER_NAMES = {*PATH_NAMES, "text", "caption", "captions", "caption_1", "youtube_id"}
LONE_HEADERS = {"path", "file_name", "audio_path", "text", "caption"}


def read_records(
    inputs: str | Path | Sequence[str | Path],
    *,
    report: Report = raise_failure,
    text: bool = False,
    files_from: str | None = None,
    stdin: BinaryIO | None = None,
    root: str | None = None,
    prefix_ids: bool = False,
    sounds: bool = True,
) -> Iterator[Record]:
    """Return the records of all inputs, lazily and in order.

    Inputs are sounds, folders (recursive, sorted), patterns, tables of records, addresses, or "-"
    (JSONL, CSV, or lines: paths, with `text` texts). With `text`, an input that is not a file is
    a text. `files_from` is a file of paths, one per line or ended by NUL. `root` is the folder of
    the sounds that tables name, if it is not the table's own. With `prefix_ids`, the name of its
    folder or table stands before each id (see `prefixes_of`). Without `sounds`, only what is said
    of them is wanted. Raises OeaError at once for an input that does not exist, and for one that
    holds the sounds themselves in a form that is not read; rows that make no record go to `report`,
    which raises OeaError where none is given.
    """
    names = list(map(str, [inputs] if isinstance(inputs, str | Path) else inputs))
    if files_from == "-" and "-" in names:
        raise UsageError("stdin can be read only once; use it for the inputs or for --files-from")
    reader = _Reader(report, text, stdin or sys.stdin.buffer, root)
    read = reader.text_input if text else reader.sound_input
    expanded = names if text else list(_expanded(names, report))
    if sounds and not text:
        _refuse_stored_sounds(expanded)
    for name in expanded:
        check_table(name)
    prefixes = _prefixes(expanded) if prefix_ids else {}
    parts = [_prefixed(read(name), prefixes.get(name)) for name in expanded]
    if files_from is not None:
        parts.append(reader.listed(files_from))
    return chain.from_iterable(parts)


def _expanded(inputs: Sequence[str], report: Report) -> Iterator[str]:
    for name in inputs:
        if is_pattern(name):
            yield from matches(name, report)
        elif name == "-":
            yield name
        elif found := existing(name):
            yield found
        else:
            raise missing(name)


def _refuse_stored_sounds(names: Sequence[str]) -> None:
    tables = [name for name in names if table_suffix(name) == ".parquet"]
    if tables:
        # Only here: it takes polars.
        from oea_cli.records.stored_sounds import refuse_stored_sounds

        for name in tables:
            refuse_stored_sounds(name)


def _prefixes(names: Sequence[str]) -> dict[str, str]:
    """The prefixes of folders and tables; a single file's id is its path already."""
    roots = [
        name
        for name in names
        if name != "-" and (table_suffix(name) or (exists(name) and is_folder(name)))
    ]
    return prefixes_of(roots) if roots else {}


def _prefixed(records: Iterator[Record], prefix: str | None) -> Iterator[Record]:
    return records if prefix is None else ({**r, "id": f"{prefix}/{r['id']}"} for r in records)


class _Reader:
    """Reads inputs of each kind; they share how failures are reported."""

    def __init__(self, report: Report, text: bool, stdin: BinaryIO, root: str | None) -> None:
        self._report = report
        self._text = text
        self._stdin = stdin
        self._root = root
        self._texts_before = 0  # in earlier inputs, so that no two texts get the same number

    def sound_input(self, name: str) -> Iterator[Record]:
        if name == "-":
            yield from self._stream(self._stdin, "stdin")
        elif is_folder(name):
            yield from self._folder(name)
        elif table_suffix(name) and not is_sound(name):
            yield from self._table(name)
        else:
            yield from self._records([(name, {"path": name})], folder="")

    def text_input(self, name: str) -> Iterator[Record]:
        if name == "-":
            return self._stream(self._stdin, "stdin")
        is_table = table_suffix(name) is not None
        if is_remote(name) or (exists(name) and not is_folder(name)):
            return self._table(name) if is_table else self._text_file(name)
        if (is_table or name.lower().endswith(TEXT_SUFFIXES)) and " " not in name:
            raise missing(name)
        return self._argument(name)

    def _argument(self, text: str) -> Iterator[Record]:
        if text.strip():
            yield from self._records([("text 1", {"text": text})], folder="")
        else:
            self._texts_before += 1
            self._report(Failure(f"text {self._texts_before}", "the text is empty"))

    def _text_file(self, name: str) -> Iterator[Record]:
        with open_bytes(name) as stream:
            yield from self._stream(stream, name)

    def listed(self, name: str) -> Iterator[Record]:
        """Sounds whose paths are listed in a file, relative to the working directory."""
        with open_bytes(name) if name != "-" else nullcontext(self._stdin) as stream:
            label = "stdin" if name == "-" else name
            for number, path in listed_paths(stream, label):
                where = f"{label}:{number}"
                found = existing(path) if path else None
                if found is None or not is_utf8(found):
                    self._report(Failure(where, _why_not(path, found), path))
                elif is_folder(found):
                    problem = f"{path}: a folder; a list names files, and folders are inputs"
                    self._report(Failure(where, problem, path))
                else:
                    yield from self._records([(where, {"path": found})], folder="")

    def _folder(self, folder: str) -> Iterator[Record]:
        described: set[str] = set()
        for table in metadata_under(folder):
            rows = self._rows_in(join(folder, table))
            named = self._named_within(rows, folder, table.rpartition("/")[0], described)
            yield from self._records(named, folder)
        for name in sounds_under(folder, self._report):
            if nfc(name) not in described:
                yield {"id": name, "path": join(folder, name)}

    def _named_within(self, rows: Rows, folder: str, below: str, described: set[str]) -> Rows:
        """Rows of Hugging Face's audiofolder, their file_name made relative to the named folder;
        of sounds that another table has described already, none."""
        first, rows = peek(rows)
        column = _name_column(first[1]) if first else None
        if column is None:
            return  # another table of that name
        own: set[str] = set()
        for where, row in rows:
            written = row.pop(column, None)
            if not isinstance(written, str) or not written.strip():
                self._report(Failure(where, f"no '{column}'; the row names no sound"))
                continue
            name = name_within(folder, below, written)
            key = nfc(name)
            if key not in described:
                own.add(key)
                yield where, {"file_name": name, **row}
        described |= own

    def _table(self, name: str) -> Iterator[Record]:
        rows = self._rows_in(name)
        plain = interpret(rows, name, self._root, report=self._report)
        return self._records(plain, self._root or parent(name))

    def _rows_in(self, name: str) -> Rows:
        return read_table(name, report=self._report, leave_out=VECTOR_NAMES, unchecked=True)

    def _stream(self, stream: BinaryIO, name: str) -> Iterator[Record]:
        first, lines = peek(filled_lines(stream, name, self._report))
        if first is None:
            return
        folder = "" if name == "stdin" else parent(name)
        if first[1].lstrip().startswith(b"{"):
            rows = parse_json_lines(lines, name, self._report)
            yield from self._records(interpret(rows, None, report=self._report), folder)
        elif is_header(first[1]):
            rows = read_csv(lines, name, self._report)
            yield from self._records(interpret(rows, None, report=self._report), folder)
        else:
            yield from self._records(self._plain_lines(lines, name), folder)

    def _plain_lines(self, lines: Iterator[tuple[int, bytes]], name: str) -> Rows:
        key = "text" if self._text else "path"
        for number, line in lines:
            where = f"{name}:{number}"
            try:
                content = line.decode().strip("\r\n")
            except UnicodeDecodeError:
                self._report(Failure(where, not_utf8(line)))
                continue
            if self._text:
                content = content.strip()
            if content:
                yield where, {key: content}

    def _records(self, rows: Rows | list[tuple[str, Record]], folder: str) -> Iterator[Record]:
        number = 0
        failures = AlikeFailures(self._report)
        for where, row in rows:
            number = trailing_number(where)
            try:
                records = records_from_row(
                    row,
                    self._texts_before + number,
                    text=self._text,
                    resolve=lambda path: resolved(path, folder),
                )
            except RowError as problem:
                identity = row.get("id")
                name = identity if isinstance(identity, str) else None
                failures.add(Failure(where, str(problem), name))
                continue
            failures.release()
            yield from records
        failures.end()
        self._texts_before += number


def _name_column(row: Record) -> str | None:
    """The key under which a row of metadata names its sound: file_name, audio_file_name."""
    return next((key for key in row if key == "file_name" or key.endswith("_file_name")), None)


def is_header(line: bytes) -> bool:
    """True for a CSV header, a line that names columns of records, and for the line before one that
    names the delimiter."""
    if named_delimiter(line) is not None:
        return True
    text = line.decode("utf-8", "replace").strip()  # its reader names a header that is not UTF-8
    cells = next(csv.reader([text], delimiter=delimiter_of(line)), [])
    names = HEADER_NAMES if len(cells) > 1 else LONE_HEADERS
    return bool(names & set(cells)) and len(set(cells)) == len(cells)


def _why_not(path: str, found: str | None) -> str:
    if not path:
        return "an empty name; every item of a list names a file"
    if found is not None:
        return "the file's name is not UTF-8; rename it"
    if not is_utf8(path):
        return not_utf8(bytes_of(path))
    return f"{path}: no such file or folder"
