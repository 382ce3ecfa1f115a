"""Which part of a sound file a record is: seconds, and a channel."""

from collections.abc import Iterable, Iterator
from typing import TypedDict

from oea_cli.errors import Failure
from oea_cli.records.rows import Record

CHANNEL_NAMES = {"mix": None, "left": 0, "right": 1}
CHANNELS = "mix, left, right or a number from 1"


class Section(TypedDict):
    """What `read_windows` takes besides a file: seconds, and a channel in words."""

    start: float | None
    end: float | None
    channel: str


def file_section(record: Record) -> Section:
    """The section that a record names; a `channel` that names none ("BBC") is not ours."""
    channel = record.get("channel")
    return {
        "start": record.get("start"),
        "end": record.get("end"),
        "channel": str(channel) if names_channel(channel) else "mix",
    }


def names_channel(value: object) -> bool:
    """True for `mix`, `left`, `right`, and a number from 1."""
    try:
        parse_channel(value)
    except ValueError:
        return False
    return True


def parse_channel(value: object) -> int | None:
    """The channel (from 0) that `left`, `right`, 1, 2 ... mean; None for `mix`.

    Raises ValueError for anything else.
    """
    text = str(value).strip().lower()
    if text in CHANNEL_NAMES:
        return CHANNEL_NAMES[text]
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal() and 0 < int(text) < 1e6):
        raise ValueError(f"must be {CHANNELS}; got {value!r:.60}")
    return int(text) - 1


def with_channel(items: Iterable[Record | Failure], channel: str) -> Iterator[Record | Failure]:
    """The records, those of sounds with this `channel` where they name none themselves."""
    for item in items:
        if channel == "mix" or isinstance(item, Failure) or "path" not in item:
            yield item
        else:
            yield item if names_channel(item.get("channel")) else {**item, "channel": channel}
