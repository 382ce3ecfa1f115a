"""Several sources of vectors read as one: files, folders and the pipe, one after the other."""

from collections.abc import Iterator, Sequence

from oea_cli.embeddings import Batch, EmbeddingReader, read_embeddings
from oea_cli.errors import OeaError


def read_sources(sources: Sequence[str]) -> EmbeddingReader:
    """Open sources of vectors one after the other as a single reader.

    Encoder and dimension are those of the first source that holds a vector; raises OeaError, naming
    both, where a later one differs.
    """
    readers = ((source, read_embeddings(source)) for source in sources)
    for source, reader in readers:
        if reader.dim:
            batches = _chain(source, reader, readers)
            return EmbeddingReader(batches, reader.encoder, reader.dim, reader.metadata)
    return EmbeddingReader(iter(()), encoder=None, dim=0)


def _chain(
    source: str, first: EmbeddingReader, others: Iterator[tuple[str, EmbeddingReader]]
) -> Iterator[Batch]:
    yield from first
    for name, other in others:
        if other.dim and other.encoder != first.encoder:
            raise OeaError(
                f"{name}: vectors of {other.encoder or 'no named encoder'}, "
                f"those of {source} are of {first.encoder or 'no named encoder'}"
            )
        if other.dim not in (0, first.dim):
            raise OeaError(f"{name}: {other.dim} dimensions, {source} has {first.dim}")
        yield from other
