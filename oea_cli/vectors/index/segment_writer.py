"""Writes one segment of an index: rows, records, graph, and the recall of its search."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from oea_cli.vectors.arrays import Floats, Stored
from oea_cli.vectors.index.checking import sums_of
from oea_cli.vectors.index.contents import Manifest, Segment, now
from oea_cli.vectors.index.index import SCAN_ROWS, VectorIndex
from oea_cli.vectors.index.recall import RecallSample
from oea_cli.vectors.index.record_files import RecordWriter
from oea_cli.vectors.index.storage import RowFile, decode_rows


class SegmentWriter:
    """Writes one segment's rows and records as they stream in."""

    def __init__(self, folder: Path, number: int, dim: int, storage: str) -> None:
        self.folder, self.number, self.dim, self.storage = folder, number, dim, storage
        self.rows = RowFile(folder / f"vectors-{number:04}.npy", dim, storage)
        self._records = RecordWriter(folder, number)
        self._sample = RecallSample(dim, is_exact=storage == "f32")

    def write(
        self, ids: Sequence[str], texts: Sequence[str], vectors: Floats, stored: Stored
    ) -> None:
        """Append records as JSON text, their vectors (N, D) and the same rows encoded (N, W)."""
        self._sample.observe(vectors)
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
        self._sample.choose()
        segment = Segment(
            number=self.number,
            num_rows=self.rows.num_rows,
            vectors=self.rows.path.name,
            records=tuple(self._records.parts),
            part_rows=tuple(self._records.part_rows),
        )
        if with_graph and self.rows.num_rows >= SCAN_ROWS:
            segment = self._linked(segment)
        elif not self._sample.is_exact:
            segment = self._measured(segment, self._sample.share_of_scan(self._alone(segment)))
        others = segment.files() - {segment.vectors}
        sums = {segment.vectors: self.rows.sum, **sums_of(self.folder, others)}
        return replace(segment, sums=sums)

    def _linked(self, segment: Segment) -> Segment:
        """The segment with a graph of all rows, whose sample asks before it is linked itself."""
        from oea_cli.vectors.index.graph import link_rows, new_graph

        graph = new_graph(self.dim, self.storage)
        index = self._alone(segment)
        others = np.setdiff1d(np.arange(segment.num_rows), self._sample.rows)
        link_rows(graph, others, index.vectors)
        index.segments[0] = replace(index.segments[0], graph=graph)
        share = self._sample.share_of_graph(index)
        link_rows(graph, self._sample.rows, index.vectors)
        name = f"graph-{self.number:04}.usearch"
        graph.save(str(self.folder / name))
        return self._measured(replace(segment, graph=name), share)

    def _measured(self, segment: Segment, share: float | None) -> Segment:
        queries = 0 if share is None else len(self._sample.rows)
        return replace(segment, recall=share, recall_queries=queries)

    def _alone(self, segment: Segment) -> VectorIndex:
        """An index of this segment only."""
        now_ = now()
        manifest = Manifest(self.dim, None, "exact", self.storage, now_, now_, segments=(segment,))
        return VectorIndex(self.folder, manifest)

    def abort(self) -> None:
        """Remove what has been written."""
        self._records.abort()
        self.rows.abort()
