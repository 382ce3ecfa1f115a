"""The writer of every output, which checks each batch before a format stores it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol

import numpy as np

from oea_cli import __version__
from oea_cli.errors import OeaError
from oea_cli.records.artefacts import named_when_full
from oea_cli.records.format_versions import check_format, format_mark
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import unit_rows
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.npy import LARGEST_DIM

Storage = Literal["f32", "f16"]
Encoding = Literal["json", "base64"]

FORMAT = "oea-embeddings"
STORAGE_TYPES: dict[Storage, type[np.floating[Any]]] = {"f32": np.float32, "f16": np.float16}


@dataclass(frozen=True)
class Origin:
    """What an artefact stores about its vectors, besides their number and dimension."""

    encoder: str | None
    storage: Storage = "f32"
    metadata: dict[str, Any] = field(default_factory=dict)

    def description(self, count: int, dim: int) -> dict[str, Any]:
        """The content of X.meta.json, of the Parquet key-value and of the manifest."""
        return {
            "format": format_mark(FORMAT),
            "encoder": self.encoder,
            "dim": dim,
            "count": count,
            "storage": self.storage,
            "oea_version": __version__,
            "metadata": self.metadata,
        }


def check_description(content: Any, where: str | Path) -> dict[str, Any]:
    """What `description` wrote, as it is read back; raises OeaError where it is something else."""
    if not isinstance(content, dict):
        raise OeaError(f"{where}: not written by oea (it holds no JSON object)")
    check_format(content, FORMAT, where, unmarked=1)
    right = (
        ("encoder", isinstance(content.get("encoder", 0), str | None)),
        ("dim", is_count(content.get("dim"), LARGEST_DIM)),
        ("count", is_count(content.get("count"))),
        ("metadata", isinstance(content.get("metadata", {}), dict)),
    )
    if wrong := [repr(key) for key, is_right in right if not is_right]:
        raise OeaError(f"{where}: not written by oea, or damaged ({', '.join(wrong)})")
    return content


def is_count(value: Any, most: int = 1 << 53) -> bool:
    """Whether a value out of JSON is a whole number from 0 to `most`."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


class Sink(Protocol):
    """Stores batches in one format."""

    def write(self, batch: Batch) -> None:
        """Store one checked, non-empty batch."""

    def close(self) -> None:
        """Finish: put everything in its final place, the manifest last."""

    def abort(self) -> None:
        """Stop: leave nothing behind that looks finished."""


class EmbeddingWriter:
    """Writes batches to one output; a context manager that closes it, or aborts on an exception.

    `count` rows have been written, and `num_done` inputs were there before.
    """

    def __init__(
        self, sink: Sink, where: str, is_done: Callable[[Record], bool] = lambda _: False
    ) -> None:
        self.count = 0
        self.num_done = 0
        self.dim = 0
        self._is_done = is_done
        self._sink = sink
        self._where = where

    def is_done(self, record: Record) -> bool:
        """Whether an earlier run has already stored this clip as it is now; outside folders of
        shards it never has."""
        found = self._is_done(record)
        self.num_done += found
        return found

    def write(self, batch: Batch) -> None:
        """Store one batch; raises OeaError for NaN, zero vectors and another dimension."""
        if not batch.records:
            return
        if len(batch.records) != len(batch.vectors):
            raise ValueError(f"{len(batch.records)} records, {len(batch.vectors)} vectors")
        vectors = unit_rows(batch.vectors, batch.records, self._where)
        self.dim = self.dim or vectors.shape[1]
        if vectors.shape[1] != self.dim:
            raise OeaError(
                f"{self._where}: vectors of {vectors.shape[1]} dimensions after "
                f"vectors of {self.dim}"
            )
        with named_when_full(self._where):
            self._sink.write(Batch(batch.records, vectors))
        self.count += len(vectors)

    def close(self) -> None:
        """Finish the output; only then are its files in their final place."""
        with named_when_full(self._where):
            self._sink.close()

    def abort(self) -> None:
        """Leave no half-written output behind; complete shards stay for the next run."""
        self._sink.abort()

    def __enter__(self) -> "EmbeddingWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self.abort()
            return
        try:
            self.close()
        except BaseException:
            self.abort()
            raise
