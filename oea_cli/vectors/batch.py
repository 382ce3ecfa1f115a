"""Batches of records with their vectors, checked once when they are read and when written."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError
from oea_cli.records.fields import id_or_number
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors, unit_rows

if TYPE_CHECKING:
    import polars as pl


VECTOR_COLUMN = "embedding"
NAMED = 12  # columns in a message


@dataclass(frozen=True)
class Batch:
    """Records and their vectors, row by row.

    `vectors` is (n, d) float32, every row of length 1, C order; the records carry neither
    "embedding" nor "encoder". `encoder` is "NAME:FINGERPRINT" where it is known.
    """

    records: Sequence[Record]
    vectors: Vectors
    encoder: str | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        rows, dim = self.vectors.shape
        return f"Batch({rows} records, vectors of {dim} dimensions by {self.encoder})"

    @property
    def ids(self) -> list[str]:
        """The records' ids, row by row."""
        return [record["id"] for record in self.records]

    @property
    def frame(self) -> "pl.DataFrame":
        """A polars frame: a column for each key of the records, and `embedding` (float32)."""
        import polars as pl

        from oea_cli.records.columns import frame

        dtype = pl.Array(pl.Float32, self.vectors.shape[1])
        return frame(self.records).with_columns(pl.Series("embedding", self.vectors, dtype=dtype))


def batch_of(vectors: npt.NDArray[Any], where: str = "vectors") -> Batch:
    """Bare vectors (n, d), or a single one (d,), with their row numbers from "0" on as ids.

    Raises OeaError for anything else, and for vectors that are not finite or all zeros.
    """
    rows = np.atleast_2d(vectors)
    if rows.ndim != 2 or rows.dtype.kind not in "fiu" or not rows.shape[1]:
        raise OeaError(
            f"{where}: an array of shape {vectors.shape} and type {vectors.dtype}; "
            "vectors must be (n, d) numbers"
        )
    records = [{"id": str(row)} for row in range(len(rows))]
    return Batch(records, unit_rows(rows, records, where))


def joined_batches(batches: Iterable[Batch], *, encoder: str | None = None, dim: int = 0) -> Batch:
    """All rows of the batches as one; (0, dim) vectors where there is none."""
    parts = list(batches)
    records = [record for part in parts for record in part.records]
    empty = np.zeros((0, dim), np.float32)
    vectors = np.concatenate([part.vectors for part in parts]) if parts else empty
    return Batch(records, vectors, encoder or (parts[0].encoder if parts else None))


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: rows at a time, the column (or key) of the vectors, and the number that
    the first row has where rows have no ids of their own."""

    batch_rows: int = 4096
    column: str = VECTOR_COLUMN
    first_row: int = 0


class EmbeddingReader:
    """An opened source of vectors: their encoder, and one pass over the batches.

    `encoder` is "NAME:FINGERPRINT", None for vectors that name no encoder; `dim` is 0 where there
    are no vectors; `metadata` is what else the artefact stores. The file behind it is
    closed at the end of the iteration, by `close`, or with the last reference.
    """

    def __init__(
        self,
        batches: Iterator[Batch],
        encoder: str | None,
        dim: int,
        metadata: dict[str, Any] | None = None,
        is_complete: Callable[[], bool] | None = None,
    ) -> None:
        self.encoder = encoder
        self.dim = dim
        self.metadata = metadata or {}
        self._batches = batches
        self._opened: BinaryIO | None = None
        self._is_complete = is_complete

    @property
    def is_complete(self) -> bool:
        """Whether a stream of ours came to its end; known when all of it has been read.

        True for files that are whole or not there, and for other people's rows.
        """
        return self._is_complete is None or self._is_complete()

    def owning(self, stream: BinaryIO) -> "EmbeddingReader":
        """Own a stream that was opened for this reader only, and close it in the end."""
        self._opened = stream
        return self

    def __iter__(self) -> Iterator[Batch]:
        try:
            yield from self._batches
        finally:
            self.close()

    def close(self) -> None:
        """Close the file behind the reader, unless it is closed or belongs to the caller."""
        if self._opened is not None:
            self._opened.close()

    def __del__(self) -> None:
        self.close()


def column_in(names: Collection[str], column: str) -> str:
    """The column of the vectors among these names: the one asked for, but `embedding` in what oea
    wrote, which names its encoder, so that its files go together with other people's."""
    return VECTOR_COLUMN if column not in names and "encoder" in names else column


def no_vector(where: object, missing: str, names: Sequence[str]) -> OeaError:
    """The error of a file or row without vectors, which has these columns (or keys)."""
    found = ", ".join(map(repr, names[:NAMED])) + (", ..." if len(names) > NAMED else "")
    return OeaError(
        f"{where}: no {missing}; is this the output of `oea embed`? "
        f"It has {found or 'nothing'}, and --column names another"
    )


def empty_reader(encoder: str | None = None) -> EmbeddingReader:
    """The reader of a source without any row."""
    return EmbeddingReader(iter(()), encoder, 0)


def numbered(records: Sequence[Record], first_row: int, where: str) -> None:
    """Give records without an id their row number, counted from 0, and turn numbers into text;
    raises OeaError for what is no id."""
    for row, record in enumerate(records, first_row):
        if not isinstance(record.get("id"), str):
            record["id"] = id_or_number(record, row, f"{where}: row {row + 1}")
