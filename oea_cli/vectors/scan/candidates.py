"""The candidates of a scan: rows of vectors, one or several per candidate."""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np

from oea_cli.errors import OeaError
from oea_cli.records.ids import clip_of, is_window
from oea_cli.vectors.arrays import RowNumbers, Vectors

BLOCK_ROWS = 2048


class Rows(Protocol):
    """N vectors of length 1, in memory, in a file or in an index."""

    dim: int
    count: int

    def take(self, rows: RowNumbers) -> Vectors:
        """These rows (R, D)."""

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        """All rows in order: the number of a block's first row, and the block (B, D)."""


class ChosenRows:
    """Some of the rows of others, by their numbers, in that order."""

    def __init__(self, rows: Rows, numbers: RowNumbers) -> None:
        self.dim, self.count = rows.dim, len(numbers)
        self._rows, self._numbers = rows, numbers

    def take(self, rows: RowNumbers) -> Vectors:
        return self._rows.take(self._numbers[rows])

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        for start in range(0, self.count, BLOCK_ROWS):
            yield start, self._rows.take(self._numbers[start : start + BLOCK_ROWS])


class Corpus:
    """Candidates for a ranking, each one row, or each a clip with several rows (its windows).

    `ids` are the candidates', `clips` the clip each one belongs to (a caption's sound), `starts`
    the first row of each candidate where they have several. Raises OeaError for an id that
    occurs twice, and for an empty corpus.
    """

    def __init__(
        self,
        rows: Rows,
        ids: list[str],
        where: str,
        encoder: str | None = None,
        clips: list[str] | None = None,
        starts: RowNumbers | None = None,
    ) -> None:
        if not ids:
            raise OeaError(f"{where}: holds nothing to rank")
        self.rows, self.ids, self.where, self.encoder = rows, ids, where, encoder
        self.clips = ids if clips is None else clips
        self.starts = starts
        if len(set(ids)) != len(ids):
            seen: set[str] = set()
            twice = next(id_ for id_ in ids if id_ in seen or seen.add(id_))  # type: ignore[func-returns-value]
            raise OeaError(f"{where}: id {twice!r} occurs twice; ids must be unique")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        return self.rows.dim

    @cached_property
    def number_of(self) -> dict[str, int]:
        """The number of each candidate."""
        return {id_: number for number, id_ in enumerate(self.ids)}

    @cached_property
    def of_clip(self) -> dict[str, list[int]]:
        """The numbers of each clip's candidates."""
        found: dict[str, list[int]] = {}
        for number, clip in enumerate(self.clips):
            found.setdefault(clip, []).append(number)
        return found

    @property
    def has_windows(self) -> bool:
        """True where long clips have several windows as rows."""
        return self.starts is None and any(map(is_window, self.ids))

    def by_clip(self) -> "Corpus":
        """The same rows, ranked clip by clip: a clip scores what its best window does."""
        clips = list(map(clip_of, self.ids))
        starts = [0, *(n for n, (one, next_) in enumerate(pairwise(clips), 1) if one != next_)]
        names = [clips[start] for start in starts]
        if len(set(names)) != len(names):
            raise OeaError(
                f"{self.where}: the windows of a clip are not next to each other; index them again"
            )
        return Corpus(self.rows, names, self.where, self.encoder, starts=np.array(starts))

    def chosen(self, numbers: RowNumbers, label: str) -> "Corpus":
        """The corpus of these candidates alone; `label` names them in messages."""
        ids = [self.ids[number] for number in numbers]
        clips = None if self.clips is self.ids else [self.clips[number] for number in numbers]
        rows, starts = numbers, None
        if self.starts is not None:
            firsts = self.starts[numbers]
            ends = np.append(self.starts, self.rows.count)[numbers + 1]
            rows = spread(firsts, ends)
            starts = np.asarray(np.cumsum(ends - firsts) - (ends - firsts), np.int64)
        where = f"{self.where} ({label})"
        return Corpus(ChosenRows(self.rows, rows), ids, where, self.encoder, clips, starts)

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        """Blocks of rows; no block ends within a candidate."""
        if self.starts is None:
            yield from self.rows.blocks()
            return
        held = np.zeros((0, self.dim), np.float32)
        for start, block in self.rows.blocks():
            rows = np.concatenate([held, block])
            first = start - len(held)
            cut = self._last_start(first + len(rows)) - first
            if cut:
                yield first, rows[:cut]
            held = rows[cut:]
        if len(held):
            yield start + len(block) - len(held), held

    def _last_start(self, row: int) -> int:
        assert self.starts is not None
        return int(self.starts[np.searchsorted(self.starts, row, "right") - 1])


def spread(firsts: RowNumbers, ends: RowNumbers) -> RowNumbers:
    """All numbers from each first to its end, one range after the other."""
    lengths = ends - firsts
    offsets = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(lengths.sum()) - np.repeat(offsets - firsts, lengths))
