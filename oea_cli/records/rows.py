"""A row of a table and where it stands; a record, the JSON object that one line holds."""

from collections.abc import Iterator
from typing import Any

Record = dict[str, Any]
"""`id`, `path` or `text`, `captions`?, `start`/`end`/`duration`? in seconds, and any other key."""


Rows = Iterator[tuple[str, Record]]
"""Rows with where they stand ("clips.jsonl:12"), as people look them up."""
