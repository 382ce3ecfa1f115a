"""Rows of tables with their places, and records, the JSON objects of one line each."""

from collections.abc import Iterator
from typing import Any

Record = dict[str, Any]
"""`id`, `path` or `text`, `captions`?, `start`/`end`/`duration`? in seconds, and any other key."""


Rows = Iterator[tuple[str, Record]]
"""Rows with their places ("clips.jsonl:12"), as messages name them."""


def trailing_number(where: str) -> int:
    """The line or row number that a place such as "clips.jsonl:12" ends with; 0 without one."""
    digits = where[len(where.rstrip("0123456789")) :]
    return int(digits) if digits else 0
