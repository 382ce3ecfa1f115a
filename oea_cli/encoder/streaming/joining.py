"""The windows of a long clip, joined to one vector: the direction of their mean."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from oea_cli.encoder.streaming.groups import EncodedGroup, failure_of
from oea_cli.errors import Report
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import mean_direction
from oea_cli.vectors.batch import Batch


@dataclass(slots=True)
class _Clip:
    """A record and the vectors of its windows so far; `whole` is what several windows share."""

    record: Record
    whole: Record | None
    windows: list[np.ndarray]
    problem: str | None


def joined(groups: Iterable[EncodedGroup], report: Report) -> Iterator[Batch]:
    """One row for every clip; a clip of which a window has no vector goes to `report`."""
    last: _Clip | None = None
    for group in groups:
        complete: list[_Clip] = []
        for row, item in enumerate(group.inputs):
            vector, problem = group.vectors[row], group.problems.get(row)
            if last is not None and item.clip is not None and item.clip is last.whole:
                last.windows.append(vector)
                last.problem = last.problem or problem
                continue
            if last is not None:
                complete.append(last)
            last = _Clip(item.clip or item.record, item.clip, [vector], problem)
        yield from _batches(complete, report)
    yield from _batches([] if last is None else [last], report)


def _batches(clips: list[_Clip], report: Report) -> Iterator[Batch]:
    """One batch, or none where no clip has a vector."""
    for clip in clips:
        if clip.problem is not None:
            report(failure_of(clip.record, clip.problem))
    good = [clip for clip in clips if clip.problem is None]
    if good:
        vectors = np.stack([mean_direction(np.stack(clip.windows)) for clip in good])
        yield Batch([clip.record for clip in good], vectors)
