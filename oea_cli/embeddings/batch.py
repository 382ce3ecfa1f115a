"""The unit that travels: some records and their vectors, checked once on every way in and out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError
from oea_cli.tables import Record

Vectors = npt.NDArray[np.float32]

# Rounding to float32 leaves a unit vector within about 2e-7 of length 1, at any dimension.
LENGTH_TOLERANCE = 1e-6
# So many doubles at a time stay in a processor's cache.
CACHED_DOUBLES = 1 << 17


@dataclass(frozen=True)
class Batch:
    """Records and their vectors, row by row.

    `vectors` is (n, d) float32, every row of length 1, C order; the records carry neither
    "embedding" nor "encoder".
    """

    records: Sequence[Record]
    vectors: Vectors


class EmbeddingReader:
    """An opened source of vectors: who made them, and an iteration over batches, once through.

    `encoder` is "NAME:FINGERPRINT", None for vectors that name no encoder; `dim` is 0 where there
    is no vector at all; `metadata` is what the artefact remembers besides. The file behind it is
    closed at the end of the iteration, by `close`, or with the last reference.
    """

    def __init__(
        self,
        batches: Iterator[Batch],
        encoder: str | None,
        dim: int,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.encoder = encoder
        self.dim = dim
        self.metadata = metadata or {}
        self._batches = batches
        self._opened: BinaryIO | None = None

    def owning(self, stream: BinaryIO) -> "EmbeddingReader":
        """Take over a stream that was opened for this reader alone."""
        self._opened = stream
        return self

    def __iter__(self) -> Iterator[Batch]:
        try:
            yield from self._batches
        finally:
            self.close()

    def close(self) -> None:
        """Close the file behind the reader; harmless when it is closed or not its own."""
        if self._opened is not None:
            self._opened.close()

    def __del__(self) -> None:
        self.close()


def empty_reader(encoder: str | None = None) -> EmbeddingReader:
    """The reader of a source without any row."""
    return EmbeddingReader(iter(()), encoder, 0)


def unit_rows(vectors: npt.NDArray[Any], records: Sequence[Record], where: str) -> Vectors:
    """Return (n, d) float32 rows of length 1, C order, writable.

    Rows within 1e-6 of length 1 keep every bit, others are divided by their length. Raises OeaError
    naming the record for a vector that holds NaN or infinity, or is all zeros.
    """
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
    if not rows.flags.writeable:
        rows = rows.copy()
    lengths = _lengths(rows)
    if not np.isfinite(lengths).all():
        name = _name(records, int(np.flatnonzero(~np.isfinite(lengths))[0]))
        raise OeaError(f"{where}: the vector of {name} holds NaN or infinity")
    if not lengths.all():
        name = _name(records, int(np.flatnonzero(lengths == 0)[0]))
        raise OeaError(f"{where}: the vector of {name} is all zeros; it has no direction")
    off = np.abs(lengths - 1) > LENGTH_TOLERANCE
    if off.any():
        rows = rows.copy()
        rows[off] = rows[off] / lengths[off, None]
    return rows


def _lengths(rows: Vectors) -> npt.NDArray[np.float64]:
    # In double precision, so that no sum overflows and the tolerance means what it says.
    squares = np.empty(len(rows))
    step = max(1, CACHED_DOUBLES // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        doubles = rows[start : start + step].astype(np.float64)
        np.vecdot(doubles, doubles, out=squares[start : start + step])
    return np.sqrt(squares)


def _name(records: Sequence[Record], row: int) -> str:
    return f"'{records[row]['id']}'"


def numbered(records: Sequence[Record], first_row: int) -> None:
    """Give records without an id their row number, counted from 0, and turn numbers into text."""
    for row, record in enumerate(records, first_row):
        name = record.get("id")
        if not isinstance(name, str):
            record["id"] = str(row if name is None else name)
