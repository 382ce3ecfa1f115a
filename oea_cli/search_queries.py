"""The queries of a search as vectors: texts, sounds, records in the index, or ready-made vectors.

Torch is imported only where a text or a sound has to be encoded.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
import orjson

from oea_cli.embeddings import EmbeddingReader, read_embeddings
from oea_cli.encoder import Encoder, load_encoder
from oea_cli.encoder.names import is_remote
from oea_cli.errors import Failure, OeaError, Report
from oea_cli.tables import Record, open_bytes, rejoin
from oea_cli.vector_index import VectorIndex

Floats = npt.NDArray[np.float32]
GetEncoder = Callable[[], Encoder]

QUERIES_AT_ONCE = 256
WINDOWS_AT_ONCE = 8
NPY_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class Queries:
    """Queries by id, and their unit vectors (Q, D)."""

    ids: list[str]
    vectors: Floats


def matching_encoder(index: VectorIndex, name: str | None, placement: Mapping[str, Any]) -> Encoder:
    """Load the encoder that made the index, by the name it remembers or by `name`.

    `placement` is what `load_encoder` takes besides: device, dtype, trust_remote_code.

    Raises OeaError where the index names none, where the encoder of that name is another one, and
    where it is a server: an index from elsewhere must not decide where queries and keys are sent.
    """
    if index.encoder is None:
        raise OeaError(
            f"{index.folder}: its vectors name no encoder, so nothing can be encoded to match "
            "them; search with --like or with query vectors"
        )
    own_name = index.encoder.rpartition(":")[0]
    if name is None and is_remote(own_name):
        raise OeaError(
            f"{index.folder}: its encoder is the server {own_name}, and your queries would be sent "
            "there; if you trust it, say so with -m and this name"
        )
    encoder = load_encoder(name or own_name, **placement)
    check_encoder(index, encoder.stamp)
    return encoder


def check_encoder(index: VectorIndex, stamp: str | None) -> None:
    """Refuse vectors of another encoder than the index's; unnamed ones pass on either side."""
    if not same_encoder(stamp, index.encoder):
        raise OeaError(f"{index.folder}: made with {index.encoder}, the query is of {stamp}")


def same_encoder(one: str | None, other: str | None) -> bool:
    """True where two stamps "NAME:FINGERPRINT" have one fingerprint, or one of them names none."""
    return None in (one, other) or str(one).rpartition(":")[2] == str(other).rpartition(":")[2]


def text_query(encoder: Encoder, text: str) -> Queries:
    """One text; the text is its id. Raises OeaError where the encoder has no vector for it."""
    vectors = encoder.encode_text([text])
    if not np.isfinite(vectors).all():
        raise OeaError(f"{encoder.name} gives no finite vector for '{text}'")
    return Queries([text], vectors)


def audio_query(encoder: Encoder, source: str) -> Queries:
    """One sound file; its path is its id."""
    from oea_cli.audio import AudioError

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
    from oea_cli.audio import read_windows

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
    first_line, stream = sniff(source)
    if holds_vectors(source, first_line):
        yield from _from_vectors(read_embeddings(stream or source), index)
        return
    # Only here: these read sounds too, and bring libsndfile along.
    from oea_cli.records import is_header, read_records

    is_table = first_line.lstrip().startswith((b"{", b"PAR1")) or is_header(first_line)
    records = read_records([source], report=report, text=not is_table, stdin=stream)
    first = next(records, None)
    if first is not None:
        yield from encode_records(chain([first], records), get_encoder(), report)


def sniff(source: str) -> tuple[bytes, BinaryIO | None]:
    """Read a source's first line; for stdin ("-") also return the stream, whole again."""
    if source == "-":
        return rejoin(sys.stdin.buffer)
    if Path(source).is_dir() or source.lower().endswith(".npy"):
        return NPY_MAGIC, None
    return _first_line(source), None


def _first_line(source: str) -> bytes:
    """Read the first line of a text file that is not blank."""
    with open_bytes(source) as stream:
        return next((line for line in stream if not line.isspace()), b"")


def holds_vectors(source: str, first_line: bytes) -> bool:
    """Return whether a query file holds vectors and not records, by its name and first line."""
    if source.lower().endswith(".parquet"):
        import polars as pl

        return "embedding" in pl.read_parquet_schema(source)
    if first_line.startswith(NPY_MAGIC):
        return True
    try:
        row = orjson.loads(first_line)
    except orjson.JSONDecodeError:
        return False  # and whoever reads it says what is wrong with it
    return isinstance(row, dict) and "embedding" in row


def _from_vectors(reader: EmbeddingReader, index: VectorIndex) -> Iterator[Queries]:
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
    from oea_cli.audio import AudioError

    if "text" in record:
        return next(text_vectors)
    try:
        return audio_vector(encoder, record["path"], record.get("start"), record.get("end"))
    except AudioError as error:
        report(Failure(record["path"], str(error), record["id"]))
        return None
