"""Batches of records with their vectors, checked once when they are read and when written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors


@dataclass(frozen=True)
class Batch:
    """Records and their vectors, row by row.

    `vectors` is (n, d) float32, every row of length 1, C order; the records carry neither
    "embedding" nor "encoder".
    """

    records: Sequence[Record]
    vectors: Vectors


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
    ) -> None:
        self.encoder = encoder
        self.dim = dim
        self.metadata = metadata or {}
        self._batches = batches
        self._opened: BinaryIO | None = None

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


def empty_reader(encoder: str | None = None) -> EmbeddingReader:
    """The reader of a source without any row."""
    return EmbeddingReader(iter(()), encoder, 0)


def numbered(records: Sequence[Record], first_row: int) -> None:
    """Give records without an id their row number, counted from 0, and turn numbers into text."""
    for row, record in enumerate(records, first_row):
        name = record.get("id")
        if not isinstance(name, str):
            record["id"] = str(row if name is None else name)
