"""What a condition asks of single values: a comparison, a list, a range, a pattern.

A predicate knows the `kinds` of value it speaks of. What it is for a value of another kind is
`elsewhere`: 'a' is not equal to 5, but neither smaller nor larger: NULL. `unmatched` is what it is
for a value of its kinds that does not fulfil it: FALSE, but NULL after `IN (1, NULL)`.

Reading a condition needs no library, and so imports none: what is misspelt is refused at once.
"""

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from oea_cli.errors import UsageError
from oea_cli.records.text import nfc

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Mask = npt.NDArray[np.bool_]
Value = str | int | float | bool | None
Values = Any
"""Values of one kind: a polars series of text, an array of numbers or of booleans."""

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
KINDS = {bool: "boolean", int: "number", float: "number", str: "text"}


class Predicate(Protocol):
    """A question about a single value; see the module."""

    @property
    def values(self) -> tuple[Value, ...]:
        """The values that the condition names."""

    @property
    def elsewhere(self) -> bool | None: ...
    @property
    def unmatched(self) -> bool | None: ...
    def matches(self, kind: str, values: Values) -> "Mask":
        """Which of these (V,) values of one kind fulfil it."""


def kind_of(value: Value) -> str | None:
    """ "text", "number" or "boolean"; None for NULL."""
    return KINDS.get(type(value))


def kinds_of(values: Iterable[Value]) -> set[str]:
    """The kinds of these values."""
    return {KINDS[type(value)] for value in values if value is not None}


@dataclass(frozen=True)
class Comparison:
    """A comparison with one value; with NULL it is always NULL."""

    sign: str
    value: Value

    unmatched = False

    @property
    def values(self) -> tuple[Value, ...]:
        return (self.value,)

    @property
    def elsewhere(self) -> bool | None:
        known = {"=": False, "!=": True} if self.value is not None else {}
        return known.get(self.sign)

    def matches(self, kind: str, values: Values) -> "Mask":
        return _compared(SIGNS[self.sign], kind, values, self.value)


@dataclass(frozen=True)
class OneOf:
    """IN a list of values."""

    values: tuple[Value, ...]

    @property
    def unmatched(self) -> bool | None:
        return None if None in self.values else False

    @property
    def elsewhere(self) -> bool | None:
        return self.unmatched

    def matches(self, kind: str, values: Values) -> "Mask":
        import numpy as np

        wanted = self._by_kind[kind]
        if kind == "text":
            import polars as pl

            texts = [nfc(text) for text in wanted]
            return _mask(_composed(values, texts).is_in(pl.Series(texts, dtype=pl.String)))
        if values.dtype == object:
            known = set(wanted)
            return np.fromiter((value in known for value in values), bool, len(values))
        return np.isin(values, _fitting_all(wanted, values.dtype))

    @cached_property
    def _by_kind(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for value in self.values:
            if value is not None:
                found.setdefault(KINDS[type(value)], []).append(value)
        return found


@dataclass(frozen=True)
class Between:
    """BETWEEN two values of one kind, both included."""

    low: Value
    high: Value

    elsewhere = None
    unmatched = False

    @property
    def values(self) -> tuple[Value, ...]:
        return (self.low, self.high)

    def matches(self, kind: str, values: Values) -> "Mask":
        low = _compared(operator.ge, kind, values, self.low)
        return low & _compared(operator.le, kind, values, self.high)


@dataclass(frozen=True)
class Like:
    """LIKE a pattern: % stands for any text, _ for one character, after `escape` for itself."""

    pattern: str
    escape: str | None = None
    ignore_case: bool = False

    elsewhere = None
    unmatched = False

    @property
    def values(self) -> tuple[Value, ...]:
        return (self.pattern,)

    def matches(self, kind: str, values: Values) -> "Mask":
        import polars as pl

        pattern = nfc(self.pattern)
        try:
            return _mask(_composed(values, [pattern]).str.contains(self._regex(pattern)))
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"--where: the pattern {pattern!r:.40} is too long") from error

    def _regex(self, pattern: str) -> str:
        flags = "is" if self.ignore_case else "s"
        escaped = f"{re.escape(self.escape)}.|" if self.escape else ""
        pieces = re.split(f"(?s)({escaped}%+|_)", pattern)
        return f"(?{flags})^{''.join(map(self._piece, pieces))}$"

    def _piece(self, piece: str) -> str:
        if len(piece) == 2 and piece[0] == self.escape:
            return re.escape(piece[1])
        if piece.startswith("%"):
            return ".*"
        return "." if piece == "_" else re.escape(piece)


def _compared(
    compare: Callable[[Any, Any], Any], kind: str, values: Values, value: Value
) -> "Mask":
    if isinstance(value, str):
        text = nfc(value)
        return _mask(compare(_composed(values, [text]), text))
    import numpy as np

    return np.asarray(compare(values, _fitting(value, values.dtype)), bool)


def _composed(values: "pl.Series", texts: Iterable[str]) -> "pl.Series":
    """The values as they compare with these texts: two ways to write one letter are the same."""
    return values if all(map(str.isascii, texts)) else values.str.normalize("NFC")


def _fitting(value: Any, dtype: "np.dtype[Any]") -> Any:
    """The number as an array of this type can be compared with it."""
    if dtype.kind != "f":
        return value
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _fitting_all(wanted: list[Any], dtype: "np.dtype[Any]") -> "npt.NDArray[Any]":
    """Those of the values that an array of this type can hold."""
    import numpy as np

    if dtype.kind == "f":
        return np.array([_fitting(value, dtype) for value in wanted], dtype)
    if dtype.kind == "i":
        limits = np.iinfo(dtype)
        whole = [int(v) for v in wanted if v == v // 1 and limits.min <= v <= limits.max]
        return np.array(whole, dtype)
    return np.array(wanted, dtype)


def _mask(found: "pl.Series") -> "Mask":
    return found.to_numpy().astype(bool, copy=False)
