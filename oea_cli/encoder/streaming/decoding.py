"""One sound, decoded and cut into windows, as inputs for an encoder."""

from collections.abc import Iterator

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import Window, read_windows
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.inputs import EncoderInput, Event, Notice
from oea_cli.errors import Failure, OeaError
from oea_cli.records.ids import window_id
from oea_cli.records.rows import Record
from oea_cli.records.sections import file_section


def decoded(record: Record, sample_rate: int, max_seconds: float) -> Iterator[Event]:
    """What a record with `path` comes to; a Failure is the last event, also after some windows.

    Several windows get ids of their own; a single one keeps the record's.
    """
    try:
        yield from _windows(record, sample_rate, max_seconds)
    except AudioError as error:
        yield Failure(str(record["path"]), str(error), record["id"])
    except Exception as error:  # one odd file must not end the run
        problem = f"cannot be decoded ({type(error).__name__}: {error})"
        yield Failure(str(record["path"]), problem, record["id"])


def first_window(encoder: Encoder, record: Record) -> EncoderInput:
    """The first window of a sound; raises OeaError where there is none."""
    first = next(decoded(record, encoder.sample_rate, encoder.max_seconds))
    if isinstance(first, EncoderInput):
        return first
    raise OeaError(str(first))


def _windows(record: Record, sample_rate: int, max_seconds: float) -> Iterator[Event]:
    notices: list[str] = []
    windows = read_windows(
        record["path"],
        sample_rate,
        max_seconds,
        **file_section(record),
        notice=notices.append,
    )
    yield from inputs_of(record, windows)
    yield from (Notice(record["path"], text) for text in notices)


def inputs_of(record: Record, windows: Iterator[Window]) -> Iterator[EncoderInput]:
    """The windows of one sound, at least one, as inputs for an encoder."""
    # Whether the first window is the only one is known when the second comes.
    first = next(windows)
    second = next(windows, None)
    if second is None:
        yield EncoderInput(_whole(record, first), first.samples)
    else:
        clip = dict(record)
        yield EncoderInput(_part(record, first), first.samples, clip)
        yield EncoderInput(_part(record, second), second.samples, clip)
        for window in windows:
            yield EncoderInput(_part(record, window), window.samples, clip)


def _whole(record: Record, window: Window) -> Record:
    return {**record, "duration": record.get("duration", round(window.end - window.start, 3))}


def _part(record: Record, window: Window) -> Record:
    """A window's record; how long the clip is, its end tells (`whole_clips`)."""
    start, end = round(window.start, 3), round(window.end, 3)
    return {**record, "id": window_id(record["id"], start, end), "start": start, "end": end}
