"""The clips to mine, with captions and one vector each, from records, vectors or an index."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from oea_cli.clips.captions import captions_in
from oea_cli.clips.clip import Clip, clip_from
from oea_cli.clips.names import ClipNames
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import stream_clips
from oea_cli.errors import Failure, OeaError, Report
from oea_cli.records.fields import RowError, records_from_row
from oea_cli.records.ids import clip_of, is_window
from oea_cli.records.inputs import read_records
from oea_cli.records.lines import PeekableStream
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors, mean_direction
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.opening import IN_MEMORY, open_vectors, read_vectors, stdin_of

GetEncoder = Callable[[], Encoder]


@dataclass(frozen=True)
class Clips:
    """Clips by number, with a unit vector each (N, D).

    `encoder` is the id of the encoder that made the vectors, if they name it; `without_captions`
    counts the clips that were left out.
    """

    clips: list[Clip]
    vectors: Vectors
    encoder: str | None
    without_captions: int

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, number: int) -> Clip:
        return self.clips[number]

    def __iter__(self) -> Iterator[Clip]:
        return iter(self.clips)

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [clip.id for clip in self.clips]


Sources = Sequence[str | Record | Batch]


def read_clips(
    sources: Sources, vectors: str | Batch | None, get_encoder: GetEncoder, report: Report
) -> Clips | None:
    """Read the clips to mine: an index folder, vectors in any format, or records with sounds.

    "-" is stdin. Records are encoded, or take the vectors of the file `vectors`: by id, or row by
    row where its rows have no ids. The windows of a long clip become one clip with their mean.
    Clips without captions are left out; None where there is no input at all. Raises OeaError for an
    id that occurs twice, for vectors of two encoders, for vectors without a direction, and where no
    clip has captions.
    """
    where = _where(sources)
    if vectors is not None:
        stdin = stdin_of(sources)
        described = _records(sources, stdin, report, sounds=False)
        records = list(_readable(described, report, needs_sound=False))
        batches, encoder = _batches_for(records, vectors), _Origin()
    else:
        batches, encoder = _opened(sources, get_encoder, report)
    rows = _Rows(where)
    for batch in batches:
        rows.add(batch)
    if not rows and not encoder.without_captions:
        return None
    return rows.clips(encoder)


def _where(sources: Sources) -> str:
    names = [source for source in sources if isinstance(source, str)]
    return ", ".join("stdin" if name == "-" else name for name in names) or "clips"


def _records(
    sources: Sources, stdin: PeekableStream | None, report: Report, sounds: bool = True
) -> Iterator[Record]:
    """The records of files, or those that are at hand."""
    names = [source for source in sources if isinstance(source, str)]
    if names:
        yield from read_records(names, report=report, stdin=stdin, sounds=sounds)
    for number, row in enumerate(sources, 1):
        if isinstance(row, dict):
            try:
                yield from records_from_row(row, number, text=False, resolve=str)
            except RowError as problem:
                report(Failure(f"clip {number}", str(problem)))


class _Origin:
    """Where the vectors come from, known when all are read: the id of their encoder, and how many
    records were not encoded because they have no captions."""

    encoder_id: str | None = None
    without_captions = 0


def _opened(
    sources: Sources, get_encoder: GetEncoder, report: Report
) -> tuple[Iterator[Batch], _Origin]:
    origin = _Origin()
    stdin = stdin_of(sources)
    opened = [source for source in sources if isinstance(source, str | Batch)]
    vectors = open_vectors(*opened, stdin=stdin) if opened else None
    if vectors is not None:
        origin.encoder_id = vectors.encoder
        return iter(vectors), origin
    records = _readable(_records(sources, stdin, report), report)
    return _encoded(records, get_encoder, report, origin), origin


def _readable(
    records: Iterable[Record], report: Report, needs_sound: bool = True
) -> Iterator[Record]:
    for record in records:
        if needs_sound and "path" not in record:
            report(Failure(record["id"], "no 'path'; mining needs a sound", record["id"]))
        else:
            yield record


def _encoded(
    records: Iterator[Record], get_encoder: GetEncoder, report: Report, origin: _Origin
) -> Iterator[Batch]:
    captioned = _captioned(records, origin)
    first = next(captioned, None)
    if first is None:
        return
    encoder = get_encoder()
    origin.encoder_id = encoder.encoder_id
    yield from stream_clips(encoder, chain([first], captioned), report=report)


def _captioned(records: Iterator[Record], origin: _Origin) -> Iterator[Record]:
    for record in records:
        if captions_in(record):
            yield record
        else:
            origin.without_captions += 1


def _batches_for(records: list[Record], vectors: str | Batch) -> Iterator[Batch]:
    """The records with their vectors from another file."""
    source = vectors if isinstance(vectors, str) else IN_MEMORY
    ids: list[str] = []
    parts: list[Vectors] = []
    for batch in read_vectors(vectors):
        ids += [record["id"] for record in batch.records]
        parts.append(batch.vectors)
    if not ids:
        raise OeaError(f"{source}: holds no vectors")
    matrix = np.concatenate(parts)
    rows_of = _rows_of(ids)
    if ids == list(map(str, range(len(ids)))) and not any(r["id"] in rows_of for r in records):
        if len(ids) != len(records):
            raise OeaError(
                f"{source}: {len(ids)} vectors without ids, but {len(records)} records; "
                "give a vector for each record"
            )
        rows_of = {record["id"]: [row] for row, record in enumerate(records)}
    names = ClipNames(rows_of)
    for record in records:
        name = record["id"] if record["id"] in rows_of else names.find(record["id"])
        if name is None:
            raise OeaError(f"{source}: no vector for the clip {record['id']!r}")
        rows = rows_of[name]
        yield Batch([record], mean_direction(matrix[rows])[None])


def _rows_of(ids: Sequence[str]) -> dict[str, list[int]]:
    """The rows of each id, and those of each clip that has windows."""
    found: dict[str, list[int]] = {}
    for row, id_ in enumerate(ids):
        found.setdefault(id_, []).append(row)
        if is_window(id_):
            found.setdefault(clip_of(id_), []).append(row)
    return found


class _Rows:
    """Collects rows and joins them to clips."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._parts: list[Vectors] = []
        self._records: list[Record] = []

    def __len__(self) -> int:
        return len(self._records)

    def add(self, batch: Batch) -> None:
        self._records += batch.records
        self._parts.append(batch.vectors)

    def clips(self, origin: _Origin) -> Clips:
        """Join windows, leave out clips without captions."""
        captions = list(map(captions_in, self._records))
        self._refuse_twice()
        by_clip: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for row, record in enumerate(self._records):
            by_clip.setdefault((clip_of(record["id"]), captions[row]), []).append(row)
        kept = [rows for (_, own), rows in by_clip.items() if own]
        if not kept:
            raise OeaError(
                f"{self._where}: no clip has captions, which mining compares; "
                "give records with 'captions' and their vectors with --vectors"
            )
        vectors = np.concatenate(self._parts) if len(self._parts) > 1 else self._parts[0]
        self._parts.clear()
        return Clips(
            [clip_from(self._record(rows), self._where) for rows in kept],
            _joined(vectors, kept),
            origin.encoder_id,
            len(by_clip) - len(kept) + origin.without_captions,
        )

    def _refuse_twice(self) -> None:
        seen: set[str] = set()
        for record in self._records:
            if record["id"] in seen:
                raise OeaError(
                    f"{self._where}: id {record['id']!r} occurs twice; ids must be unique"
                )
            seen.add(record["id"])

    def _record(self, rows: list[int]) -> Record:
        first = self._records[rows[0]]
        if len(rows) == 1:
            return first
        # The clip starts with its first window; nothing here needs its end.
        whole = {key: value for key, value in first.items() if key != "end"}
        return {**whole, "id": clip_of(first["id"])}


def _joined(vectors: Vectors, kept: list[list[int]]) -> Vectors:
    """The vectors (N, D) of clips, each one row's or the mean of several."""
    firsts = np.array([rows[0] for rows in kept])
    if len(kept) == len(vectors) and (np.diff(firsts) == 1).all():
        return vectors
    joined: Vectors = vectors[firsts]
    for clip, rows in enumerate(kept):
        if len(rows) > 1:
            joined[clip] = mean_direction(vectors[rows])
    return joined
