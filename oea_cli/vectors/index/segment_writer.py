"""Writes one segment of an index: rows, records, graph, and the recall of its search."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from oea_cli.vectors.arrays import Floats, Stored
from oea_cli.vectors.index.checking import sums_of
from oea_cli.vectors.index.contents import Segment
from oea_cli.vectors.index.index import SCAN_ROWS, VectorIndex
from oea_cli.vectors.index.record_files import RecordWriter
from oea_cli.vectors.index.storage import RowFile, decode_rows
from oea_cli.vectors.npy import map_array
from oea_cli.vectors.scan.best import BestSoFar

SAMPLE_QUERIES = 100
SAMPLE_K = 10


class SegmentWriter:
    """Writes one segment's rows and records as they stream in."""

    def __init__(self, folder: Path, number: int, dim: int, storage: str) -> None:
        self.folder, self.number, self.dim, self.storage = folder, number, dim, storage
        self.rows = RowFile(folder / f"vectors-{number:04}.npy", dim, storage)
        self._records = RecordWriter(folder, number)
        self._sample: Floats | None = None
        self._truth = BestSoFar(np.zeros((0, dim), np.float32), SAMPLE_K)

    def write(
        self, ids: Sequence[str], texts: Sequence[str], vectors: Floats, stored: Stored
    ) -> None:
        """Append records as JSON text, their vectors (N, D) and the same rows encoded (N, W)."""
        self._observe(vectors)
        self.rows.write(stored)
        self._records.write(ids, texts)

    def copy(self, ids: Sequence[str], texts: Sequence[str], stored: Stored) -> None:
        """Append rows (N, W) that are encoded already, with their records as JSON text."""
        self.write(ids, texts, decode_rows(stored, self.storage, self.dim), stored)

    def record(self, row: int) -> str:
        """The record in a row of this segment, as JSON text."""
        return self._records.text(row)

    def close(self, with_graph: bool) -> Segment:
        """Finish the files, link the graph, and measure how much of the truth a search finds."""
        # In this order: the last rows reach the disk while the records are being written.
        self._records.close()
        self.rows.close()
        name = None
        if with_graph and self.rows.num_rows >= SCAN_ROWS:
            from oea_cli.vectors.index.graph import build_graph

            name = f"graph-{self.number:04}.usearch"
            stored = map_array(self.rows.path)
            build_graph(self.folder / name, stored, self.storage, self.dim)
        segment = Segment(
            number=self.number,
            num_rows=self.rows.num_rows,
            vectors=self.rows.path.name,
            records=tuple(self._records.parts),
            part_rows=tuple(self._records.part_rows),
            graph=name,
        )
        others = segment.files() - {segment.vectors}
        sums = {segment.vectors: self.rows.sum, **sums_of(self.folder, others)}
        return replace(segment, sums=sums)

    def recall(self, index: VectorIndex) -> float | None:
        """Return the share of the sample's ten true nearest rows that a search of `index` finds.

        `index` consists of this segment alone. None where the rows are stored unchanged and
        scanned: that search is exact.
        """
        has_graph = index.segments[0].graph is not None
        if self._sample is None or (self.storage == "f32" and not has_graph):
            return None
        if self.storage == "f32":
            truth, _ = index.search(self._sample, SAMPLE_K, exact=True)
        else:
            truth, _ = self._truth.result()
        found, _ = index.search(self._sample, SAMPLE_K)
        hits = [np.isin(t[t >= 0], f).mean() for t, f in zip(truth, found, strict=True)]
        return round(float(np.mean(hits)), 4)

    def abort(self) -> None:
        """Remove what has been written."""
        self._records.abort()
        self.rows.abort()

    def _observe(self, vectors: Floats) -> None:
        """Track the true nearest rows of the first vectors, before encoding loses precision."""
        if self._sample is None:
            self._sample = vectors[:SAMPLE_QUERIES].copy()
            self._truth = BestSoFar(self._sample, SAMPLE_K)
        if self.storage != "f32":
            self._truth.add(vectors)
