"""From records to an artefact of vectors: what the output holds already is not encoded again."""

from collections.abc import Callable, Iterable
from contextlib import closing

from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.inputs import Notice
from oea_cli.encoder.streaming.stream import stream
from oea_cli.errors import Failure, Report
from oea_cli.records.rows import Record
from oea_cli.vectors.files.writer import EmbeddingWriter


def write_vectors(
    encoder: Encoder,
    records: Iterable[Record | Failure],
    writer: EmbeddingWriter,
    *,
    batch_size: int | None,
    workers: int | None,
    report: Report,
    notice: Callable[[Notice], object],
    advance: Callable[[], object],
) -> None:
    """Encode the records that the output does not hold already, and write them.

    The arguments are those of `stream`. Its threads have ended on return, also after an error.
    """
    missing = (one for one in records if isinstance(one, Failure) or not writer.is_done(one))
    batches = stream(
        encoder,
        missing,
        batch_size=batch_size,
        workers=workers,
        report=report,
        notice=notice,
        advance=advance,
    )
    with closing(batches):
        for batch in batches:
            writer.write(batch)
