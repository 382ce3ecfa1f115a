"""Which clip each row of an index belongs to: long clips lie as several rows, their windows."""

from threading import Lock

import numpy as np

from oea_cli.records.ids import clip_of
from oea_cli.vectors.index.record_files import RecordReader
from oea_cli.vectors.scan.nearest import Short

UNKNOWN = -1


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
