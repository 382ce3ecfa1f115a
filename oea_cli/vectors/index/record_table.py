"""The records of an index as columns, for conditions."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import polars as pl

from oea_cli.vectors.index.record_files import RecordReader


class IndexTable:
    """The records of all rows of an index, those of deleted rows included."""

    def __init__(self, records: RecordReader, num_rows: int) -> None:
        self.num_rows = num_rows
        self._records = records

    @cached_property
    def names(self) -> list[str]:
        """The keys of all records."""
        found: set[str] = set()
        for text in self._records.texts():
            found.update(self._records.parsed(text))
        return sorted(found)

    def pieces(self, name: str) -> Iterator[pl.Series | list[Any]]:
        """The values of a key, None where a record has none."""
        yield [self._records.parsed(text).get(name) for text in self._records.texts()]
