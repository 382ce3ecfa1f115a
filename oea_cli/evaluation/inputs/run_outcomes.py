"""The outcomes of a run on judged queries: ranks and scores of what is relevant in it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from oea_cli.clips.names import AmbiguousNameError, listed, without_suffix
from oea_cli.clips.queries import Query
from oea_cli.evaluation.inputs.runs import Names, Run
from oea_cli.metrics.outcomes import (
    Floats,
    Mask,
    Outcomes,
    QueryNumbers,
    best_of,
    numbers_of,
    places_of,
)
from oea_cli.records.ids import WINDOW_MARK, clip_of, trec_id
from oea_cli.records.text import nfc
from oea_cli.vectors.arrays import Ties


def run_outcomes(run: Run, queries: Sequence[Query], ties: Ties = "strict") -> Outcomes:
    """The outcomes of a run on judged queries; a query missing from it has depth 0.

    With ties "strict" a rank is 1 + the number of higher scores; with "trec", equal scores are
    ordered by document id, descending, as trec_eval does. Unless a query names a window, the
    windows of a clip count as one, as where vectors are ranked. `queries` must have relevant
    clips: leave the others out first.
    """
    contradicted = run.contradicted()
    if not any(query.names_window for query in queries):
        run = by_clip(run)
    ranks, sizes, order = _ranks(run, ties)
    lookup = _Lookup(run, ranks, sizes, order)
    codes = np.array([lookup.query(query.id) for query in queries], np.int64)
    lengths = [len(query.targets) for query in queries]
    owners = np.repeat(np.arange(len(queries)), lengths)
    documents = lookup.documents([name for query in queries for name in query.targets])
    target_ranks, target_scores = lookup.find(codes[owners], documents)
    negatives = lookup.documents([query.hard_negative for query in queries])
    negative_ranks, negative_scores = lookup.find(codes, negatives)
    has_negative = np.array([query.hard_negative is not None for query in queries], bool)
    best_ranks, best_scores = best_of(owners, target_ranks, target_scores, len(queries))
    counts = np.bincount(run.owners, minlength=len(run.queries))
    places = target_ranks if ties == "trec" else places_of(owners, target_ranks - 1)
    sizes = lookup.tie_sizes(codes[owners], documents)
    return Outcomes(
        ids=[query.id for query in queries],
        types=[query.type for query in queries],
        datasets=[query.dataset for query in queries],
        targets=[list(query.targets) for query in queries],
        hard_negatives=[query.hard_negative for query in queries],
        clusters=numbers_of([query.about for query in queries]),
        target_ranks=best_ranks,
        hard_negative_ranks=np.where(has_negative, negative_ranks, np.nan),
        target_scores=best_scores,
        hard_negative_scores=negative_scores,
        depths=np.where(codes < 0, 0, np.append(counts, 0)[codes]),
        owners=owners,
        places=places,
        gains=np.array([gain for query in queries for gain in query.targets.values()], float),
        last_rank=int(counts.max()) + 1,
        texts=[query.text_sha256 for query in queries],
        num_tied=_num_tied(owners, target_ranks, sizes),
        num_contradicted=int(contradicted[codes[codes >= 0]].sum()),
    )


def _num_tied(owners: QueryNumbers, ranks: Floats, sizes: QueryNumbers) -> int:
    """How many queries have a target (P,) of which more documents have the score than targets."""
    pairs = np.stack([owners.astype(np.float64), ranks])
    _, groups, counts = np.unique(pairs, axis=1, return_inverse=True, return_counts=True)
    return len(set(owners[sizes > counts[groups.reshape(-1)]].tolist()))


def by_clip(run: Run) -> Run:
    """The run with one document per clip, which scores what its best window does."""
    if not _has_windows(run.documents):
        return run
    clips = [clip_of(name.decode()).encode() for name in run.documents.tolist()]
    documents, clip_numbers = np.unique(np.array(clips, object), return_inverse=True)
    whole = replace(run, documents=documents, found=clip_numbers[run.found])
    keys = whole.keys(whole.owners, whole.found)
    order = np.lexsort((-whole.scores, keys))
    is_best = np.ones(len(order), bool)
    is_best[1:] = keys[order][1:] != keys[order][:-1]
    kept = np.sort(order[is_best])
    names = ("owners", "found", "scores", "lines", "ranks")
    return replace(whole, **{name: getattr(whole, name)[kept] for name in names})


def _has_windows(documents: Names) -> bool:
    mark = WINDOW_MARK.encode()
    if documents.dtype != object:
        return mark in documents.tobytes()
    return any(mark in name for name in documents)


def _ranks(run: Run, ties: Ties) -> tuple[Floats, QueryNumbers, QueryNumbers]:
    """The rank of every pair of the run (M,), how many pairs share it, and the pairs in the order
    of their keys (M,)."""
    # The codes of documents are in the order of their names.
    keys = (-run.found, -run.scores, run.owners) if ties == "trec" else (-run.scores, run.owners)
    order = np.arange(len(run)) if ties == "strict" and _is_sorted(run) else np.lexsort(keys)
    owners, scores = run.owners[order], run.scores[order]
    number = np.arange(len(order))
    is_new = np.ones(len(order), bool)
    if ties == "strict":
        is_new[1:] = (owners[1:] != owners[:-1]) | (scores[1:] != scores[:-1])
    first = np.maximum.accumulate(np.where(is_new, number, 0))
    ranks = np.empty(len(order))
    ranks[order] = first - np.searchsorted(owners, owners, "left") + 1.0
    sizes = np.empty(len(order), np.int64)
    sizes[order] = np.bincount(first, minlength=1)[first]
    return ranks, sizes, np.argsort(run.keys(run.owners, run.found))


def _is_sorted(run: Run) -> bool:
    """True for a run as most are written: query by query, best first."""
    steps = np.diff(run.owners)
    return bool((steps >= 0).all() and ((steps > 0) | (np.diff(run.scores) <= 0)).all())


class _Lookup:
    """Finds judged pairs in a run: their ranks and scores."""

    def __init__(self, run: Run, ranks: Floats, sizes: QueryNumbers, order: QueryNumbers) -> None:
        self._run = run
        self._keys = run.keys(run.owners, run.found)[order]
        self._ranks, self._sizes, self._scores = ranks[order], sizes[order], run.scores[order]

    def query(self, name: str) -> int:
        """The number of a query in the run; -1 where it is missing."""
        name = nfc(name)
        code = self._run.queries.get(name, -1)
        if code < 0 and self._run.is_trec:
            # A TREC run cannot hold blanks; `oea search -f trec` writes them as %20.
            code = self._run.queries.get(trec_id(name), -1)
        return code

    def documents(self, names: Sequence[str | None]) -> QueryNumbers:
        """The numbers of documents (P,) in the run; -1 for those never retrieved, and for None.

        The same name counts first, then the name with or without a sound's suffix. No other
        spelling does: a run ends early, and what is like a name may be another document. Raises
        AmbiguousNameError for a name without suffix that several documents have with one.
        """
        written = ["" if name is None else nfc(name) for name in names]
        found = self._numbers([name.encode() for name in written])
        if self._run.is_trec:
            escaped = {row: trec_id(written[row]) for row in np.flatnonzero(found < 0).tolist()}
            others = {row: name for row, name in escaped.items() if name != written[row]}
            written = [others.get(row, name) for row, name in enumerate(written)]
            found[list(others)] = self._numbers([name.encode() for name in others.values()])
        for row, number in self._by_suffix(written, np.flatnonzero(found < 0).tolist()):
            found[row] = number
        return found

    def _by_suffix(self, names: list[str], rows: list[int]) -> Iterator[tuple[int, int]]:
        """The documents whose names differ from these by a sound's suffix: row and number."""
        stems = {row: stem for row in rows if (stem := without_suffix(names[row])) != names[row]}
        known = self._numbers([stem.encode() for stem in stems.values()]).tolist()
        yield from zip(stems, known, strict=True)
        # The documents are in the order of their bytes: those that go on with a dot lie together.
        starts = [f"{names[row]}.".encode() for row in rows]
        places = np.searchsorted(self._run.documents, self._as_documents(starts))
        followers = np.append(self._run.documents, b"")[places].tolist()
        for row, place, start, follower in zip(
            rows, places.tolist(), starts, followers, strict=True
        ):
            if follower.startswith(start) and names[row] and row not in stems:
                yield row, self._with_suffix(names[row], place)

    def _with_suffix(self, name: str, place: int) -> int:
        """Which document, from a place on, is the name with a suffix; -1 for none."""
        found = {}
        documents = self._run.documents
        while place < len(documents) and documents[place].startswith(f"{name}.".encode()):
            if without_suffix(document := documents[place].decode()) == name:
                found[document] = place
            place += 1
        if len(found) > 1:
            raise AmbiguousNameError(
                f"{self._run.name}: the judged clip {name!r} means {len(found)} clips of the run: "
                f"{listed(list(found))}; name it with its suffix"
            )
        return next(iter(found.values()), -1)

    def _numbers(self, names: list[bytes]) -> QueryNumbers:
        known = self._run.documents
        looked_up = self._as_documents(names)
        places = np.minimum(np.searchsorted(known, looked_up), len(known) - 1)
        return np.where((known[places] == looked_up) & (looked_up != b""), places, -1)

    def _as_documents(self, names: list[bytes]) -> Names:
        return np.array(names, object if self._run.documents.dtype == object else np.bytes_)

    def find(self, owners: QueryNumbers, documents: QueryNumbers) -> tuple[Floats, Floats]:
        """Ranks and scores of pairs (P,); infinite and NaN where the run does not hold them."""
        places, known = self._places(owners, documents)
        return (
            np.where(known, self._ranks[places], np.inf),
            np.where(known, self._scores[places], np.nan),
        )

    def tie_sizes(self, owners: QueryNumbers, documents: QueryNumbers) -> QueryNumbers:
        """How many documents of its query share the rank of each pair (P,); 0 for one not held."""
        places, known = self._places(owners, documents)
        return np.where(known, self._sizes[places], 0)

    def _places(self, owners: QueryNumbers, documents: QueryNumbers) -> tuple[QueryNumbers, Mask]:
        keys = self._run.keys(owners, documents)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return places, (owners >= 0) & (documents >= 0) & (self._keys[places] == keys)
