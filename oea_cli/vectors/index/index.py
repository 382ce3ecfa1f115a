"""Reading an index folder: search, filters, records."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from oea_cli.errors import OeaError
from oea_cli.records.rows import Record
from oea_cli.records.where.evaluation import Condition
from oea_cli.vectors.arrays import Floats, Mask, RowNumbers, Stored
from oea_cli.vectors.index.checking import check_files, remember
from oea_cli.vectors.index.contents import Manifest, Segment
from oea_cli.vectors.index.finding import ClipNumbers, RowFinder
from oea_cli.vectors.index.manifest import read_manifest
from oea_cli.vectors.index.record_files import RecordReader, WithKeys
from oea_cli.vectors.index.storage import DTYPES, decode_rows, stored_width
from oea_cli.vectors.npy import map_array
from oea_cli.vectors.scan.best import all_scores, best_rows

BLOCK_QUERIES = 1024
# Scores computed at a time: enough rows for a fast product, few enough for the cache.
BLOCK_SCORES = 1 << 21
BLOCK_ROWS = 8192
# A graph is searched for a few more rows than needed, because it misses some.
SPARE_ROWS = 8
# Below this many eligible rows a scan is quicker than a graph, and misses nothing.
SCAN_ROWS = 10_000


@dataclass(frozen=True)
class OpenSegment:
    """A segment with its rows mapped into memory."""

    first: int
    stored: Stored
    live: Mask
    graph: Any | None


class VectorIndex:
    """An index folder opened for reading; a snapshot, which a writer does not change.

    Rows are numbered from 0 over all segments, deleted ones included.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Open every file that `index.json` names; raises FileNotFoundError for a missing one."""
        self.folder, self.manifest = folder, manifest
        self.dim, self.encoder, self.storage = manifest.dim, manifest.encoder, manifest.storage
        sizes = [segment.num_rows for segment in manifest.segments]
        firsts = np.cumsum([0, *sizes])
        self.num_rows = int(firsts[-1])
        self.segments = [
            self._open(segment, int(first))
            for segment, first in zip(manifest.segments, firsts[:-1], strict=True)
        ]
        parts = [folder / name for s in manifest.segments for name in s.records]
        part_rows = [rows for segment in manifest.segments for rows in segment.part_rows]
        self.record_files = RecordReader(parts, part_rows)

    @classmethod
    def open(cls, folder: Path) -> "VectorIndex":
        """Open an index folder; raises OeaError for any other folder and for a damaged one."""
        for _ in range(3):
            manifest = read_manifest(folder)
            try:
                return cls._checked(folder, manifest)
            except FileNotFoundError as error:
                # A writer replaced the index between the two reads: look again.
                missing = error.filename
        raise OeaError(f"{folder}: damaged: {missing} is missing; build the index again")

    @classmethod
    def _checked(cls, folder: Path, manifest: Manifest) -> "VectorIndex":
        """Open the files once they have been found to be what was written."""
        sums = {name: s.sums.get(name) for s in manifest.segments for name in s.files()}
        new = check_files(folder, sums)
        for segment in manifest.segments:
            if segment.graph in new:
                from oea_cli.vectors.index.graph import check_graph_file

                path = folder / segment.graph
                check_graph_file(path, segment.num_rows, manifest.storage, manifest.dim)
        index = cls(folder, manifest)
        remember(folder, sums)
        return index

    def __len__(self) -> int:
        return self.manifest.num_live

    @cached_property
    def live(self) -> Mask:
        """Which rows (N,) are not deleted."""
        return np.concatenate([np.zeros(0, bool), *(segment.live for segment in self.segments)])

    @cached_property
    def by_id(self) -> RowFinder:
        """Rows by their ids."""
        return RowFinder(self.folder, self.record_files, self.live)

    @property
    def row_of(self) -> dict[str, int]:
        """The row of every id that is not deleted."""
        return self.by_id.row_of

    def search(
        self,
        queries: Floats,
        k: int,
        mask: Mask | None = None,
        penalty: Floats | None = None,
        exact: bool = False,
        by_clip: bool = False,
    ) -> tuple[RowNumbers, Floats]:
        """Find the best `k` rows for each query (Q, D) of length 1.

        `mask` (N,) is true for rows that may be found, `penalty` (N,) is subtracted from
        their scores, `exact` scans even where there is a graph, and so does `by_clip`, which finds
        the best `k` clips, each by its best row. Returns rows and scores, both
        (Q, min(k, len(index))), best first, equal scores by row; where fewer rows are eligible, the
        rest is row -1 with score -inf.
        """
        self._check_queries(queries)
        eligible = self.live if mask is None else self.live & mask
        k = min(k, len(self))
        graphs = not exact and not by_clip and self.uses_graph(eligible, penalty)
        clips_of = self.clip_numbers if by_clip else None
        chunks = []
        for start in range(0, len(queries), BLOCK_QUERIES):
            part = slice(start, start + BLOCK_QUERIES)
            chunks.append(self._search_chunk(queries[part], k, eligible, penalty, graphs, clips_of))
        if not chunks:
            return np.zeros((0, k), np.int64), np.zeros((0, k), np.float32)
        rows, scores = zip(*chunks, strict=True)
        return np.concatenate(rows), np.concatenate(scores)

    @cached_property
    def clip_numbers(self) -> ClipNumbers:
        """The clip of each row."""
        return ClipNumbers(self.record_files)

    def scores_for(self, queries: Floats) -> Floats:
        """Return the cosines (Q, N) of the queries with every row, deleted ones included."""
        self._check_queries(queries)
        return all_scores(self._blocks(np.ones(self.num_rows, bool)), queries, self.num_rows)

    def vectors(self, rows: RowNumbers) -> Floats:
        """Return the vectors (R, D) of these rows, of length 1 up to the storage's precision."""
        return decode_rows(self.stored(rows), self.storage, self.dim)

    def stored(self, rows: RowNumbers) -> Stored:
        """Return these rows (R, W) as they are stored."""
        owners = np.searchsorted([s.first for s in self.segments], rows, "right") - 1
        chosen = np.unique(owners)
        if len(chosen) == 1:
            segment = self.segments[chosen[0]]
            whole: Stored = segment.stored[rows - segment.first]
            return whole
        found = np.empty((len(rows), stored_width(self.dim, self.storage)), DTYPES[self.storage])
        for number in chosen:
            own = owners == number
            segment = self.segments[number]
            found[own] = segment.stored[rows[own] - segment.first]
        return found

    def vector_of(self, id: str) -> Floats:
        """Return the vector (D,) of a record; raises OeaError where there is none of that id."""
        vector: Floats = self.vectors(np.array([self.find(id)]))[0]
        return vector

    def find(self, id: str) -> int:
        """Return the row of an id, in whatever form of Unicode; raises OeaError that names similar
        ids."""
        return self.by_id.find(id)

    def records(self, rows: RowNumbers) -> list[Record]:
        """Return the records of these rows, in their order."""
        return self.record_files.records(rows)

    def records_of(self, ids: Iterable[str]) -> list[Record]:
        """Return the records of these ids, in their order."""
        return self.records(np.array([self.row_of[id_] for id_ in ids], np.int64))

    def where(self, condition: Condition, keys: Iterable[str] = ()) -> Mask:
        """Return which rows (N,) fulfil a condition over the records' keys, and over `keys`, which
        may be null in all of them; raises UsageError where it does not fit them."""
        if not self.num_rows:
            return np.zeros(0, bool)
        return condition.rows(WithKeys(self.record_files, keys))

    @property
    def recall(self) -> float | None:
        """The share of the true ten nearest that a search finds; 1.0 where it is exact."""
        segments = [s for s in self.manifest.segments if s.num_rows]
        total = sum(segment.num_rows for segment in segments)
        if not total:
            return None
        known = sum(s.num_rows * (1.0 if s.recall is None else s.recall) for s in segments)
        return round(known / total, 4)

    @property
    def _recall_queries(self) -> int | None:
        """How many rows, each left out, the recall was measured on; None where search is exact, 0
        where some could find themselves."""
        counts = [s.recall_queries for s in self.manifest.segments if s.recall is not None]
        return (sum(counts) if all(counts) else 0) if counts else None

    def info(self) -> dict[str, Any]:
        """Describe the index: counts, kind, storage, encoder, bytes, dates, segments."""
        manifest = self.manifest
        names = {name for segment in manifest.segments for name in segment.files()}
        return {
            "path": str(self.folder),
            "count": len(self),
            "deleted": self.num_rows - len(self),
            "dim": self.dim,
            "encoder": self.encoder,
            "kind": manifest.kind,
            "storage": self.storage,
            "recall@10": self.recall,
            "recall_queries": self._recall_queries,
            "bytes": sum((self.folder / name).stat().st_size for name in names),
            "created": manifest.created,
            "updated": manifest.updated,
            "oea": manifest.oea,
            "segments": [_describe(segment) for segment in manifest.segments],
        }

    def _open(self, segment: Segment, first: int) -> OpenSegment:
        path = self.folder / segment.vectors
        stored = np.asarray(map_array(path))
        width = stored_width(self.dim, self.storage)
        right = stored.shape == (segment.num_rows, width) and stored.flags.c_contiguous
        if not right or stored.dtype != DTYPES[self.storage]:
            raise OeaError(
                f"{path}: damaged ({stored.dtype} of shape {stored.shape}, but index.json says "
                f"{segment.num_rows} x {width} in {self.storage}); build the index again"
            )
        live = self._live(segment)
        graph = None
        if segment.graph:
            path = self.folder / segment.graph
            if not path.exists():
                raise FileNotFoundError(2, "gone", str(path))
            from oea_cli.vectors.index.graph import open_graph

            graph = open_graph(path, self.storage, self.dim)
        return OpenSegment(first, stored, live, graph)

    def _live(self, segment: Segment) -> Mask:
        """Which rows of a segment are not deleted."""
        live = np.ones(segment.num_rows, bool)
        if segment.deleted is None:
            return live
        path = self.folder / segment.deleted
        deleted = map_array(path)
        if deleted.ndim == 1 and deleted.dtype == np.int64:
            live[deleted[(deleted >= 0) & (deleted < segment.num_rows)]] = False
        if np.count_nonzero(~live) != segment.num_deleted:
            raise OeaError(
                f"{path}: damaged (not {segment.num_deleted} rows); build the index again"
            )
        return live

    def _check_queries(self, queries: Floats) -> None:
        if not len(self):
            raise OeaError(f"{self.folder}: the index is empty")
        if not np.isfinite(queries).all():
            raise OeaError(f"{self.folder}: a query has values that are not finite")
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise OeaError(
                f"{self.folder}: holds {self.dim}-dimensional vectors, "
                f"the query has {queries.shape[-1]}; use the encoder that made the index"
            )

    def uses_graph(self, eligible: Mask, penalty: Floats | None) -> bool:
        """True where graphs propose some of the rows that may be found (N,)."""
        if penalty is not None or np.count_nonzero(eligible) <= SCAN_ROWS:
            return False
        return any(segment.graph is not None for segment in self.segments)

    def _search_chunk(
        self,
        queries: Floats,
        k: int,
        eligible: Mask,
        penalty: Floats | None,
        graphs: bool,
        clips_of: ClipNumbers | None,
    ) -> tuple[RowNumbers, Floats]:
        scanned, proposed = eligible.copy(), None
        if graphs:
            for segment in self.segments:
                if segment.graph is not None:
                    scanned[segment.first : segment.first + len(segment.stored)] = False
            proposed = self._proposed(queries, k, eligible & ~scanned)
        block_rows = min(BLOCK_ROWS, BLOCK_SCORES // max(1, len(queries)))
        return best_rows(
            self._blocks(scanned, block_rows),
            self.vectors,
            queries,
            k,
            penalty=penalty,
            proposed=proposed,
            clips_of=clips_of,
        )

    def _proposed(self, queries: Floats, k: int, eligible: Mask) -> tuple[RowNumbers, RowNumbers]:
        """Let all graphs propose eligible rows: (query, row) pairs as two (C,) arrays."""
        from oea_cli.vectors.index.graph import propose

        found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        needed = min(k + SPARE_ROWS, len(self))
        for segment in self.segments:
            if segment.graph is None:
                continue
            own = eligible[segment.first : segment.first + len(segment.stored)]
            share = max(np.count_nonzero(own) / len(own), 1e-6)
            count = min(len(own), int(needed / share) + SPARE_ROWS)
            owners, local = propose(segment.graph, queries, count)
            allowed = own[local]
            found.append((owners[allowed], local[allowed] + segment.first))
        owners, rows = map(np.concatenate, zip(*found, strict=True))
        return owners, rows

    def _blocks(
        self, eligible: Mask, block_rows: int = BLOCK_ROWS
    ) -> Iterator[tuple[RowNumbers, Floats]]:
        """Yield the eligible rows in ascending order as (rows (B,), vectors (B, D))."""
        for segment in self.segments:
            chosen = eligible[segment.first : segment.first + len(segment.stored)]
            for start in range(0, len(chosen), block_rows):
                local = start + np.flatnonzero(chosen[start : start + block_rows])
                if not len(local):
                    continue
                stop = start + block_rows
                whole = len(local) == len(chosen[start:stop])
                stored = segment.stored[start:stop] if whole else segment.stored[local]
                yield local + segment.first, decode_rows(stored, self.storage, self.dim)


def _describe(segment: Segment) -> dict[str, Any]:
    return {
        "number": segment.number,
        "count": segment.num_rows - segment.num_deleted,
        "deleted": segment.num_deleted,
        "graph": segment.graph is not None,
        "recall@10": segment.recall,
    }
