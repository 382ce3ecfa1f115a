"""Runs: a ranking read from a TREC file or from JSONL hits, and its outcomes."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from oea_cli.clips.queries import Query
from oea_cli.errors import OeaError
from oea_cli.evaluation.inputs.trec_files import Column, columns_of, whole_lines
from oea_cli.metrics.outcomes import Floats, Outcomes, QueryNumbers, best_of, numbers_of, places_of
from oea_cli.records.addresses import open_bytes
from oea_cli.records.fields import RowError, id_of
from oea_cli.records.ids import trec_id
from oea_cli.records.lines import PeekableStream, read_json_lines
from oea_cli.records.rows import Record
from oea_cli.records.text import nfc
from oea_cli.vectors.arrays import Ties

Names = npt.NDArray[Any]
"""Ids as bytes: fixed-width strings, or objects where some are long."""
TREC_LAYOUT = "query Q0 document rank score tag"
SHORT_LAYOUT = "query document score"


@dataclass
class Run:
    """M scored (query, document) pairs; `rank` columns are ignored, as by trec_eval."""

    name: str
    is_trec: bool = False
    queries: dict[str, int] = field(default_factory=dict)
    documents: Names = field(default_factory=lambda: np.zeros(0, "S1"))  # ascending by their bytes
    owners: QueryNumbers = field(default_factory=lambda: np.zeros(0, np.int64))  # (M,)
    found: QueryNumbers = field(default_factory=lambda: np.zeros(0, np.int64))  # (M,)
    scores: Floats = field(default_factory=lambda: np.zeros(0))  # (M,)

    def __len__(self) -> int:
        return len(self.scores)

    def keys(self, owners: QueryNumbers, documents: QueryNumbers) -> QueryNumbers:
        """One number (P,) per (query, document) pair."""
        return owners * max(len(self.documents), 1) + documents


Scores = Mapping[str, Mapping[str, float]]
"""The scores of clips for each query."""


def read_run(source: str | Scores, stdin: BinaryIO | None = None) -> Run:
    """Read a TREC run, `query document score` lines, or the JSONL of `oea search`; "-" is stdin.

    Raises OeaError for an empty run, a malformed line, a score that is not a number, and a document
    listed twice for one query.
    """
    if isinstance(source, Mapping):
        return _read_run(io.BytesIO(_as_trec(source)), "run")
    name = "stdin" if source == "-" else source
    with nullcontext(stdin) if stdin and source == "-" else open_bytes(source) as stream:
        return _read_run(stream, name)


def _as_trec(scores: Scores) -> bytes:
    lines = [
        f"{trec_id(query)} {trec_id(clip)} {float(score)!r}\n"
        for query, own in scores.items()
        for clip, score in own.items()
    ]
    return "".join(lines).encode()


def _read_run(stream: BinaryIO, name: str) -> Run:
    whole = PeekableStream(stream, name)
    first = whole.first_line()
    if first.lstrip()[:1] == b"{":
        run = _from_hits(whole, name)
    else:
        run = _from_lines(whole_lines(whole), name) if first else Run(name)
    if not len(run):
        raise OeaError(f"{name}: the run is empty; expected lines of `{TREC_LAYOUT}` or JSONL hits")
    _refuse_duplicates(run)
    return run


def _from_lines(pieces: Iterator[bytes], name: str) -> Run:
    queries: dict[bytes, int] = {}
    parts: list[tuple[QueryNumbers, Names, QueryNumbers, Floats]] = []
    line, width = 1, 0
    for piece in pieces:
        width = width or (3 if len(piece.lstrip().partition(b"\n")[0].split()) == 3 else 5)
        layout, document = (SHORT_LAYOUT, 1) if width == 3 else (TREC_LAYOUT, 2)
        columns = columns_of(piece, name, width, layout, line)
        scores = _scores(columns[-1], piece, name, line, width)
        line += piece.count(b"\n")
        parts.append((columns[0].codes(queries), *columns[document].sorted_codes(), scores))
    owners, names, found, numbers = zip(*parts, strict=True)
    documents, codes = _joined(names, found)
    return Run(
        name,
        True,
        {token.decode(): code for token, code in queries.items()},
        documents,
        np.concatenate(owners),
        codes,
        np.concatenate(numbers),
    )


def _joined(names: Sequence[Names], codes: Sequence[QueryNumbers]) -> tuple[Names, QueryNumbers]:
    """One list of names out of several, and the codes (M,) into it."""
    if len(names) == 1:
        return names[0], codes[0]
    if any(part.dtype == object for part in names):
        names = [part.astype(object) for part in names]
    documents, places = np.unique(np.concatenate(names), return_inverse=True)
    starts = np.cumsum([0, *map(len, names)])
    return documents, np.concatenate(
        [places[start + part] for start, part in zip(starts, codes, strict=False)]
    )


def _scores(column: Column, piece: bytes, name: str, first_line: int, width: int) -> Floats:
    try:
        scores = column.numbers()
        if np.isfinite(scores).all():
            return scores
    except ValueError:
        pass
    for number, line in enumerate(piece.split(b"\n"), first_line):
        words = line.split()
        if words and not _is_finite(words[width - 1]):
            score = words[width - 1].decode(errors="replace")
            raise OeaError(f"{name}:{number}: score must be a finite number; got {score!r:.60}")
    raise AssertionError("a score is not a number, but no line has it")


def _is_finite(word: bytes) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False


def _from_hits(stream: BinaryIO, name: str) -> Run:
    queries: dict[str, int] = {}
    owners, found, scores = [], [], []
    for where, row in read_json_lines(stream, name):
        query, document = (_id_of(row, key, where) for key in ("query_id", "id"))
        score = row.get("score")
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise OeaError(f"{where}: 'score' must be a number; got {score!r:.60}")
        owners.append(queries.setdefault(query, len(queries)))
        found.append(document.encode())
        scores.append(float(score))
    documents, codes = np.unique(np.array(found, object), return_inverse=True)
    return Run(
        name,
        False,
        queries,
        documents,
        np.array(owners, np.int64),
        codes,
        np.array(scores, np.float64),
    )


def _id_of(row: Record, key: str, where: str) -> str:
    if row.get(key) is None:
        raise OeaError(
            f"{where}: no {key!r}; a hit of `oea search` has 'query_id', 'id' and 'score'"
        )
    try:
        return nfc(id_of(row[key], key))
    except RowError as problem:
        raise OeaError(f"{where}: {problem}") from problem


def _refuse_duplicates(run: Run) -> None:
    keys = np.sort(run.keys(run.owners, run.found))
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twice):
        query, document = divmod(int(keys[twice[0]]), len(run.documents))
        twice_listed = run.documents[document].decode(errors="replace")
        raise OeaError(
            f"{run.name}: {twice_listed!r} is listed twice for query {list(run.queries)[query]!r}; "
            "list it once"
        )


def run_outcomes(run: Run, queries: Sequence[Query], ties: Ties = "strict") -> Outcomes:
    """The outcomes of a run on judged queries; a query missing from it has depth 0.

    With ties "strict" a rank is 1 + the number of higher scores; with "trec", equal scores are
    ordered by document id, descending, as trec_eval does. `queries` must have
    relevant clips: leave the others out first.
    """
    ranks, order = _ranks(run, ties)
    lookup = _Lookup(run, ranks, order)
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
    )


def _ranks(run: Run, ties: Ties) -> tuple[Floats, QueryNumbers]:
    """The rank of every pair of the run (M,), and the pairs in the order of their keys (M,)."""
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
    return ranks, np.argsort(run.keys(run.owners, run.found))


def _is_sorted(run: Run) -> bool:
    """True for a run as most are written: query by query, best first."""
    steps = np.diff(run.owners)
    return bool((steps >= 0).all() and ((steps > 0) | (np.diff(run.scores) <= 0)).all())


class _Lookup:
    """Finds judged pairs in a run: their ranks and scores."""

    def __init__(self, run: Run, ranks: Floats, order: QueryNumbers) -> None:
        self._run = run
        self._keys = run.keys(run.owners, run.found)[order]
        self._ranks, self._scores = ranks[order], run.scores[order]

    def query(self, name: str) -> int:
        """The number of a query in the run; -1 where it is missing."""
        name = nfc(name)
        code = self._run.queries.get(name, -1)
        if code < 0 and self._run.is_trec:
            # A TREC run cannot hold blanks; `oea search -f trec` writes them as %20.
            code = self._run.queries.get(trec_id(name), -1)
        return code

    def documents(self, names: Sequence[str | None]) -> QueryNumbers:
        """The numbers of documents (P,) in the run; -1 for those never retrieved, and for None."""
        written = ["" if name is None else nfc(name) for name in names]
        found = self._numbers([name.encode() for name in written])
        if self._run.is_trec and (found < 0).any():
            other = self._numbers([trec_id(name).encode() for name in written])
            found = np.where(found < 0, other, found)
        return found

    def _numbers(self, names: list[bytes]) -> QueryNumbers:
        known = self._run.documents
        looked_up = np.array(names, object if known.dtype == object else None)
        if not names:
            return np.zeros(0, np.int64)
        places = np.minimum(np.searchsorted(known, looked_up), len(known) - 1)
        return np.where((known[places] == looked_up) & (looked_up != b""), places, -1)

    def find(self, owners: QueryNumbers, documents: QueryNumbers) -> tuple[Floats, Floats]:
        """Ranks and scores of pairs (P,); infinite and NaN where the run does not hold them."""
        keys = self._run.keys(owners, documents)
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        known = (owners >= 0) & (documents >= 0) & (self._keys[places] == keys)
        return (
            np.where(known, self._ranks[places], np.inf),
            np.where(known, self._scores[places], np.nan),
        )
