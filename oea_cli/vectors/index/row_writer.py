"""Writes incoming records to an index: new ones, known ones, and those that replace others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import orjson

from oea_cli.errors import OeaError
from oea_cli.records.equal_ids import place_of
from oea_cli.records.json_lines import ids_of, texts_of
from oea_cli.records.rows import Record
from oea_cli.records.text import nfc
from oea_cli.vectors.arrays import Floats, Stored
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.index.segment_writer import SegmentWriter
from oea_cli.vectors.index.storage import decode_rows, encode_rows

# How far below 1 the cosine of two equal vectors may be: another batch size changes the last
# bits, before they are encoded.
SAME_VECTOR = {"f32": 1e-6, "f16": 1e-6, "i8": 1e-4, "b1": 2e-2}


class VectorBatch(Protocol):
    """Records with their unit vectors (N, D)."""

    @property
    def records(self) -> Sequence[Record]: ...
    @property
    def vectors(self) -> Floats: ...


@dataclass
class Change:
    """The numbers of records that a change affected."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    deleted: int = 0
    total: int = 0


class RowWriter:
    """Decides for every incoming record whether it is new, known, or replaces another.

    `known` has the row of every id in the form of Unicode that ids are compared in.
    """

    def __init__(self, index: VectorIndex | None, writer: SegmentWriter, newer_wins: bool) -> None:
        self.index, self.writer, self.newer_wins = index, writer, newer_wins
        self.first_row = index.num_rows if index else 0
        self.known = _rows_by_id(index.row_of, index.row_of.values()) if index else {}
        self.dead: set[int] = set()
        self.change = Change()

    def write(self, batch: VectorBatch) -> None:
        """Write the new records of a batch."""
        ids, texts = ids_of(batch.records), texts_of(batch.records)
        stored = encode_rows(batch.vectors, self.writer.storage)
        start = self.first_row + self.writer.rows.num_rows
        new = _rows_by_id(ids, range(start, start + len(ids)))
        if len(new) == len(ids) and self.known.keys().isdisjoint(new):
            self.known.update(new)
            self.change.added += len(ids)
            self.writer.write(ids, texts, batch.vectors, stored)
            return
        for place, (id_, text) in enumerate(zip(ids, texts, strict=True)):
            one = slice(place, place + 1)
            self._write_one(id_, text, batch.vectors[one], stored[one])

    def _write_one(self, id_: str, text: str, vector: Floats, stored: Stored) -> None:
        known_as = nfc(id_)
        row = self.known.get(known_as)
        if row is None:
            self.change.added += 1
        elif self._is_same(row, text, stored):
            self.change.unchanged += 1
            return
        elif self.newer_wins:
            self.change.replaced += 1
            self.dead.add(row)
        else:
            raise OeaError(self._conflict(id_, row, text))
        self.known[known_as] = self.first_row + self.writer.rows.num_rows
        self.writer.write([id_], [text], vector, stored)

    def _is_same(self, row: int, text: str, stored: Stored) -> bool:
        """Return whether the row holds this vector, and where the newer wins, this record too."""
        old, new = (
            decode_rows(rows, self.writer.storage, self.writer.dim)[0].astype(np.float64)
            for rows in (self._stored(row), stored)
        )
        cosine = old @ new / np.sqrt((old @ old) * (new @ new))
        if cosine < 1 - SAME_VECTOR[self.writer.storage]:
            return False
        return not self.newer_wins or _is_one_record(self._text(row), text)

    def _stored(self, row: int) -> Stored:
        if self.index is not None and row < self.first_row:
            return self.index.stored(np.array([row]))
        return self.writer.rows.read(row - self.first_row)

    def _text(self, row: int) -> str | None:
        return self._old_texts[row] if row < self.first_row else None

    @cached_property
    def _old_texts(self) -> list[str]:
        return self.index.record_files.texts() if self.index else []

    def _conflict(self, id_: str, row: int, text: str) -> str:
        if self.index is None or row >= self.first_row:
            old = self.writer.record(row - self.first_row)
            one, two = (place_of(orjson.loads(record)) for record in (old, text))
            both = f", of {one} and {two}" if one != two else ""
            return (
                f"id {id_!r} occurs twice with different vectors{both}; ids must be unique (those "
                "of sounds in several folders are by `oea embed --prefix-ids`)"
            )
        return (
            f"id {id_!r} is in {self.index.folder} with another vector; "
            "--replace keeps the newer one"
        )


def _rows_by_id(ids: Iterable[str], rows: Iterable[int]) -> dict[str, int]:
    return dict(zip(map(nfc, ids), rows, strict=True))


def _is_one_record(old: str | None, new: str) -> bool:
    """Return whether two JSON texts are one record, however they are spaced and escaped."""
    if old is None or old == new:
        return old == new
    return orjson.dumps(orjson.loads(old)) == orjson.dumps(orjson.loads(new))
