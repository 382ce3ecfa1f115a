"""Which inputs a folder of shards holds, and what they were: a later run notices what has changed.

    DIR/sources/sources_0000.parquet    the inputs of shard 0: id, what the record said, the file's
                                        path, place, size, time of change and content, the last
                                        three as it was read

An input is the same where its file has the size and the time that it had, or else the content. What
is remembered stays out of the records.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from oea_cli.errors import OeaError
from oea_cli.records.addresses import is_remote
from oea_cli.records.artefacts import AtomicFile
from oea_cli.records.file_names import exists
from oea_cli.records.ids import clip_of
from oea_cli.records.parquet_files import checked_rows, write_parquet
from oea_cli.records.rows import Record

FOLDER = "sources"
LOOKED_FOR = 10_000
"""So many inputs that were not named this time are looked for: more are surely another set."""
NAMED = 3
SCHEMA: dict[str, type[pl.DataType]] = {
    "id": pl.String,
    "record": pl.UInt64,
    "path": pl.String,
    "place": pl.String,
    "size": pl.Int64,
    "time": pl.Int64,
    "content": pl.UInt64,
}
Verdict = Literal["same", "changed", "failed", "moved", "gone"]


class _File(NamedTuple):
    """A file on the disk: its absolute path, bytes, and nanoseconds of its last change."""

    place: str
    size: int
    time: int


@dataclass(slots=True)
class _Input:
    """An input that is being embedded, perhaps instead of what a shard holds of it."""

    record: int | None
    path: str | None
    file: _File | None
    content: "Future[int | None] | None"
    replaces: int | None = None

    def row(self, id_: str) -> tuple[Any, ...]:
        content = self.content.result() if self.content else None
        file = self.file or (None, None, None)
        return (id_, self.record, self.path, *file, content)


UNKNOWN = _Input(None, None, None, None)


@dataclass
class DoneInputs:
    """The inputs of a folder's shards; `is_done` says of each whether it needs no encoding.

    Some sixty bytes are held for each. `replaced` are the inputs of a shard, as hashes of their
    ids, that later shards hold, too.
    """

    folder: Path
    replaced: dict[int, set[int]] = field(default_factory=dict)
    _tables: list[pl.DataFrame] = field(default_factory=list)
    _new: dict[str, _Input] = field(default_factory=dict)
    _counts: dict[Verdict, int] = field(default_factory=dict)
    _examples: dict[Verdict, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rows = _compact([])
        self._seen = np.zeros(0, bool)
        self._pool: ThreadPoolExecutor | None = None
        self._strings: tuple[int, pl.DataFrame] | None = None

    def adopt(self, shard: int, row_ids: Sequence[str]) -> None:
        """Take the inputs of a shard, whose rows have these ids, as done."""
        table = self._read(shard)
        if table is None:  # of an earlier oea: nothing is known but the ids
            ids = dict.fromkeys(id_ for row in row_ids for id_ in self._inputs_of(row))
            table = pl.DataFrame({"id": list(ids)}).select(*_columns({"id"}))
        self._tables.append(_hashed(table, shard))

    def ready(self) -> None:
        """Prepare for questions; of an input that two shards hold, the later one counts."""
        rows = _compact(self._tables)
        self._tables = []
        keys, shards = rows["key"], rows["shard"]
        older = np.flatnonzero(keys[:-1] == keys[1:])
        for row in older.tolist():
            self.replaced.setdefault(int(shards[row]), set()).add(int(keys[row]))
        newest = np.ones(len(keys), bool)
        newest[older] = False
        self._rows = {name: column[newest] for name, column in rows.items()}
        self._seen = np.zeros(len(self._rows["key"]), bool)

    def is_done(self, record: Record) -> bool:
        """True where an earlier run has stored this input as it is now.

        Raises OeaError where another file that is still there has its id.
        """
        row = self._row_of(record["id"])
        if row is None:
            self._new[record["id"]] = self._input(record)
            return False
        self._seen[row] = True
        verdict = self._verdict(row, record)
        if verdict == "changed":  # counted when it is stored: it may fail
            self._new[record["id"]] = self._input(record, int(self._rows["shard"][row]))
            return False
        self._count(verdict, record["id"], record.get("path"))
        return True

    def store(self, shard: int, row_ids: Iterable[str]) -> None:
        """Write what the inputs of a shard are, before its own files say that it is whole.

        An interrupt in between has the shard stored again: until `forget`, they are known.
        """
        ids = dict.fromkeys(id_ for row in row_ids for id_ in self._inputs_of(row))
        rows = [self._new.get(id_, UNKNOWN).row(id_) for id_ in ids]
        self._write(shard, pl.DataFrame(rows, schema=SCHEMA, orient="row"))

    def forget(self, row_ids: Iterable[str]) -> None:
        """Ask no more about the inputs of a shard that is whole; what they replace may go."""
        for id_ in (id_ for row in row_ids for id_ in self._inputs_of(row)):
            found = self._new.pop(id_, UNKNOWN)
            if found.replaces is not None:
                self.replaced.setdefault(found.replaces, set()).add(hash(id_))
                self._count("changed", id_, found.path)

    def _inputs_of(self, row_id: str) -> tuple[str, ...]:
        """The input of a row; both that it could be, where nobody asked whether it is done."""
        if row_id in self._new:
            return (row_id,)
        return (clip,) if (clip := clip_of(row_id)) in self._new else (row_id, clip)

    def kept_rows(self, shard: int, row_ids: Sequence[str]) -> list[int]:
        """The rows of a shard whose inputs have not been replaced."""
        table = self._read(shard)
        known = set(table["id"]) if table is not None else set()
        replaced = self.replaced[shard]
        owners = (id_ if id_ in known else clip_of(id_) for id_ in row_ids)
        return [row for row, owner in enumerate(owners) if hash(owner) not in replaced]

    def drop_replaced(self, shard: int) -> None:
        """Forget the replaced inputs of a shard, once its rows are without them: after a kill in
        between, they are found again."""
        table = self._read(shard)
        if table is not None:
            kept = [hash(id_) not in self.replaced[shard] for id_ in table["id"]]
            self._write(shard, table.filter(pl.Series(kept, dtype=pl.Boolean)))

    def copy(self, shard: int, number: int) -> None:
        """Write the inputs of a shard for its next number, too."""
        if (table := self._read(shard)) is not None:
            self._write(number, table)

    def unlink(self, shard: int) -> None:
        """Forget a shard."""
        self._path(shard).unlink(missing_ok=True)

    def summary(self) -> str:
        """What became of the inputs that were there already, in one line; empty for none."""
        gone, failed, counts = self._gone(), self._failed(), self._counts
        held = counts.get("same", 0) + counts.get("moved", 0)
        parts = [f"{_inputs(held, 'was', 'were')} done already"] if held else []
        if number := counts.get("changed"):
            had = "had changed and was" if number == 1 else "had changed and were"
            parts.append(f"{number} {had} embedded again ({self._named('changed')})")
        if failed:
            one = "had changed and failed: its row stays"
            several = "had changed and failed: their rows stay"
            parts.append(f"{failed} {one if failed == 1 else several} ({self._named('failed')})")
        if number := counts.get("moved"):
            one = "has moved: its row names" if number == 1 else "have moved: their rows name"
            parts.append(f"{number} {one} the old place ({self._named('moved')})")
        if gone:
            one = "is gone: its row stays" if gone == 1 else "are gone: their rows stay"
            parts.append(f"{gone} {one} ({self._named('gone')})")
        stale = "; --no-resume embeds what is there anew" if gone or counts.get("moved") else ""
        return "; ".join(parts) + stale

    def close(self) -> None:
        """End the thread that reads contents."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _failed(self) -> int:
        """How many inputs had changed, but gave no vector in place of the old one."""
        for id_, found in self._new.items():
            if found.replaces is not None:
                self._count("failed", id_, found.path)
        return self._counts.get("failed", 0)

    def _gone(self) -> int:
        """How many files are gone: those of inputs named again, and of the first others."""
        for _, row in zip(range(LOOKED_FOR), np.flatnonzero(~self._seen).tolist(), strict=False):
            if self._rows["place"][row] and not exists(place := self._string("place", row)):
                self._count("gone", place, place)
        return self._counts.get("gone", 0)

    def _row_of(self, id_: str) -> int | None:
        keys, key = self._rows["key"], hash(id_)
        row = int(np.searchsorted(keys, key))
        return row if row < len(keys) and keys[row] == key else None

    def _verdict(self, row: int, record: Record) -> Verdict:
        known = {name: int(column[row]) for name, column in self._rows.items()}
        path = record.get("path")
        if not known["record"]:
            return "same"  # an earlier oea stored nothing but its id
        says_the_same = _said_by(record) == known["record"]
        same_path = hash(path or "") == known["path"]
        if path is None or is_remote(path):
            return "same" if says_the_same and same_path else "changed"
        file = _file_at(path)
        if file is None:
            return "changed" if exists(path) else "gone"
        is_here = hash(file.place) == known["place"]
        if is_here and (file.size, file.time) == (known["size"], known["time"]):
            return "same" if says_the_same else "changed"
        old = None if is_here or not known["place"] else self._string("place", row)
        old_is_there = old is not None and exists(old)
        if _content_of(path) != known["content"]:
            if old is not None and old_is_there:
                raise self._clash(old, record)
            return "changed"
        if not says_the_same:
            return "changed"
        return "same" if is_here or same_path or old_is_there else "moved"

    def _clash(self, old: str, record: Record) -> OeaError:
        return OeaError(
            f"{record['path']}: has the id {record['id']!r}, as {old} has, whose vector is in "
            f"{self.folder}; --prefix-ids puts the name of its folder before each id, or choose "
            "another -o"
        )

    def _count(self, verdict: Verdict, id_: str, path: str | None) -> None:
        self._counts[verdict] = self._counts.get(verdict, 0) + 1
        examples = self._examples.setdefault(verdict, [])
        if len(examples) < NAMED:
            examples.append(path or id_)

    def _named(self, verdict: Verdict) -> str:
        more = ", ..." if self._counts[verdict] > NAMED else ""
        return ", ".join(self._examples[verdict]) + more

    def _input(self, record: Record, replaces: int | None = None) -> _Input:
        path = record.get("path")
        file = None if path is None or is_remote(path) else _file_at(path)
        content = None
        if file is not None and path is not None:
            self._pool = self._pool or ThreadPoolExecutor(1)
            content = self._pool.submit(_content_of, path)
        return _Input(_said_by(record), path, file, content, replaces)

    def _string(self, column: str, row: int) -> str:
        """A value that is not held in memory, from the shard's file; the last file is kept."""
        shard = int(self._rows["shard"][row])
        if self._strings is None or self._strings[0] != shard:
            table = self._read(shard)
            assert table is not None  # the row has a place
            self._strings = (shard, table)
        return str(self._strings[1][column][int(self._rows["at"][row])])

    def _path(self, shard: int) -> Path:
        return self.folder / FOLDER / f"{FOLDER}_{shard:04}.parquet"

    def _read(self, shard: int) -> pl.DataFrame | None:
        try:
            checked_rows(self._path(shard))
            return pl.read_parquet(self._path(shard)).select(*_columns(set(SCHEMA)))
        except (OeaError, OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None  # without it, its inputs count as done

    def _write(self, shard: int, table: pl.DataFrame) -> None:
        path = self._path(shard)
        path.parent.mkdir(exist_ok=True)
        with AtomicFile(path) as temporary:
            write_parquet(table, temporary, {})


def _columns(known: set[str]) -> Iterator[pl.Expr]:
    for name, dtype in SCHEMA.items():
        yield (pl.col(name) if name in known else pl.lit(None).alias(name)).cast(dtype)


def _hashed(table: pl.DataFrame, shard: int) -> pl.DataFrame:
    """The table in numbers only: text as its hash, 0 where there is none."""
    return pl.DataFrame(
        {
            "key": _hashes(table["id"]),
            "shard": np.full(len(table), shard),
            "at": np.arange(len(table)),
            "record": table["record"].fill_null(0),
            "path": _hashes(table["path"]),
            "place": _hashes(table["place"]),
            "size": table["size"].fill_null(-1),
            "time": table["time"].fill_null(-1),
            "content": table["content"].fill_null(0),
        }
    )


def _hashes(texts: pl.Series) -> npt.NDArray[np.int64]:
    values = (0 if text is None else hash(text) for text in texts)
    return np.fromiter(values, np.int64, len(texts))


def _compact(tables: list[pl.DataFrame]) -> dict[str, npt.NDArray[Any]]:
    """Columns of all tables, sorted by the hash of the id; of equal ones, the last shard last."""
    empty = _hashed(pl.DataFrame(schema=SCHEMA), 0)
    joined = pl.concat([empty, *tables]).sort("key", maintain_order=True)
    return {column.name: column.to_numpy() for column in joined}


def _said_by(record: Record) -> int:
    """A hash of all that a record says, but where its file lies; never 0."""
    said = {key: value for key, value in record.items() if key != "path"}
    content = orjson.dumps(said, option=orjson.OPT_SORT_KEYS, default=str)
    return _number(hashlib.sha256(content).digest())


def _file_at(path: str) -> _File | None:
    """None for what is not there, or can be read only once."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return _File(os.path.abspath(path), found.st_size, found.st_mtime_ns)  # noqa: PTH100


def _content_of(path: str) -> int | None:
    """A hash of a file's bytes; None where it cannot be read. Other threads run meanwhile."""
    try:
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()  # in hardware, mostly
    except OSError:
        return None
    return _number(digest)


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:8]) or 1


def _inputs(number: int, one: str, several: str) -> str:
    return f"1 input {one}" if number == 1 else f"{number} inputs {several}"
