"""Changes an index folder: build, append, replace, delete, compact; each fully or not at all."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from oea_cli.errors import OeaError, UsageError
from oea_cli.vectors.arrays import RowNumbers
from oea_cli.vectors.index.checking import sum_of
from oea_cli.vectors.index.contents import KINDS, Manifest, Segment, now
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.index.manifest import (
    is_index,
    read_manifest,
    unused_number,
    write_manifest,
    writing,
)
from oea_cli.vectors.index.row_writer import Change, RowWriter, VectorBatch
from oea_cli.vectors.index.segment_writer import SegmentWriter
from oea_cli.vectors.index.storage import check_storage, encode_rows

# A scan of a million float32 rows of 512 takes about a tenth of a second per query on two cores.
EXACT_ROWS = 1_000_000
# Each segment costs every search some time and every process three open files.
MAX_SEGMENTS = 32
COPY_ROWS = 8192


def build_index(
    folder: Path,
    batches: Iterable[VectorBatch],
    *,
    dim: int,
    encoder: str | None,
    kind: str = "auto",
    storage: str = "f32",
    newer_wins: bool = False,
) -> Change:
    """Build an index from unit vectors, in place of any former one, in bounded memory.

    An id that occurs twice with the same vector counts once; with two vectors the newer counts if
    `newer_wins`, else OeaError names it. On any error the former index stays as it was.
    """
    check_kind(kind)
    check_storage(storage)
    with _changing(folder):
        manifest = Manifest(dim, encoder, kind, storage, now(), now(), unused_number(folder))
        return _extend(folder, manifest, None, batches, newer_wins)


def extend_index(
    folder: Path,
    batches: Iterable[VectorBatch],
    *,
    dim: int,
    encoder: str | None,
    newer_wins: bool = False,
) -> Change:
    """Add records to an index; the cost is that of the new ones.

    An id that is there with the same vector is left alone; with another vector, the newer record
    takes its place if `newer_wins`, else OeaError names the id. Raises OeaError for vectors of
    another encoder or dimension.
    """
    with _changing(folder, must_exist=True):
        index = VectorIndex.open(folder)
        manifest = index.manifest
        if not manifest.segments:
            manifest = replace(manifest, dim=dim, encoder=encoder)
        if dim:
            _check_same_space(folder, manifest, dim, encoder)
        change = _extend(folder, manifest, index, batches, newer_wins)
        changed = read_manifest(folder)
        if len(changed.segments) > MAX_SEGMENTS or _mostly_deleted(changed):
            _compact(folder, VectorIndex.open(folder), changed)
        return change


def delete_records(folder: Path, ids: Sequence[str]) -> Change:
    """Delete records by id, of a long clip all windows; raises OeaError, deleting nothing, where an
    id is not there."""
    with _changing(folder, must_exist=True):
        index = VectorIndex.open(folder)
        rows = set(index.by_id.find_clips(ids).tolist())
        segments = _with_deleted(folder, index, rows, index.manifest.next_number)
        changed = index.manifest.touched(
            segments=segments, next_number=index.manifest.next_number + 1
        )
        write_manifest(folder, changed)
        return Change(deleted=len(rows), total=changed.num_live)


def compact_index(folder: Path, kind: str | None = None, storage: str | None = None) -> Change:
    """Rewrite the index as one segment without its deleted rows, perhaps as another kind."""
    with _changing(folder, must_exist=True):
        index = VectorIndex.open(folder)
        manifest = replace(
            index.manifest,
            kind=check_kind(kind or index.manifest.kind),
            storage=check_storage(storage or index.storage),
        )
        _compact(folder, index, manifest)
        return Change(total=manifest.num_live)


def check_unchanged(folder: Path, kind: str | None, storage: str | None) -> None:
    """Raise UsageError for another kind or storage than those of an existing index that grows."""
    if not is_index(folder) or not (kind or storage):
        return
    manifest = VectorIndex.open(folder).manifest
    for option, value, present in (
        ("--kind", kind, manifest.kind),
        ("--storage", storage, manifest.storage),
    ):
        if value and value != present:
            raise UsageError(
                f"{folder}: made with {option} {present}; `oea index --compact {option} {value} "
                f"-o {folder}` changes it"
            )


def check_kind(kind: str) -> str:
    """Return the kind's name; raises UsageError for an unknown one."""
    if kind not in KINDS:
        raise UsageError(f"kind must be one of {', '.join(KINDS)}; got '{kind}'")
    return kind


