"""Vectors as JSONL, also on pipes: a record per line with "embedding" and "encoder"."""

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from oea_cli.errors import OeaError
from oea_cli.records.artefacts import AtomicFile
from oea_cli.records.fields import id_or_number
from oea_cli.records.json_lines import json_line
from oea_cli.records.lines import read_json_lines
from oea_cli.records.rows import Record
from oea_cli.records.stream_end import EndCheck, end_mark, take_end
from oea_cli.vectors.arrays import TOO_LARGE, Vectors, unit_rows
from oea_cli.vectors.batch import (
    Batch,
    EmbeddingReader,
    Reading,
    column_in,
    empty_reader,
    no_vector,
)
from oea_cli.vectors.files.writer import STORAGE_TYPES, Encoding, Origin

ROWS_HELD = 64
# The bits of a double that a float32 lacks, and the middle of their range.
DROPPED_BITS = np.uint64(0x1FFFFFFF)
HALFWAY_BITS = np.uint64(0x10000000)
FLOAT32_DIGITS = 9
_OURS = re.compile(r":[0-9a-f]{12,}$")
"""How a fingerprint of ours ends the name of an encoder."""


class _Row(NamedTuple):
    where: str
    record: Record
    encoder: str | None
    vector: Vectors  # (d,)


def read_lines(stream: BinaryIO, name: str, reading: Reading) -> EmbeddingReader:
    """Read JSONL, embeddings as lists of numbers or as base64 of little-endian float32.

    Raises OeaError naming the line for one without an embedding, of another dimension or from
    another encoder. Records without an id get their row number.
    """
    check = EndCheck()
    rows = _rows(stream, name, reading, check)
    with np.errstate(over="raise"):
        first = next(rows, None)
    if first is None:
        return empty_reader()
    encoder, dim = first.encoder, len(first.vector)
    batches = _batches(chain([first], rows), encoder, dim, reading.batch_rows, name)
    is_marked = encoder is not None and _OURS.search(encoder) is not None
    is_complete = (lambda: check.is_complete) if is_marked else None
    return EmbeddingReader(batches, encoder, dim, is_complete=is_complete)


def _rows(stream: BinaryIO, name: str, reading: Reading, check: EndCheck) -> Iterator[_Row]:
    rows = read_json_lines(stream, name)
    for number, (where, record) in enumerate(rows, reading.first_row):
        check.add(take_end(record))
        value = record.pop(column_in(record, reading.column), None)
        if value is None:
            raise no_vector(where, repr(reading.column), list(record))
        encoder = record.pop("encoder", None)
        if not isinstance(encoder, str | None):
            raise OeaError(f"{where}: 'encoder' must be text, a name; got {encoder!r:.60}")
        if not isinstance(record.get("id"), str):
            record["id"] = id_or_number(record, number, where)
        yield _Row(where, record, encoder, _vector(value, where))


def _vector(value: Any, where: str) -> Vectors:
    try:
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
        numbers = np.array(value)
    except binascii.Error as error:
        raise OeaError(f"{where}: 'embedding' must be numbers or base64 ({error})") from error
    except (ValueError, TypeError) as error:
        raise _no_numbers(value, where) from error
    if numbers.size and numbers.dtype.kind not in "fiu":
        raise _no_numbers(value, where)
    if numbers.ndim != 1 or not len(numbers):
        raise OeaError(f"{where}: 'embedding' must be a list of numbers")
    doubles = numbers.astype(np.float64, copy=False)
    try:
        vector = doubles.astype(np.float32)
    except FloatingPointError as error:
        raise OeaError(f"{where}: 'embedding' holds {TOO_LARGE}") from error
    # Digits become a double first, and a double half-way between two float32 may stand for either
    # of them. That is one value in billions, but its bits would then differ.
    halfway = (doubles.view(np.uint64) & DROPPED_BITS) == HALFWAY_BITS
    if halfway.any():
        for place in np.flatnonzero(halfway):
            vector[place] = rounded_once(float(doubles[place]))
    return vector


def _no_numbers(value: object, where: str) -> OeaError:
    return OeaError(f"{where}: 'embedding' must be numbers or base64; got {value!r:.60}")


