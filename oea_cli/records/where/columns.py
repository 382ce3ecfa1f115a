"""The columns that a condition names, found in a table of records or refused with what there is."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol

import polars as pl

from oea_cli.errors import UsageError
from oea_cli.records.where.condition import Column
from oea_cli.records.where.predicates import Value, kind_of
from oea_cli.records.where.values import ColumnValues, column_values

COLUMNS_SHOWN = 20
HELD = {"text": "text", "number": "numbers", "boolean": "true and false", "object": "objects"}
GIVEN = {"text": "text", "number": "a number", "boolean": "true or false"}
NEEDED = {"text": "text in single quotes", "number": "a number", "boolean": "TRUE or FALSE"}


class RecordTable(Protocol):
    """Records as columns, to be asked for one at a time."""

    @property
    def num_rows(self) -> int: ...
    @property
    def names(self) -> Sequence[str]:
        """The keys of all records."""

    def pieces(self, name: str) -> Iterable[pl.Series | list[Any]]:
        """The values of a key, row by row: typed series, or lists of JSON values."""


class Columns:
    """The columns of a table, each read once."""

    def __init__(self, table: RecordTable) -> None:
        self._table = table
        self._read: dict[Column, ColumnValues] = {}

    def values(self, column: Column, *, compared_with: Iterable[Value] = ()) -> ColumnValues:
        """The values of a column; raises UsageError where no record has one, and where there is
        nothing of the kind of a value that it is compared with."""
        if column not in self._read:
            self._read[column] = self._found(column)
        values = self._read[column]
        _check_kinds(column, values, compared_with)
        return values

    def _found(self, column: Column) -> ColumnValues:
        name, keys = self._place_of(column)
        values = column_values(self._table.pieces(name), keys)
        if keys and not values.present.any():
            self._check_keys(column, name, keys)
        return values

    def _place_of(self, column: Column) -> tuple[str, Sequence[str]]:
        """The key that holds a column, and the keys that lead on from there."""
        for count in range(len(column.parts), 0, -1):
            name = ".".join(column.parts[:count])
            if name in self._known:
                return name, column.parts[count:]
        raise _missing(column.parts, list(self._known))

    @cached_property
    def _known(self) -> dict[str, None]:
        return dict.fromkeys(sorted(self._table.names))

    def _check_keys(self, column: Column, name: str, keys: Sequence[str]) -> None:
        """Raise UsageError unless there are these keys, with nothing but nulls."""
        parts = column_values(self._table.pieces(name), keys[:-1]).parts
        objects = [one for part in parts if part.kind == "object" for one in part.values]
        inner = sorted({key for one in objects for key in one})
        if keys[-1] not in inner:
            before = ".".join(column.parts[:-1])
            raise _missing(column.parts, [f"{before}.{key}" for key in inner])


def held_by(values: ColumnValues) -> str:
    """What a column holds, in words."""
    return " and ".join(HELD[kind] for kind in sorted(values.kinds))


def _missing(parts: Sequence[str], known: Sequence[str]) -> UsageError:
    name = ".".join(parts)
    lower = {one.lower(): one for one in known}
    near = lower.get(name.lower()) or next(iter(get_close_matches(name, known, n=1)), None)
    listed = ", ".join(map(repr, known[:COLUMNS_SHOWN])) or "none"
    more = f" and {len(known) - COLUMNS_SHOWN} more" if len(known) > COLUMNS_SHOWN else ""
    hint = f"did you mean {near!r}?" if near else "text stands in single quotes."
    return UsageError(f"--where: no record has {name!r:.80}; {hint} The columns are {listed}{more}")


def _check_kinds(column: Column, values: ColumnValues, named: Iterable[Value]) -> None:
    for value in named:
        kind = kind_of(value)
        if kind is None or not values.kinds or kind in values.kinds:
            continue
        needed = [NEEDED[own] for own in sorted(values.kinds) if own in NEEDED]
        keys = f"name a key in them, as in {'.'.join(column.parts)}.KEY"
        hint = f"compare it with {' or '.join(needed)}" if needed else keys
        raise UsageError(
            f"--where: {column} holds {held_by(values)}, but {value!r:.40} is {GIVEN[kind]}; {hint}"
        )
