"""Rows of long clips: all windows of one say how long the whole is, which its end tells."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from oea_cli.encoder.streaming.groups import EncodedGroup, failure_of
from oea_cli.encoder.streaming.inputs import EncoderInput
from oea_cli.errors import Report
from oea_cli.records.rows import Record
from oea_cli.vectors.batch import Batch

Row = tuple[Record, np.ndarray]


@dataclass(slots=True)
class _Clip:
    """A long clip, seconds of its file, and the windows that have a vector so far."""

    whole: Record
    start: float
    end: float
    windows: list[Row] = field(default_factory=list)

    def rows(self) -> list[Row]:
        """The windows; a duration that the record gives is kept."""
        known = {"duration": round(self.end - self.start, 3)}
        if "duration" in self.whole:
            known = {}
        return [({**record, **known}, vector) for record, vector in self.windows]


def whole_clips(groups: Iterable[EncodedGroup], report: Report, encoder: str) -> Iterator[Batch]:
    """The rows that have a vector, in order; the others are failed inputs.

    A long clip's rows are held back until the next clip begins: some kilobytes a minute.
    """
    last: _Clip | None = None
    for group in groups:
        for row, problem in group.problems.items():
            report(failure_of(group.inputs[row].record, problem))
        if last is None and all(item.clip is None for item in group.inputs):
            yield _short(group, encoder)
            continue
        done: list[Row] = []
        for row, item in enumerate(group.inputs):
            if last is not None and item.clip is not last.whole:
                done += last.rows()
                last = None
            found = [] if row in group.problems else [(item.record, group.vectors[row])]
            if item.clip is None:
                done += found
            else:
                last = _grown(last, item, item.clip)
                last.windows += found
        yield from _batches(done, encoder)
    yield from _batches([] if last is None else last.rows(), encoder)


def _grown(clip: _Clip | None, window: EncoderInput, whole: Record) -> _Clip:
    start, end = window.record["start"], window.record["end"]
    if clip is None:
        return _Clip(whole, start, end)
    clip.end = end
    return clip


def _short(group: EncodedGroup, encoder: str) -> Batch:
    records = [item.record for item in group.inputs]
    if not group.problems:
        return Batch(records, group.vectors, encoder)
    good = [row for row in range(len(records)) if row not in group.problems]
    return Batch([records[row] for row in good], group.vectors[good], encoder)


def _batches(rows: list[Row], encoder: str) -> Iterator[Batch]:
    """One batch, or none of no rows."""
    if rows:
        records, vectors = zip(*rows, strict=True)
        yield Batch(list(records), np.stack(vectors), encoder)
