"""The queries of a search as vectors: texts, sounds, records in the index, or ready-made vectors.

Torch is imported only where a text or a sound has to be encoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import cast

import numpy as np
import numpy.typing as npt

from oea_cli.encoder.matching import GetEncoder, check_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import Failure, OeaError, Report
from oea_cli.records.lines import PeekableStream, first_line
from oea_cli.records.pipes import stdin_bytes
from oea_cli.records.rows import Record
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.opening import VectorSource, open_vectors

Floats = npt.NDArray[np.float32]

QUERIES_AT_ONCE = 256
WINDOWS_AT_ONCE = 8


@dataclass(frozen=True)
class Queries:
    """Queries by id, and their unit vectors (Q, D)."""

    ids: list[str]
    vectors: Floats


def text_query(encoder: Encoder, text: str) -> Queries:
    """One text; the text is its id. Raises OeaError where the encoder has no vector for it."""
    vectors = encoder.encode_text([text])
    if not np.isfinite(vectors).all():
        raise OeaError(f"{encoder.name} gives no finite vector for '{text}'")
    return Queries([text], vectors)


def audio_query(encoder: Encoder, source: str) -> Queries:
    """One sound file; its path is its id."""
    from oea_cli.audio.sources import AudioError

    try:
        return Queries([source], audio_vector(encoder, source)[None])
    except AudioError as error:
        raise OeaError(f"{source}: {error}") from error


def like_query(index: VectorIndex, id: str) -> Queries:
    """One record of the index."""
    return Queries([id], index.vector_of(id)[None])


def audio_vector(
    encoder: Encoder, source: str, start: float | None = None, end: float | None = None
) -> Floats:
    """Return the unit vector (D,) of a sound: of a long one, the mean over its windows."""
    from oea_cli.audio.windows import read_windows

    windows = read_windows(source, encoder.sample_rate, encoder.max_seconds, start=start, end=end)
    total = np.zeros(encoder.dim, np.float64)
    while part := list(islice(windows, WINDOWS_AT_ONCE)):
        total += encoder.encode_audio([window.samples for window in part]).sum(axis=0)
    return cast(Floats, (total / np.linalg.norm(total)).astype(np.float32))


def read_queries(
    source: str, index: VectorIndex, get_encoder: GetEncoder, report: Report
) -> Iterator[Queries]:
    """Read many queries: vectors in any format, records with `text` or `path`, or lines of text.

    "-" is stdin. Raises OeaError for vectors of another encoder or dimension than the index's; a
    record that cannot be encoded goes to `report`.
    """
    stdin = PeekableStream(stdin_bytes())
    vectors = open_vectors(source, stdin=stdin)
    if vectors is not None:
        yield from _from_vectors(vectors, index)
        return
    # Only here: these read sounds too, and bring libsndfile along.
    from oea_cli.records.inputs import is_header, read_records

    first_row = first_line(source, stdin)
    is_table = first_row.lstrip().startswith((b"{", b"PAR1")) or is_header(first_row)
    records = read_records([source], report=report, text=not is_table, stdin=stdin)
    first = next(records, None)
    if first is not None:
        yield from encode_records(chain([first], records), get_encoder(), report)


def _from_vectors(reader: VectorSource, index: VectorIndex) -> Iterator[Queries]:
    check_encoder(index, reader.encoder)
    for batch in reader:
        for start in range(0, len(batch.records), QUERIES_AT_ONCE):
            part = slice(start, start + QUERIES_AT_ONCE)
            yield Queries([r["id"] for r in batch.records[part]], batch.vectors[part])


def encode_records(
    records: Iterator[Record], encoder: Encoder, report: Report
) -> Iterator[Queries]:
    """Encode records with `text` or `path`, some at a time; one that cannot be goes to `report`."""
    while part := list(islice(records, QUERIES_AT_ONCE)):
        texts = [record["text"] for record in part if "text" in record]
        text_vectors = iter(encoder.encode_text(texts)) if texts else iter(())
        pairs = [(r, _vector(r, text_vectors, encoder, report)) for r in part]
        found = [(r["id"], v) for r, v in pairs if v is not None and _is_finite(r, v, report)]
        if found:
            yield Queries([id_ for id_, _ in found], np.stack([vector for _, vector in found]))


def _is_finite(record: Record, vector: Floats, report: Report) -> bool:
    """Whether a query has a vector; reported where it has none."""
    if np.isfinite(vector).all():
        return True
    where = str(record.get("path") or record["id"])
    report(Failure(where, "the encoder gives no finite vector for it", record["id"]))
    return False


def _vector(
    record: Record, text_vectors: Iterator[Floats], encoder: Encoder, report: Report
) -> Floats | None:
    """Return a record's vector (D,): the next of the texts', or that of its sound."""
    from oea_cli.audio.sources import AudioError

    if "text" in record:
        return next(text_vectors)
    try:
        return audio_vector(encoder, record["path"], record.get("start"), record.get("end"))
    except AudioError as error:
        report(Failure(record["path"], str(error), record["id"]))
        return None
