"""Verdicts on pairs and ratings of queries: the log of them, what counts of it, the majority.

One JSON line each, on disk before anyone reads that it is stored:

    {"target", "hard_negative", "verdict": "valid"|"same"|"unsure", "annotator", "time"}
    {"id" or "audio_id", "dataset"?, "query_type"?, "text", "rating": 1 to 5, "annotator", "time"}

Lines are only ever added. Of the rows of one annotator about one item the last one counts; one
whose verdict or rating is null takes an earlier one back, and one with `"undo": true` restores
what was there before.
"""

import io
import os
import re
import stat
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from oea_cli.clips.names import ClipNames
from oea_cli.errors import Failure, OeaError, raise_failure
from oea_cli.records.artefacts import check_parent
from oea_cli.records.lines import CUT_OFF, read_json_lines
from oea_cli.records.rows import Record
from oea_cli.records.tables import read_table

VERDICT, RATING = "verdict", "rating"
VALID, SAME, UNSURE = VERDICTS = ("valid", "same", "unsure")
VALID_NAMES = (VALID, "valid hard negative", "yes")
"""Other people's words for it, in other people's files."""
RATINGS = (1, 2, 3, 4, 5)
SUBJECT_NAMES = ("id", "audio_id", "dataset", "query_type", "text", "target", "hard_negative")
START_OF_ROW = re.compile(rf'\{{"({"|".join(SUBJECT_NAMES)})"'.encode())
Key = tuple[str | None, ...]
Value = str | int | None


@dataclass(frozen=True)
class VerdictEntry:
    """What one annotator gave one item: a "verdict" to a pair or a "rating" to a query.

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


def entry_of(where: str, row: Record) -> VerdictEntry:
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
    return VerdictEntry(subject, kind, value, annotator, row.get("undo") is True)


def latest(entries: Iterable[VerdictEntry]) -> list[VerdictEntry]:
    """What counts: the last entry of each annotator about each item, where it was not taken back.

    In the order in which they were first given.
    """
    found: dict[tuple[str, Key], VerdictEntry] = {}
    for entry in entries:
        found[entry.annotator, entry.key] = entry
    return [entry for entry in found.values() if entry.value is not None]


def majority(values: Iterable[Value]) -> Value:
    """The value that more gave than any other, None where two stand level."""
    ranked = Counter(values).most_common(2)
    return None if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def is_valid(verdict: str) -> bool:
    """True where a file's verdict on a pair is that its hard negative is a valid one."""
    return verdict.strip().lower() in VALID_NAMES


@dataclass(frozen=True, slots=True)
class Verdict:
    """The majority's choice, "unsure" where there is none, and who was asked, by name."""

    choice: str
    annotators: tuple[str, ...]


class PairVerdicts:
    """Verdicts by pair. They hold both ways round: for the pair and its reverse."""

    def __init__(self, entries: Iterable[VerdictEntry], ids: Iterable[str]) -> None:
        """Take in what `oea review` stored and nobody took back; ratings of queries do not count.

        Clips that are not among `ids` are counted in `num_elsewhere`.
        """
        names = ClipNames(ids)
        votes: dict[frozenset[str], dict[str, Value]] = {}
        self.num_elsewhere = 0
        for entry in (entry for entry in entries if entry.kind == VERDICT):
            sides = (str(entry.subject.get(side, "")) for side in ("target", "hard_negative"))
            pair = frozenset(filter(None, map(names.find, sides)))
            if len(pair) < 2:
                self.num_elsewhere += 1
            else:
                votes.setdefault(pair, {})[entry.annotator] = entry.value
        self._found = {pair: _verdict(cast) for pair, cast in votes.items()}

    def of(self, target: str, hard_negative: str) -> Verdict | None:
        """The verdict on a pair; None where nobody was asked."""
        return self._found.get(frozenset((target, hard_negative)))


def _verdict(votes: dict[str, Value]) -> Verdict:
    return Verdict(str(majority(votes.values()) or UNSURE), tuple(sorted(filter(None, votes))))


def read_pair_verdicts(source: str, ids: Iterable[str]) -> PairVerdicts:
    """Read verdicts on pairs of these clips from a file; raises OeaError for what is none."""
    return PairVerdicts(read_verdicts([source]), ids)


def read_verdicts(sources: Iterable[str]) -> list[VerdictEntry]:
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
        """Open or make the file; a last line that a crash cut off, which was never reported as
        stored, is removed. Raises OeaError for a file that is no log of verdicts."""
        self.path = path
        self._lock = threading.Lock()
        check_parent(path)
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

    def append(self, entry: VerdictEntry) -> None:
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

    def _read(self) -> list[VerdictEntry]:
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


def _parsed(content: bytes, path: Path) -> Iterator[VerdictEntry]:
    for where, row in read_json_lines(io.BytesIO(content), str(path)):
        yield entry_of(where, row)