def rounded_once(double: float) -> np.float32:
    """The float32 nearest to the digits of a double that lies half-way between two of them.

    Up to 9 digits, all that a float32 needs, are the double's own shortest digits.
    """
    written, middle = Decimal(repr(double)), Decimal(double)
    nearest = np.float32(double)
    if len(written.as_tuple().digits) > FLOAT32_DIGITS or written == middle:
        return nearest
    is_above = float(nearest) > double
    towards = np.float32(np.inf if written > middle else -np.inf)
    return nearest if is_above == (written > middle) else np.nextafter(nearest, towards)


def _batches(
    rows: Iterator[_Row], encoder: str | None, dim: int, batch_rows: int, name: str
) -> Iterator[Batch]:
    while True:
        # Filled row by row: the lists of one line are freed before those of the next are made,
        # which is twice as fast as converting them all at the end.
        vectors = np.empty((batch_rows, dim), dtype=np.float32)
        records: list[Record] = []
        with np.errstate(over="raise"):
            for row in islice(rows, batch_rows):
                if row.encoder != encoder or len(row.vector) != dim:
                    raise _mismatch(row, encoder, dim)
                vectors[len(records)] = row.vector
                records.append(row.record)
        if not records:
            return
        yield Batch(records, unit_rows(vectors[: len(records)], records, name))


def _mismatch(row: _Row, encoder: str | None, dim: int) -> OeaError:
    if len(row.vector) != dim:
        return OeaError(
            f"{row.where}: a vector of {len(row.vector)} dimensions; the lines before have {dim}"
        )
    return OeaError(
        f"{row.where}: made by {row.encoder or 'no encoder named'}, "
        f"the lines before by {encoder or 'no encoder named'}; embed them all with the same encoder"
    )


class LineSink:
    """Writes JSONL to a stream, flushed batch by batch, so that the next program can start.

    One row is held back, because the last one says that it is the last.
    """

    def __init__(self, stream: BinaryIO, origin: Origin, encoding: Encoding) -> None:
        self._stream = stream
        self._encoder = {} if origin.encoder is None else {"encoder": origin.encoder}
        self._type = STORAGE_TYPES[origin.storage]
        self._encoding = encoding
        self._count = 0
        self._held: Record | None = None

    def write(self, batch: Batch) -> None:
        """Write one line per row, but for the last, after the one that was held back."""
        vectors = batch.vectors.astype(self._type, copy=False)
        rows = zip(batch.records, vectors, strict=True)
        while part := [self._row(record, vector) for record, vector in islice(rows, ROWS_HELD)]:
            self._count += len(part)
            *waiting, self._held = part if self._held is None else [self._held, *part]
            self._stream.write(b"".join(map(json_line, waiting)))
        self._stream.flush()

    def _row(self, record: Record, vector: Vectors) -> Record:
        value = vector if self._encoding == "json" else _base64(vector)
        return {**record, "embedding": value, **self._encoder}

    def close(self) -> None:
        """Write the last row, marked where an encoder is named, and what is left in the buffer."""
        if self._held is not None:
            mark = end_mark(self._held, self._count) if self._encoder else {}
            self._stream.write(json_line({**self._held, **mark}))
        self._stream.flush()

    def abort(self) -> None:
        """Write the row that was held back, without a mark: what is done need not be lost."""
        if self._held is not None:
            with suppress(OSError):  # the reader is gone, which has been noticed
                self._stream.write(json_line(self._held))
                self._stream.flush()


def _base64(vector: Vectors) -> str:
    return base64.b64encode(vector.astype("<f4", copy=False).tobytes()).decode("ascii")


class LineFileSink:
    """Writes JSONL to a file that appears when it is complete."""

    def __init__(self, path: Path, origin: Origin, encoding: Encoding) -> None:
        self._atomic = AtomicFile(path)
        self._stream = self._atomic.temporary.open("wb")
        self._lines = LineSink(self._stream, origin, encoding)

    def write(self, batch: Batch) -> None:
        """Write one line per row."""
        self._lines.write(batch)

    def close(self) -> None:
        """Rename the finished file into place."""
        self._lines.close()
        self._stream.close()
        self._atomic.commit()

    def abort(self) -> None:
        """Remove the unfinished file."""
        with suppress(OSError):  # of a full disk, which has been said
            self._stream.close()
        self._atomic.discard()
