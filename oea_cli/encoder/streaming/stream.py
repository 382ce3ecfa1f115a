"""Records in, vectors out, in the same order: decoding and mel run while the model runs.

The stages, all within a fixed memory:

    decode_ahead   threads decode, resample and cut windows
    groups         a bounded stretch of the input, sorted by length into batches (batch_plan)
    lanes          threads that turn batches into vectors
    memory_fit     smaller batches where memory ends

Every verb that needs vectors gets them here. Threads and decoders are started when they are needed,
so a single text costs no more than its encoding.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.decode_ahead import DecodeAhead
from oea_cli.encoder.streaming.groups import (
    TOO_LARGE,
    EncodedGroup,
    GroupEncoder,
)
from oea_cli.encoder.streaming.hearing import Tally, current_hearing
from oea_cli.encoder.streaming.inputs import EncoderInput, Event, Notice
from oea_cli.encoder.streaming.joining import joined
from oea_cli.encoder.streaming.whole_clips import whole_clips
from oea_cli.errors import Failure, OeaError, Report, raise_failure
from oea_cli.records.rows import Record
from oea_cli.records.sections import with_channel
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.scan.threads import num_cores


def _nothing(*_: object) -> None:
    pass


def stream(
    encoder: Encoder,
    records: Iterable[Record | Failure],
    *,
    batch_size: int | None = None,
    workers: int | None = None,
    report: Report = raise_failure,
    notice: Callable[[Notice], object] | None = None,
    advance: Callable[[], object] | None = None,
) -> Generator[Batch, None, None]:
    """Yield the records with their vectors, in input order, in bounded memory.

    A record with `path` is a sound, any other one a `text`. Sounds longer than the encoder's window
    become several rows with ids `ID#t=START,END`, each with the `duration` of the whole. What
    cannot be used goes to `report`, in input order; a Failure among the records does so in its
    turn. `advance` is called once for every input. The same input gives the same bits.
    """
    encoded = _encoded(
        encoder,
        records,
        batch_size=batch_size,
        workers=workers,
        report=report,
        notice=notice,
        advance=advance or _nothing,
    )
    with closing(encoded) as groups:
        yield from whole_clips(groups, report, encoder.encoder_id)


def stream_clips(
    encoder: Encoder,
    records: Iterable[Record | Failure],
    *,
    report: Report = raise_failure,
) -> Generator[Batch, None, None]:
    """As `stream`, with one row for every record: queries, and clips to be compared whole.

    The vector of a sound of several windows is the direction of their mean.
    """
    with closing(_encoded(encoder, records, report=report)) as groups:
        for batch in joined(groups, report):
            yield replace(batch, encoder=encoder.encoder_id)


def stream_inputs(
    encoder: Encoder,
    inputs: Iterable[EncoderInput],
    *,
    batch_size: int | None = None,
    report: Report = raise_failure,
) -> Generator[Batch, None, None]:
    """As `stream`, of waveforms that are decoded already, and of texts."""
    with GroupEncoder(encoder, batch_size, num_cores()) as group_encoder:
        groups = group_encoder.groups(inputs, _nothing)
        yield from whole_clips(groups, report, encoder.encoder_id)


def embed_texts(encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
    """(n, dim) float32 vectors of n texts, in their order.

    Raises OeaError for a text without a vector.
    """
    inputs = (EncoderInput({"id": text}, text) for text in texts)
    parts = [np.zeros((0, encoder.dim), np.float32)]
    with GroupEncoder(encoder, None, num_cores()) as group_encoder:
        for group in group_encoder.groups(inputs, _nothing):
            _refuse_missing(encoder, group)
            parts.append(group.vectors)
    current_hearing().tally.note_cut(encoder)
    return np.concatenate(parts)


def _encoded(
    encoder: Encoder,
    records: Iterable[Record | Failure],
    *,
    report: Report,
    batch_size: int | None = None,
    workers: int | None = None,
    notice: Callable[[Notice], object] | None = None,
    advance: Callable[[], object] = _nothing,
) -> Generator[EncodedGroup, None, None]:
    """What `stream` and `stream_clips` share: everything up to the vectors."""
    workers = workers or num_cores()
    heard = current_hearing()
    tally = heard.tally if notice is None else Tally(notice)
    rate, seconds = encoder.sample_rate, encoder.max_seconds
    with (
        GroupEncoder(encoder, batch_size, workers) as group_encoder,
        DecodeAhead(rate, seconds, workers=workers, max_samples=group_encoder.max_samples) as ahead,
    ):
        items = with_channel(_noted(records, tally), heard.channel)
        events = ahead.events(items, 2 * group_encoder.plan.group_rows, advance)
        inputs = _inputs(events, report, tally.tell)
        yield from group_encoder.groups(inputs, tally.tell)
    tally.note_cut(encoder)
    if notice is not None:
        tally.finish()


def _noted(records: Iterable[Record | Failure], tally: Tally) -> Iterator[Record | Failure]:
    for record in records:
        if isinstance(record, dict) and "path" in record:
            tally.note_channel(record.get("channel"))
        yield record


def _inputs(
    events: Iterable[Event], report: Report, notice: Callable[[Notice], object]
) -> Iterator[EncoderInput]:
    for event in events:
        if isinstance(event, Failure):
            report(event)
        elif isinstance(event, Notice):
            notice(event)
        else:
            yield event


def _refuse_missing(encoder: Encoder, group: EncodedGroup) -> None:
    for row, problem in group.problems.items():
        text = group.inputs[row].content
        if problem == TOO_LARGE:
            raise OeaError(f"'{text}' {problem}")
        raise OeaError(f"{encoder.name} gives no finite vector for '{text}'")
