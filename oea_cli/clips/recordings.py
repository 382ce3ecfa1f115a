"""Which clips are parts of one recording: they are never hard negatives of each other."""

from collections.abc import Sequence

from oea_cli.clips.origins import Mark, marks_of
from oea_cli.records.ids import clip_of
from oea_cli.records.rows import Record

CERTAIN = ("id", "youtube id", "freesound id")
"""The marks that tell; a title is shared by many sounds."""


def marks_of_recording(record: Record) -> list[Mark]:
    """By what a clip's recording is known: its id without window and suffix, and its source's."""
    clip = clip_of(record["id"])
    marks = [mark for mark in marks_of({**record, "id": clip}) if mark.kind in CERTAIN]
    return [Mark("id", clip), *marks]


def recording_groups(records: Sequence[Record]) -> list[int]:
    """A number for each record; those that share a mark, also by way of others, share it."""
    parents = list(range(len(records)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    first_with: dict[Mark, int] = {}
    for number, record in enumerate(records):
        for mark in marks_of_recording(record):
            one, other = root(first_with.setdefault(mark, number)), root(number)
            parents[max(one, other)] = min(one, other)
    return [root(number) for number in range(len(records))]
