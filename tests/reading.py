"""Shorthands of the tests that read records."""

import io
from pathlib import Path
from typing import Any

from oea_cli.errors import Failure, raise_failure
from oea_cli.records.inputs import Record, read_records


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")


def strictly(*inputs: str, **options: Any) -> list[Record]:
    """The records of inputs in which nothing may be wrong."""
    return list(read_records(inputs, report=raise_failure, **options))


def leniently(*inputs: str, **options: Any) -> tuple[list[Record], list[str]]:
    """The records, and the lines that a user reads about the rest."""
    failures: list[Failure] = []
    records = list(read_records(inputs, report=failures.append, **options))
    return records, [str(failure) for failure in failures]


def piped(content: bytes | str, **options: Any) -> tuple[list[Record], list[str]]:
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return leniently("-", stdin=stream, **options)


def ids(records: list[Record]) -> list[str]:
    return [record["id"] for record in records]
