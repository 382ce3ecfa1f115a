"""The log of verdicts and ratings: one JSON line each, on disk before anyone is told it is stored.

    {"target", "hard_negative", "verdict": "valid"|"same"|"unsure", "annotator", "time"}
    {"id" or "audio_id", "dataset"?, "query_type"?, "text", "rating": 1 to 5, "annotator", "time"}

Lines are only ever added. Of the rows of one annotator about one item the last one counts; one
whose verdict or rating is null takes an earlier one back, and one with `"undo": true` restores what
was said before.
"""

import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from oea_cli.errors import Failure, OeaError, raise_failure
from oea_cli.records.lines import CUT_OFF
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table

VERDICT, RATING = "verdict", "rating"
VERDICTS = ("valid", "same", "unsure")
RATINGS = (1, 2, 3, 4, 5)
SUBJECT_NAMES = ("id", "audio_id", "dataset", "query_type", "text", "target", "hard_negative")
START_OF_ROW = re.compile(rf'\{{"({"|".join(SUBJECT_NAMES)})"'.encode())
Key = tuple[str | None, ...]
Value = str | int | None


@dataclass(frozen=True)
class Entry:
    """What one annotator said of one item: a "verdict" on a pair or a "rating" of a query.

    `value` is None where it was taken back.
    """

    subject: Record
    kind: str
    value: Value
    annotator: str
    is_undo: bool = False

    @property
    def key(self) -> Key:
        """The item it is about."""
        return key_of(self.subject)


def key_of(subject: Record) -> Key:
    """What tells one item from another."""
    return tuple(None if (v := subject.get(name)) is None else str(v) for name in SUBJECT_NAMES)


def entry_of(where: str, row: Record) -> Entry:
    """Read one line of a log; raises OeaError where it is none."""
    kind = next((kind for kind in (VERDICT, RATING) if kind in row), None)
    annotator = row.get("annotator")
    if kind is None or not isinstance(annotator, str) or not annotator:
        raise OeaError(f"{where}: no verdict and no rating of an annotator")
    value: Any = row[kind]
    known: tuple[Value, ...] = (*VERDICTS, None) if kind == VERDICT else (*RATINGS, None)
    if isinstance(value, bool) or value not in known:
        allowed = ", ".join(str(one) for one in known[:-1])
        raise OeaError(f"{where}: {kind!r} is {value!r:.60}; it is one of {allowed}, or null")
    subject = {name: row[name] for name in SUBJECT_NAMES if row.get(name) is not None}
    if not subject:
        raise OeaError(f"{where}: names neither a pair nor a query")
    return Entry(subject, kind, value, annotator, row.get("undo") is True)


def latest(entries: Iterable[Entry]) -> list[Entry]:
    """What counts: the last entry of each annotator about each item, where it was not taken back.

    In the order in which they were first given.
    """
    found: dict[tuple[str, Key], Entry] = {}
    for entry in entries:
        found[entry.annotator, entry.key] = entry
    return [entry for entry in found.values() if entry.value is not None]


def read_verdicts(sources: Iterable[str]) -> list[Entry]:
    """The entries that count, of all files together; "-" is stdin.

    A last line that was cut off does not count. Raises OeaError for what is no verdict.
    """

    def report(failure: Failure) -> None:
        if not failure.error.endswith(CUT_OFF):
            raise_failure(failure)

    return latest(
        entry_of(where, row)
        for source in sources
        for where, row in read_table(source, report=report)
    )


class VerdictLog:
    """A log that is open for writing, by this and perhaps by other processes.

    `entries` are those that were there already.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file; a last line that a crash cut off, which nobody was told was
        stored, is removed. Raises OeaError for a file that is no log of verdicts."""
        self.path = path
        self._lock = threading.Lock()
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise OeaError(f"{path}: {error.strerror}") from error
        try:
            if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                raise OeaError(f"{path}: is not a file that can be added to; choose another name")
            with self._locked():
                self.entries = self._read()
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, entry: Entry) -> None:
        """Add an entry; it is on disk when this returns. Raises OeaError, the log as before."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        row = {**entry.subject, entry.kind: entry.value, "annotator": entry.annotator, "time": now}
        if entry.is_undo:
            row["undo"] = True
        line = orjson.dumps(row) + b"\n"
        with self._locked():
            size = os.fstat(self._descriptor).st_size
            try:
                if os.write(self._descriptor, line) != len(line):
                    raise OSError(None, "no space left")
                os.fsync(self._descriptor)
            except OSError as error:
                os.ftruncate(self._descriptor, size)
                raise OeaError(f"{self.path}: not stored: {error.strerror}") from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _read(self) -> list[Entry]:
        """The entries that are there; ends the last line where it has no end."""
        content = self.path.read_bytes()
        size = content.rfind(b"\n") + 1
        entries = list(_parsed(content[:size], self.path))
        rest = content[size:]
        if _is_cut_off(rest) and (entries or START_OF_ROW.match(rest)):
            os.ftruncate(self._descriptor, size)
        elif rest:
            entries = list(_parsed(content, self.path))
            os.write(self._descriptor, b"\n")
        return entries

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with the file, among threads and, where the system has it, among processes."""
        with self._lock:
            if os.name != "posix":
                yield
                return
            fcntl = import_module("fcntl")
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)


def _is_cut_off(line: bytes) -> bool:
    """True for the beginning of a line, and for nothing at all."""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return True
    return False


def _parsed(content: bytes, path: Path) -> Iterator[Entry]:
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise OeaError(f"{path}:{number}: no verdict: not JSON ({error.msg})") from error
        if not isinstance(row, dict):
            raise OeaError(f"{path}:{number}: no verdict: not a JSON object")
        yield entry_of(f"{path}:{number}", row)
