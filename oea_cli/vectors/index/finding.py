"""Finds rows of an index by id, and which clip a row belongs to: long clips lie as windows."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import polars as pl

from oea_cli.errors import OeaError
from oea_cli.records.ids import WINDOW_MARK, clip_of, wholes_of
from oea_cli.records.similar_ids import did_you_mean
from oea_cli.records.text import nfc
from oea_cli.vectors.arrays import Mask, RowNumbers
from oea_cli.vectors.index.record_files import RecordReader
from oea_cli.vectors.scan.nearest import Short

# For more ids than these, a table of all is quicker than a look through them for each.
FEW_IDS = 20
UNKNOWN = -1


class RowFinder:
    """The rows of ids, of those that are not deleted.

    An id is found in whatever form of Unicode. Where there is none, OeaError names similar ids.
    """

    def __init__(self, folder: Path, records: RecordReader, live: Mask) -> None:
        self._folder, self._records, self._live = folder, records, live

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of every id; raises OeaError where one occurs twice."""
        ids = self._records.ids()
        rows = {ids[row]: row for row in np.flatnonzero(self._live).tolist()}
        if len(rows) != np.count_nonzero(self._live):
            raise OeaError(f"{self._folder}: damaged (an id occurs twice); build the index again")
        return rows

    def find(self, id: str) -> int:
        """Return the row of an id."""
        known = self._records.id_column
        found = self._live_rows(known == id)
        if not len(found) and not id.isascii():
            found = self._live_rows(known.str.normalize("NFC") == nfc(id))
        if not len(found):
            hint = did_you_mean(id, known.filter(pl.Series(self._live)))
            raise OeaError(f"{self._folder}: no record with id {id!r}{hint}")
        return int(found[0])

    def find_all(self, ids: Sequence[str]) -> RowNumbers:
        """Return the rows of these ids, in their order."""
        if len(ids) <= FEW_IDS:
            return np.array([self.find(id_) for id_ in ids], np.int64)
        known = self.row_of
        return np.array([known[id_] if id_ in known else self.find(id_) for id_ in ids], np.int64)

    def holds(self, id: str) -> bool:
        """True where there is a row of this id, or a window of it."""
        return bool(self._of_clip(id))

    def find_clips(self, ids: Sequence[str]) -> RowNumbers:
        """Return the rows of these ids and of all their windows, ascending."""
        rows: set[int] = set()
        for id_ in ids:
            own = self._of_clip(id_) if len(ids) <= FEW_IDS else self._by_clip.get(nfc(id_), [])
            rows.update(own or [self.find(id_)])
        return np.array(sorted(rows), np.int64)

    def _of_clip(self, id: str) -> list[int]:
        known, name = self._records.id_column, nfc(id)
        if not id.isascii():
            known = known.str.normalize("NFC")
        rows = self._live_rows((known == name) | known.str.starts_with(f"{name}{WINDOW_MARK}"))
        parts = zip(rows.tolist(), known.gather(rows).to_list(), strict=True)
        return [row for row, part in parts if name in wholes_of(part)]

    @cached_property
    def _by_clip(self) -> dict[str, list[int]]:
        """The rows of every clip and window, by ids in NFC."""
        found: dict[str, list[int]] = {}
        for id_, row in self.row_of.items():
            for name in wholes_of(nfc(id_)):
                found.setdefault(name, []).append(row)
        return found

    def _live_rows(self, chosen: pl.Series) -> RowNumbers:
        return np.flatnonzero(chosen.to_numpy() & self._live)


class ClipNumbers:
    """Numbers of clips, given as they are asked for: of millions of rows, few ever are."""

    def __init__(self, records: RecordReader) -> None:
        self._records = records
        self._numbers: Short = np.full(records.num_rows, UNKNOWN, np.int32)
        self._number_of: dict[str, int] = {}
        self._changing = Lock()

    def __call__(self, rows: Short) -> Short:
        """The number of the clip of each row (C,), from 0."""
        found = self._numbers[rows]
        if (found == UNKNOWN).any():
            with self._changing:
                self._number(np.unique(rows[found == UNKNOWN]))
            found = self._numbers[rows]
        return found

    def _number(self, rows: Short) -> None:
        known = self._number_of
        clips = map(clip_of, self._records.id_column.gather(rows).to_list())
        self._numbers[rows] = [known.setdefault(clip, len(known)) for clip in clips]
