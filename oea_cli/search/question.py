"""One search as `oea search` is asked for it: what is looked for, and in which indexes.

A question is checked before anything that answers it is imported.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oea_cli.errors import Report, UsageError

if TYPE_CHECKING:
    from oea_cli.encoder.matching import GetEncoder
    from oea_cli.encoder.protocol import Encoder
    from oea_cli.search.hits import Hit
    from oea_cli.search.retrieval import Conditions
    from oea_cli.search.several import SeveralIndexes
    from oea_cli.vectors.batch import Batch
    from oea_cli.vectors.index.index import VectorIndex


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: exactly one of a text, a sound file, the id of a record, and a file of
    queries."""

    text: str | None = None
    audio: str | None = None
    like: str | None = None
    queries: str | None = None

    def check(self) -> None:
        """Raise UsageError for no question, or for two."""
        text = (self.text or "").strip()
        asked = {"TEXT": text, "--audio": self.audio, "--like": self.like}
        given = [name for name, value in {**asked, "--queries": self.queries}.items() if value]
        if not given:
            raise UsageError(
                'nothing to look for: `oea search "a dog barking"`, --audio, --like or --queries'
            )
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} do not go together; give one of them")

    def batches(
        self, indexes: "Sequence[VectorIndex]", get_encoder: "GetEncoder", report: Report
    ) -> "Generator[Batch, None, None]":
        """The queries with their vectors; the encoder is asked for where one has to be encoded."""
        from oea_cli.search.queries import audio_query, like_query, read_queries, text_query

        if self.text:
            yield text_query(get_encoder(), self.text)
        elif self.audio:
            yield from audio_query(get_encoder(), self.audio)
        elif self.like:
            yield like_query(indexes, self.like)
        elif self.queries:
            yield from read_queries(self.queries, indexes[0], get_encoder, report)


@contextmanager
def answered(
    question: Question,
    folders: Sequence[Path],
    conditions: "Conditions",
    *,
    model: str | None,
    placement: Mapping[str, Any],
    report: Report,
) -> "Iterator[tuple[SeveralIndexes, Iterator[list[Hit]]]]":
    """The hits of each query in turn, and the retrieval that counts them while they are read.

    `model` is where the indexes' own encoder is now, if not where they say; `placement` is
    what `load_encoder` takes besides. A query that cannot be encoded goes to `report`.
    """
    from oea_cli.encoder.matching import matching_encoder
    from oea_cli.search.retrieval import Retrieval
    from oea_cli.search.several import SeveralIndexes, check_together, keys_of
    from oea_cli.vectors.index.index import VectorIndex

    indexes = [VectorIndex.open(folder) for folder in folders]
    check_together(indexes)
    index = indexes[0]

    @cache
    def encoder() -> "Encoder":
        return matching_encoder(index.encoder, index.dim, str(index.folder), model, placement)

    keys = keys_of(indexes) if conditions.where else ()
    retrieval = SeveralIndexes([Retrieval(one, conditions, encoder, keys) for one in indexes])
    with closing(question.batches(indexes, encoder, report)) as batches:
        yield retrieval, retrieval.answer(batches, question.like)
