"""The queries of a search as vectors: texts, sounds, records in the index, or ready-made vectors.

An encoder is asked for only where a text or a sound has to be encoded.
"""

from collections.abc import Iterator
from itertools import chain

from oea_cli.clips.queries import as_asked
from oea_cli.encoder.matching import GetEncoder, check_encoder
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import embed_texts, stream_clips
from oea_cli.errors import Report, raise_failure
from oea_cli.records.lines import first_line
from oea_cli.records.tables import table_suffix
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.index import VectorIndex
from oea_cli.vectors.opening import VectorSource, open_vectors, stdin_of

QUERIES_AT_ONCE = 256


def text_query(encoder: Encoder, text: str) -> Batch:
    """One text, without blanks around it, which is its id. Raises OeaError where the encoder has
    no vector for it."""
    text = text.strip()
    return Batch([{"id": text}], embed_texts(encoder, [text]))


def audio_query(encoder: Encoder, source: str) -> Iterator[Batch]:
    """One sound file; its path is its id. Raises OeaError where it cannot be used."""
    yield from stream_clips(encoder, [{"id": source, "path": source}], report=raise_failure)


def like_query(index: VectorIndex, id: str) -> Batch:
    """One record of the index."""
    return Batch([{"id": id}], index.vector_of(id)[None])


def read_queries(
    source: str, index: VectorIndex, get_encoder: GetEncoder, report: Report
) -> Iterator[Batch]:
    """Read many queries: vectors in any format, records with `text` or `path`, or lines of text.

    "-" is stdin. Raises OeaError for vectors of another encoder or dimension than the index's; a
    record that cannot be encoded goes to `report`.
    """
    stdin = stdin_of([source])
    vectors = open_vectors(source, stdin=stdin)
    if vectors is not None:
        yield from _from_vectors(vectors, index)
        return
    # Only here: these read sounds too, and bring libsndfile along.
    from oea_cli.records.inputs import is_header, read_records

    first_row = first_line(source, stdin)
    is_named = table_suffix(source) is not None
    is_table = is_named or first_row.lstrip().startswith(b"{") or is_header(first_row)
    records = read_records([source], report=report, text=not is_table, stdin=stdin)
    first = next(records, None)
    if first is not None:
        asked = map(as_asked, chain([first], records))
        yield from stream_clips(get_encoder(), asked, report=report)


def _from_vectors(vectors: VectorSource, index: VectorIndex) -> Iterator[Batch]:
    check_encoder(index.encoder, str(index.folder), vectors.encoder)
    for batch in vectors:
        for start in range(0, len(batch.records), QUERIES_AT_ONCE):
            part = slice(start, start + QUERIES_AT_ONCE)
            yield Batch(batch.records[part], batch.vectors[part])
