"""A search of one index or of several: the hits of all in one ranking."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee

from oea_cli.errors import UsageError
from oea_cli.search.hits import OWN_KEYS, Hit
from oea_cli.search.retrieval import Retrieval
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.index import VectorIndex


def check_together(indexes: Sequence[VectorIndex]) -> None:
    """Raise UsageError unless scores in these indexes can be compared, and each is there once."""
    first, seen = indexes[0], {indexes[0].folder.resolve()}
    for other in indexes[1:]:
        if other.folder.resolve() in seen:
            raise UsageError(f"{other.folder}: is given twice; name each index once")
        seen.add(other.folder.resolve())
        if (other.encoder, other.dim) != (first.encoder, first.dim):
            raise UsageError(
                f"{other.folder}: made with {_maker(other)}, {first.folder} with {_maker(first)}; "
                "indexes that are searched together need one encoder"
            )


def keys_of(indexes: Iterable[VectorIndex]) -> set[str]:
    """The keys of the records of all."""
    return {key for index in indexes for key in index.record_files.names}


def _maker(index: VectorIndex) -> str:
    return index.encoder or f"no named encoder ({index.dim} dimensions)"


class SeveralIndexes:
    """Retrievals under the same conditions; of several, each hit names its `index`.

    `num_queries` and `num_hits` count what went through.
    """

    def __init__(self, retrievals: Sequence[Retrieval]) -> None:
        self._retrievals = retrievals
        self.names_index = len(retrievals) > 1
        self.num_queries = self.num_hits = 0

    @property
    def keys(self) -> list[str]:
        """The keys that a hit's record may have."""
        own = keys_of([one.index for one in self._retrievals])
        return sorted(own | {"index"} if self.names_index else own)

    def answer(self, queries: Iterable[Batch], hide: str | None = None) -> Iterator[list[Hit]]:
        """Yield the hits of each query in turn; the record with the id `hide` is never one."""
        # All are asked in step, so one batch is held at a time.
        copies = tee(queries, len(self._retrievals))
        parts = [
            one.answer(copy, hide if hide is not None and one.index.by_id.holds(hide) else None)
            for one, copy in zip(self._retrievals, copies, strict=True)
        ]
        for found in zip(*parts, strict=True):
            hits = self._merged(found) if self.names_index else found[0]
            self.num_queries += 1
            self.num_hits += len(hits)
            yield hits

    def _merged(self, found: Sequence[list[Hit]]) -> list[Hit]:
        """The best of all, equal scores in the order of the indexes."""
        named = [
            _named(hit, str(one.index.folder))
            for one, hits in zip(self._retrievals, found, strict=True)
            for hit in hits
        ]
        named.sort(key=lambda hit: -hit["score"])
        best = named[: self._retrievals[0].conditions.top_k]
        return [{**hit, "rank": rank} for rank, hit in enumerate(best, 1)]


def _named(hit: Hit, index: str) -> Hit:
    own = {key: hit[key] for key in OWN_KEYS}
    return {**own, "index": index, **{key: hit[key] for key in hit if key != "index"}}
