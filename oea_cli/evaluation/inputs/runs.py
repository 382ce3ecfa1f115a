"""Runs: a ranking read from a TREC file or from JSONL hits."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from oea_cli.errors import OeaError
from oea_cli.evaluation.inputs.trec_files import (
    Column,
    columns_of,
    finite_number,
    line_numbers,
    whole_lines,
    words_of,
)
from oea_cli.metrics.outcomes import Floats, Mask, QueryNumbers
from oea_cli.records.addresses import open_bytes
from oea_cli.records.fields import RowError, id_of
from oea_cli.records.ids import trec_id
from oea_cli.records.lines import PeekableStream, read_json_lines
from oea_cli.records.rows import Record, trailing_number
from oea_cli.records.text import nfc

Names = npt.NDArray[Any]
"""Ids as bytes: fixed-width strings, or objects where some are long."""
TREC_LAYOUT = "query Q0 document rank score tag"
SHORT_LAYOUT = "query document score"


@dataclass
class Run:
    """M scored (query, document) pairs. `ranks` are those that the file states, NaN where it states
    none: scores count, as in trec_eval, and ranks only show that they may mean something else."""

    name: str
    is_trec: bool = False
    queries: dict[str, int] = field(default_factory=dict)
    documents: Names = field(default_factory=lambda: np.zeros(0, "S1"))  # ascending by their bytes
    owners: QueryNumbers = field(default_factory=lambda: np.zeros(0, np.int64))  # (M,)
    found: QueryNumbers = field(default_factory=lambda: np.zeros(0, np.int64))  # (M,)
    scores: Floats = field(default_factory=lambda: np.zeros(0))  # (M,)
    lines: QueryNumbers = field(default_factory=lambda: np.zeros(0, np.int64))  # (M,)
    ranks: Floats = field(default_factory=lambda: np.zeros(0))  # (M,)

    def __len__(self) -> int:
        return len(self.scores)

    def keys(self, owners: QueryNumbers, documents: QueryNumbers) -> QueryNumbers:
        """One number (P,) per (query, document) pair."""
        return owners * max(len(self.documents), 1) + documents

    def contradicted(self) -> Mask:
        """Which queries (Q,) have a document that is ranked before one with a higher score."""
        owners, ranks, scores = self.owners, self.ranks, self.scores
        is_stated = ~np.isnan(ranks)
        if not is_stated.all():
            owners, ranks, scores = owners[is_stated], ranks[is_stated], scores[is_stated]
        owners, scores = _by_rank(owners, ranks, scores)
        found = np.zeros(len(self.queries), bool)
        found[owners[1:][(owners[1:] == owners[:-1]) & (scores[1:] > scores[:-1])]] = True
        return found


def _by_rank(owners: QueryNumbers, ranks: Floats, scores: Floats) -> tuple[QueryNumbers, Floats]:
    """Queries and scores (M,), query by query, best rank first; of equal ranks the higher score."""
    later, lower = np.diff(owners), np.diff(ranks)
    is_next = (lower > 0) | ((lower == 0) & (scores[1:] <= scores[:-1]))
    if ((later > 0) | ((later == 0) & is_next)).all():
        return owners, scores
    order = np.lexsort((-scores, ranks, owners))
    return owners[order], scores[order]


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
    parts: list[tuple[QueryNumbers, Names, QueryNumbers, Floats, QueryNumbers, Floats]] = []
    line, width = 1, 0
    for piece in pieces:
        width = width or (3 if len(piece.lstrip().partition(b"\n")[0].split()) == 3 else 5)
        layout, document = (SHORT_LAYOUT, 1) if width == 3 else (TREC_LAYOUT, 2)
        columns = columns_of(piece, name, width, layout, line)
        scores = _scores(columns[-1], piece, name, line, width)
        lines = line_numbers(piece, len(scores), line)
        line += piece.count(b"\n")
        ranks = columns[3].whole_numbers() if width == 5 else np.full(len(scores), np.nan)
        owners = columns[0].codes(queries)
        parts.append((owners, *columns[document].sorted_codes(), scores, lines, ranks))
    all_owners, names, found, *numbers = zip(*parts, strict=True)
    documents, codes = _joined(names, found)
    return Run(
        name,
        True,
        {token.decode(): code for token, code in queries.items()},
        documents,
        np.concatenate(all_owners),
        codes,
        *map(np.concatenate, numbers),
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
        words = words_of(line)
        if words and finite_number(words[width - 1]) is None:
            score = words[width - 1].decode(errors="replace")
            raise OeaError(f"{name}:{number}: score must be a finite number; got {score!r:.60}")
    raise AssertionError("a score is not a number, but no line has it")


def _from_hits(stream: BinaryIO, name: str) -> Run:
    queries: dict[str, int] = {}
    owners, found, scores, lines, ranks = [], [], [], [], []
    for where, row in read_json_lines(stream, name):
        query, document = (_id_of(row, key, where) for key in ("query_id", "id"))
        score = row.get("score")
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise OeaError(f"{where}: 'score' must be a number; got {score!r:.60}")
        owners.append(queries.setdefault(query, len(queries)))
        found.append(document.encode())
        scores.append(float(score))
        lines.append(trailing_number(where))
        rank = row.get("rank")
        ranks.append(float(rank) if type(rank) is int else np.nan)
    documents, codes = np.unique(np.array(found, object), return_inverse=True)
    return Run(
        name,
        False,
        queries,
        documents,
        np.array(owners, np.int64),
        codes,
        np.array(scores, np.float64),
        np.array(lines, np.int64),
        np.array(ranks, np.float64),
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
    keys = run.keys(run.owners, run.found)
    ordered = np.sort(keys)
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if not len(twice):
        return
    first, second = np.flatnonzero(keys == ordered[twice[0]])[:2]
    listed = run.documents[run.found[second]].decode(errors="replace")
    raise OeaError(
        f"{run.name}:{run.lines[second]}: {listed!r} is listed twice for query "
        f"{list(run.queries)[run.owners[second]]!r}, first in line {run.lines[first]}; list it once"
    )
