"""A row of a table and where it stands; a record, the JSON object that one line holds."""

from collections.abc import Iterator
from typing import Any

Record = dict[str, Any]
"""`id`, `path` or `text`, `captions`?, `start`/`end`/`duration`? in seconds, and any other key."""


Rows = Iterator[tuple[str, Record]]
"""Rows with where they stand ("clips.jsonl:12"), as people look them up."""


def trailing_number(where: str) -> int:
    """The line or row number that a place such as "clips.jsonl:12" ends with; 0 without one."""
    digits = where[len(where.rstrip("0123456789")) :]
    return int(digits) if digits else 0
