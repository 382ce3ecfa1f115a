"""Types of arrays, and vectors of length 1."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError
from oea_cli.records.rows import Record

Floats = npt.NDArray[np.float32]
RowNumbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Stored = npt.NDArray[Any]


SCORE_DIGITS = 6


Vectors = npt.NDArray[np.float32]


# Rounding to float32 leaves a unit vector within about 2e-7 of length 1, at any dimension.
LENGTH_TOLERANCE = 1e-6


# For the squared length, whose deviation is twice as large: the other half is for the error of
# the sum in single precision, which stays below it up to so many dimensions.
SURELY_UNIT = 1e-6
SURELY_UNIT_DIM = 4096


TOO_LARGE = "a number too large for float32"


# So many doubles at a time stay in a processor's cache.
CACHED_DOUBLES = 1 << 17


def unit_rows(vectors: npt.NDArray[Any], records: Sequence[Record], where: str) -> Vectors:
    """Return (n, d) float32 rows of length 1, C order, writable.

    Rows within 1e-6 of length 1 keep every bit, others are divided by their length. Raises OeaError
    naming the record for a vector that holds NaN, infinity, what is infinity in float32, or only
    zeros.
    """
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
    if not rows.flags.writeable:
        rows = rows.copy()
    if are_surely_unit(rows):
        return rows
    lengths = _lengths(rows)
    if not np.isfinite(lengths).all():
        row = int(np.flatnonzero(~np.isfinite(lengths))[0])
        held = TOO_LARGE if np.isfinite(vectors[row]).all() else "NaN or infinity"
        raise OeaError(f"{where}: the vector of {_name(records, row)} holds {held}")
    if not lengths.all():
        name = _name(records, int(np.flatnonzero(lengths == 0)[0]))
        raise OeaError(f"{where}: the vector of {name} is all zeros; it has no direction")
    off = np.abs(lengths - 1) > LENGTH_TOLERANCE
    if off.any():
        rows = rows.copy()
        rows[off] = rows[off] / lengths[off, None]
    return rows


def are_surely_unit(rows: Vectors) -> bool:
    """True where all rows (N, D) surely have length 1, judged at half the tolerance."""
    if rows.shape[1] > SURELY_UNIT_DIM:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("nd,nd->n", rows, rows)
    return bool((np.abs(squares - 1) < SURELY_UNIT).all())  # NaN is not


def mean_direction(vectors: Vectors) -> Vectors:
    """The direction (D,) of the mean of unit vectors (R, D); a single one keeps every bit."""
    if len(vectors) == 1:
        only: Vectors = vectors[0]
        return only
    total = vectors.sum(axis=0, dtype=np.float64)
    direction: Vectors = (total / np.linalg.norm(total)).astype(np.float32)
    return direction


def _lengths(rows: Vectors) -> npt.NDArray[np.float64]:
    # In double precision, so that no sum overflows and rounding does not exceed the tolerance.
    squares = np.empty(len(rows))
    step = max(1, CACHED_DOUBLES // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        doubles = rows[start : start + step].astype(np.float64)
        np.vecdot(doubles, doubles, out=squares[start : start + step])
    return np.sqrt(squares)


def _name(records: Sequence[Record], row: int) -> str:
    return f"'{records[row]['id']}'"


Ties = Literal["strict", "trec"]
