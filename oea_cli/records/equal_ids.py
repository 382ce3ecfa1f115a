"""Ids that two inputs share, found before any work, and the prefixes that keep them apart."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from oea_cli.errors import OeaError
from oea_cli.records.addresses import is_remote
from oea_cli.records.rows import Record
from oea_cli.records.tables import table_suffix


def refuse_equal_ids(read: Callable[[], Iterable[Record]], advice: str) -> None:
    """Raise OeaError, naming both inputs, where two records have one id; `read` is called twice.

    Eight bytes are held for each record.
    """
    import numpy as np

    hashes = np.frombuffer(array("q", (hash(record["id"]) for record in read())), np.int64)
    ordered = np.sort(hashes)
    twice = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if twice:
        _refuse((record for record in read() if hash(record["id"]) in twice), len(twice), advice)


def _refuse(records: Iterable[Record], number: int, advice: str) -> None:
    """Name the first two that have one id; equal hashes of other ids are no matter."""
    first: dict[str, Record] = {}
    for record in records:
        other = first.setdefault(record["id"], record)
        if other is record:
            continue
        more = "" if number == 1 else f" ({number - 1} more of the kind)"
        one, two = place_of(other), place_of(record)
        if one == two:
            raise OeaError(f"{one}: is among the inputs twice{more}; leave one out")
        raise OeaError(f"{one} and {two}: both have the id {record['id']!r}{more}; {advice}")


def place_of(record: Record) -> str:
    """What a person knows a record by: its file, or its text."""
    path = record.get("path")
    return str(path) if path else f"'{str(record.get('text', record.get('id')))[:60]}'"


def prefixes_of(names: Sequence[str]) -> dict[str, str]:
    """For each folder or table its name, with as many folders above as tell it from the others.

    `siteA` for data/siteA and siteA.csv; `2023/siteA` and `2024/siteA` where both are given.
    """
    parts = {name: _parts_of(name) for name in names}
    found = {name: "/".join(own) for name, own in parts.items()}
    for length in range(max(map(len, parts.values())), 0, -1):
        tails = {name: "/".join(own[-length:]) for name, own in parts.items()}
        counts = Counter(tails.values())
        found |= {name: tail for name, tail in tails.items() if counts[tail] == 1}
    return found


def _parts_of(name: str) -> list[str]:
    path = (
        name.partition("://")[2] if is_remote(name) else Path(name).absolute().resolve().as_posix()
    )
    if table_suffix(name):
        path = path.removesuffix(".gz").rpartition(".")[0]
    return [part for part in path.split("/") if part]
