"""Which records of the inputs are used: one shard of several, or the first N."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain

from oea_cli.errors import Failure, Report, UsageError
from oea_cli.records.addresses import is_remote
from oea_cli.records.equal_ids import refuse_equal_ids
from oea_cli.records.file_names import is_stream
from oea_cli.records.folders import is_folder
from oea_cli.records.inputs import read_records
from oea_cli.records.rows import Record

Item = Record | Failure
Shard = tuple[int, int]
"""Part I of N, I from 1."""


@dataclass(slots=True)
class Selection:
    """Inputs as `read_records` takes them, and which of their records are used.

    `num_elsewhere` counts the records of other shards that have been read.
    """

    names: Sequence[str]
    text: bool = False
    files_from: str | None = None
    shard: Shard | None = None
    limit: int | None = None
    prefix_ids: bool = False
    num_elsewhere: int = field(default=0, init=False)

    def __str__(self) -> str:
        return ", ".join("stdin" if place == "-" else place for place in self._places)

    @property
    def noun(self) -> str:
        """`texts` or `sounds`, for messages."""
        return "texts" if self.text else "sounds"

    def items(self) -> Iterator[Item]:
        """The records, and between them the failures of rows that are not records; raises OeaError
        at once for an input that does not exist."""
        failures: list[Failure] = []
        return self._selected(self._records(failures.append), failures)

    def refuse_equal_ids(self) -> None:
        """Raise OeaError where two records have one id: it would be found when hours of work are
        done. What comes by a pipe cannot be looked at beforehand, and one folder has none; texts
        of one table may share the id of their clip."""
        if any(map(is_stream, self._places)):
            return
        is_one = len(self._places) == 1
        if is_one and (self.text or is_folder(self._places[0])):
            return
        advice = "--prefix-ids puts the name of its folder before each id"
        refuse_equal_ids(
            lambda: self._records(lambda _: None), "ids must be unique" if is_one else advice
        )

    def _records(self, report: Report) -> Iterator[Record]:
        return read_records(
            self.names,
            report=report,
            text=self.text,
            files_from=self.files_from,
            prefix_ids=self.prefix_ids,
        )

    def count(self) -> int | None:
        """The number of records, read beforehand; None for stdin and for what is remote."""
        if any(is_stream(place) or is_remote(place) for place in self._places):
            return None
        return sum(not isinstance(item, Failure) for item in self.items())

    @property
    def _places(self) -> list[str]:
        return [*self.names, *([self.files_from] if self.files_from else [])]

    def _selected(self, records: Iterator[Record], failures: list[Failure]) -> Iterator[Item]:
        count = 0
        for record in records:
            yield from failures
            failures.clear()
            if self.shard is None or is_in_shard(record["id"], self.shard):
                yield record
                count += 1
                if count == self.limit:
                    return
            else:
                self.num_elsewhere += 1
        yield from failures


def begun(items: Iterator[Item], report: Report) -> Iterator[Item] | None:
    """The items from the first record on; None where there is none, so that no encoder is loaded
    for nothing. Failures before it go to `report`."""
    for item in items:
        if not isinstance(item, Failure):
            return chain([item], items)
        report(item)
    return None


def parse_shard(text: str) -> Shard:
    """Read `I/N`; raises UsageError for anything else."""
    part, _, parts = text.partition("/")
    if part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts):
        return int(part), int(parts)
    raise UsageError(f"--shard must be I/N with I from 1 to N, such as 1/8; got '{text}'")


def is_in_shard(record_id: str, shard: Shard) -> bool:
    """Whether a record belongs to a shard; depends on its id only, on every machine."""
    part, parts = shard
    digest = blake2b(record_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % parts == part - 1
