"""Batches into a file or a folder of shards, in one call."""

from collections.abc import Iterable
from pathlib import Path

from oea_cli.errors import OeaError
from oea_cli.records.lines import peek
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer
from oea_cli.vectors.files.writer import Storage


def write(batches: Batch | Iterable[Batch], output: str | Path, *, storage: Storage = "f32") -> int:
    """Write records with their vectors to X.npy, X.parquet, X.jsonl or a folder X/ of shards.

    The name says the format. The file appears when it is whole, in place of a former one, and
    remembers the encoder of the batches. `storage` is "f32" or "f16". Returns the number of rows.

    Raises UsageError for a name without a format, OeaError for vectors that are not finite, of two
    dimensions or encoders, and where nothing can be written.
    """
    first, rest = peek(iter([batches] if isinstance(batches, Batch) else batches))
    encoder = None if first is None else first.encoder
    name = f"{output}/" if Path(output).is_dir() else str(output)
    with open_writer(name, encoder=encoder, storage=storage, resume=False) as writer:
        for batch in rest:
            if batch.encoder != encoder:
                raise OeaError(
                    f"{output}: vectors of {encoder or 'no named encoder'} and of "
                    f"{batch.encoder or 'no named encoder'}; embed them all with one"
                )
            writer.write(batch)
    return writer.count
