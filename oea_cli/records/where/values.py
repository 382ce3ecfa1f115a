"""The values of a column, whatever it holds: one per record, lists of them, of one kind or several.

An *element* is a single value. A record has one in a plain column, any number in a column of lists
(lists in lists count as one list), and none where it has no such key.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from oea_cli.records.where.predicates import KINDS, Predicate, kinds_of

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64] | slice
SCALARS = (pl.String, pl.Boolean, pl.Int64, pl.Float64)


@dataclass(frozen=True, slots=True)
class Truth:
    """Which are true and which are false (N,); what is neither is unknown, SQL's NULL."""

    true: Mask
    false: Mask

    def __and__(self, other: "Truth") -> "Truth":
        return Truth(self.true & other.true, self.false | other.false)

    def __or__(self, other: "Truth") -> "Truth":
        return Truth(self.true | other.true, self.false & other.false)

    def __invert__(self) -> "Truth":
        return Truth(self.false, self.true)


def constant(truth: bool | None, num_rows: int) -> Truth:
    """The same truth for every row."""
    return Truth(np.full(num_rows, truth is True), np.full(num_rows, truth is False))


@dataclass(frozen=True, slots=True)
class Elements:
    """Elements of one kind: their places among all elements of the column, and their values."""

    kind: str
    places: Places
    values: Any


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """A column: its elements by kind, those that are null in none of them.

    `owners` (E,) is the row of each element, None where row i has exactly element i; `present` (N,)
    says which rows have a value, even if it is an empty list.
    """

    parts: list[Elements]
    present: Mask
    owners: npt.NDArray[np.int64] | None = None

    @property
    def kinds(self) -> set[str]:
        """The kinds of values there are: "text", "number", "boolean", "object"."""
        return {part.kind for part in self.parts}

    def under(self, predicate: Predicate) -> Truth:
        """Of which rows any element fulfils the predicate."""
        named = kinds_of(predicate.values)
        size = len(self.present) if self.owners is None else len(self.owners)
        found = constant(None, size)
        for part in self.parts:
            if part.kind in named:
                hits = predicate.matches(part.kind, part.values)
                found.true[part.places] = hits
                if predicate.unmatched is False:
                    found.false[part.places] = ~hits
            elif predicate.elsewhere is not None:
                (found.true if predicate.elsewhere else found.false)[part.places] = True
        return self._of_rows(found)

    def _of_rows(self, found: Truth) -> Truth:
        """From elements to rows: true where any is, false where all are, or there is none."""
        if self.owners is None:
            return found
        true = np.zeros(len(self.present), bool)
        true[self.owners[found.true]] = True
        false = self.present & ~true
        false[self.owners[~found.true & ~found.false]] = False
        return Truth(true, false)

    def singles(self) -> list[Any] | None:
        """The value of each row, None for null; None where the column holds lists."""
        if self.owners is not None:
            return None
        values = np.full(len(self.present), None, object)
        for part in self.parts:
            is_text = isinstance(part.values, pl.Series)
            values[part.places] = part.values.to_list() if is_text else part.values.tolist()
        return values.tolist()


def column_values(pieces: Iterable[pl.Series | list[Any]], keys: Sequence[str]) -> ColumnValues:
    """A column from its pieces, one after the other: typed ones, and lists of JSON values.

    `keys` lead from the objects in it to the values that are meant.
    """
    parts = [_values(piece, keys) for piece in pieces]
    return _concatenated(parts) if len(parts) != 1 else parts[0]


def _values(piece: pl.Series | list[Any], keys: Sequence[str]) -> ColumnValues:
    if isinstance(piece, list) or keys:
        return _of_objects(piece if isinstance(piece, list) else piece.to_list(), keys)
    if isinstance(piece.dtype, pl.List) and piece.dtype.inner in SCALARS:
        lengths = piece.list.len().fill_null(0).to_numpy()
        present = piece.is_not_null().to_numpy()
        elements = piece.filter(piece.list.len() > 0).explode()
        return ColumnValues(_typed(elements), present, np.repeat(np.arange(len(piece)), lengths))
    if piece.dtype in SCALARS:
        return ColumnValues(_typed(piece), piece.is_not_null().to_numpy())
    return _of_objects(piece.to_list(), keys)


def _typed(values: pl.Series) -> list[Elements]:
    """The elements of a typed series."""
    places: Places = slice(0, len(values))
    if values.null_count():
        places = np.flatnonzero(values.is_not_null().to_numpy())
        values = values.drop_nulls()
    if values.is_empty():
        return []
    if values.dtype == pl.String:
        return [Elements("text", places, values)]
    kind = "boolean" if values.dtype == pl.Boolean else "number"
    return [Elements(kind, places, values.to_numpy())]


def _of_objects(values: list[Any], keys: Sequence[str]) -> ColumnValues:
    """The elements of JSON values, or of those that the keys lead to."""
    present = np.zeros(len(values), bool)
    owners: list[int] = []
    by_type: dict[type, tuple[list[int], list[Any]]] = {}
    for row, value in enumerate(values):
        found = [value]
        for key in keys:
            found = [one[key] for one in _flat(found) if isinstance(one, dict) and key in one]
        present[row] = any(one is not None for one in found)
        for element in _flat(found):
            if element is not None:
                places, same = by_type.setdefault(type(element), ([], []))
                places.append(len(owners))
                same.append(element)
            owners.append(row)
    parts = [
        Elements(KINDS.get(type_, "object"), np.array(places, np.int64), _array(type_, same))
        for type_, (places, same) in by_type.items()
    ]
    if not any(isinstance(value, list) for value in values) and len(owners) == len(values):
        return ColumnValues(parts, present)
    return ColumnValues(parts, present, np.array(owners, np.int64))


def _flat(values: list[Any]) -> Iterator[Any]:
    """The values, and those in lists among them, however deep."""
    waiting = [iter(values)]
    while waiting:
        for value in waiting[-1]:
            if isinstance(value, list):
                waiting.append(iter(value))
                break
            yield value
        else:
            waiting.pop()


def _array(type_: type, values: list[Any]) -> Any:
    if type_ is str:
        return pl.Series(values, dtype=pl.String)
    if type_ is int and any(abs(value) >= 2**63 for value in values):
        return np.array(values, object)  # exact, at the speed of Python
    dtypes: dict[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64}
    if type_ in dtypes:
        return np.array(values, dtypes[type_])
    found = np.empty(len(values), object)
    found[:] = values
    return found


def _concatenated(parts: list[ColumnValues]) -> ColumnValues:
    """The rows of several pieces, one after the other."""
    if not parts:
        return ColumnValues([], np.zeros(0, bool))
    return reduce(_appended, parts)


def _appended(first: ColumnValues, second: ColumnValues) -> ColumnValues:
    owners = None
    num_first = len(first.present)
    start = num_first if first.owners is None else len(first.owners)
    if first.owners is not None or second.owners is not None:
        own, others = (_owners(part) for part in (first, second))
        owners = np.concatenate([own, others + num_first])
    moved = [Elements(p.kind, _moved(p.places, start), p.values) for p in second.parts]
    return ColumnValues(
        [*first.parts, *moved], np.concatenate([first.present, second.present]), owners
    )


def _owners(column: ColumnValues) -> npt.NDArray[np.int64]:
    return np.arange(len(column.present)) if column.owners is None else column.owners


def _moved(places: Places, start: int) -> Places:
    if isinstance(places, slice):
        return slice(places.start + start, places.stop + start)
    return places + start