def _extend(
    folder: Path,
    manifest: Manifest,
    index: VectorIndex | None,
    batches: Iterable[VectorBatch],
    newer_wins: bool,
) -> Change:
    """Write the batches as a new segment after those of `index`, and name it in the manifest."""
    number = manifest.next_number
    writer = SegmentWriter(folder, number, manifest.dim, manifest.storage)
    rows = RowWriter(index, writer, newer_wins)
    try:
        for batch in batches:
            rows.write(batch)
    except BaseException:
        writer.abort()
        raise
    change = rows.change
    segments = manifest.segments
    if writer.rows.num_rows:
        old_rows = {row for row in rows.dead if row < rows.first_row}
        new_rows = np.array(sorted(rows.dead - old_rows), np.int64) - rows.first_row
        segment = _finish(manifest, writer, manifest.num_live + change.added)
        segment = mark_deleted(folder, segment, new_rows, number)
        segments = (*(_with_deleted(folder, index, old_rows, number) if index else ()), segment)
    else:
        writer.abort()
    changed = manifest.touched(segments=segments, next_number=number + 1)
    if writer.rows.num_rows or not index:
        write_manifest(folder, changed)
    change.total = changed.num_live
    return change


def _finish(manifest: Manifest, writer: SegmentWriter, num_rows: int) -> Segment:
    """Close a segment of an index that will have `num_rows` rows, and measure its recall."""
    with_graph = manifest.kind == "hnsw" or (manifest.kind == "auto" and num_rows > EXACT_ROWS)
    return writer.close(with_graph)


def _compact(folder: Path, index: VectorIndex, manifest: Manifest) -> None:
    """Write all live rows as one segment of the manifest's kind and storage."""
    number = manifest.next_number
    writer = SegmentWriter(folder, number, manifest.dim, manifest.storage)
    try:
        live = np.flatnonzero(index.live)
        for start in range(0, len(live), COPY_ROWS):
            _copy(index, live[start : start + COPY_ROWS], writer)
    except BaseException:
        writer.abort()
        raise
    segments: tuple[Segment, ...] = ()
    if len(live):
        segment = _finish(manifest, writer, len(live))
        # The original vectors are gone, so the loss of their first encoding remains.
        recalls = [value for value in (segment.recall, index.recall) if value is not None]
        exact = segment.recall is None
        segments = (segment if exact else replace(segment, recall=min(recalls)),)
    else:
        writer.abort()
    write_manifest(folder, manifest.touched(segments=segments, next_number=number + 1))


def _copy(index: VectorIndex, rows: RowNumbers, writer: SegmentWriter) -> None:
    if index.storage == writer.storage:
        stored = index.stored(rows)
    else:
        stored = encode_rows(index.vectors(rows), writer.storage)
    take = index.record_files.take
    writer.copy(take("id", rows), take("record", rows), stored)


def _with_deleted(
    folder: Path, index: VectorIndex, rows: set[int], number: int
) -> tuple[Segment, ...]:
    """Return the index's segments with these rows deleted too."""
    dead = np.array(sorted(rows), np.int64)
    segments = []
    for segment, opened in zip(index.manifest.segments, index.segments, strict=True):
        local = dead - opened.first
        local = local[(local >= 0) & (local < segment.num_rows)]
        if len(local):
            local = np.union1d(local, np.flatnonzero(~opened.live))
        segments.append(mark_deleted(folder, segment, local, number))
    return tuple(segments)


def mark_deleted(folder: Path, segment: Segment, rows: RowNumbers, number: int) -> Segment:
    """Return the segment with exactly these rows of its own (M,) deleted; none changes nothing."""
    if not len(rows):
        return segment
    name = f"deleted-{segment.number:04}-{number:04}.npy"
    with (folder / name).open("xb") as file:
        np.save(file, rows, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    sums = {known: one for known, one in segment.sums.items() if known != segment.deleted}
    if sums:
        sums[name] = sum_of(folder / name)
    return replace(segment, deleted=name, num_deleted=len(rows), sums=sums)


def _mostly_deleted(manifest: Manifest) -> bool:
    num_deleted = sum(segment.num_deleted for segment in manifest.segments)
    return num_deleted > manifest.num_live


def _check_same_space(folder: Path, manifest: Manifest, dim: int, encoder: str | None) -> None:
    if encoder != manifest.encoder:
        raise OeaError(
            f"{folder}: made with {manifest.encoder or 'no named encoder'}, "
            f"the new vectors with {encoder or 'no named encoder'}; build another index for them"
        )
    if dim != manifest.dim:
        raise OeaError(
            f"{folder}: holds {manifest.dim}-dimensional vectors, but the new ones have {dim}"
        )


@contextmanager
def _changing(folder: Path, must_exist: bool = False) -> Iterator[None]:
    """Lock the folder while it is changed; an OSError such as a full disk becomes OeaError."""
    if must_exist:
        read_manifest(folder)
    try:
        with writing(folder):
            yield
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        reason = error.strerror or str(error)
        raise OeaError(f"{folder}: {reason}; the index is unchanged") from error
