"""Whatever a program holds (paths, records, a frame, arrays, texts) as one batch of vectors."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import windows_of
from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.decoding import inputs_of
from oea_cli.encoder.streaming.inputs import EncoderInput, Notice
from oea_cli.encoder.streaming.stream import stream, stream_inputs
from oea_cli.errors import Failure, OeaError, Report, UsageError, raise_failure
from oea_cli.records.fields import RowError, records_from_row
from oea_cli.records.inputs import read_records
from oea_cli.records.lines import peek
from oea_cli.records.rows import Record
from oea_cli.vectors.batch import Batch, joined_batches

if TYPE_CHECKING:
    import polars as pl

Sources = str | Path | np.ndarray | Iterable[str | Path] | Iterable[Record] | Iterable[np.ndarray]
MAX_CHANNELS = 32


def embed(
    encoder: Encoder,
    sources: "Sources | pl.DataFrame",
    *,
    text: bool = False,
    rate: int | None = None,
    ids: Sequence[str] | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    report: Report = raise_failure,
    notice: Callable[[Notice], object] | None = None,
    advance: Callable[[], object] | None = None,
) -> Batch:
    """Embed what `sources` means, all at once: a Batch with the records and (n, dim) float32 rows.

    `sources` is one of

    - paths: sounds, folders, patterns, tables of records, as `read_records` takes them;
    - records with `path` or `text`, or a polars frame of them; with `text`, their captions;
    - arrays at `rate` samples a second: one of (n,) or (n, channels), as soundfile gives it, or a
      list of such; their ids are `ids`, or "0", "1", ...;
    - with `text`, one text or a list of them; their ids are `ids`, or "1", "2", ...

    Sounds longer than the encoder's `max_seconds` become several rows, `ID#t=START,END`. What
    cannot be used raises OeaError, or goes to `report` where that is given; `notice` gets what is
    worth knowing of sounds that are used all the same; `advance` is called after each input. For
    more than fits into memory use `stream`.

    Raises UsageError for arrays without a `rate`, and for ids that do not fit.
    """
    if isinstance(sources, str | Path | np.ndarray):
        sources = cast(Sources, [sources])
    elif hasattr(sources, "iter_rows"):
        from oea_cli.records.columns import rows_of

        sources = rows_of(cast("pl.DataFrame", sources))
    if not isinstance(sources, Iterable):
        raise _not_embeddable(sources)
    first, items = peek(iter(cast(Iterable[Any], sources)))
    if isinstance(first, np.ndarray):
        if rate is None:
            raise UsageError("arrays need their samples per second: embed(..., rate=44100)")
        inputs = _inputs(encoder, _numbered(items, ids, 0), rate, report, advance)
        batches = stream_inputs(encoder, inputs, batch_size=batch_size, report=report)
    else:
        batches = stream(
            encoder,
            _records(first, items, text, ids, report),
            batch_size=batch_size,
            workers=workers,
            report=report,
            notice=notice,
            advance=advance,
        )
    return joined_batches(batches, encoder=encoder.encoder_id, dim=encoder.dim)


def _records(
    first: object, items: Iterator[Any], text: bool, ids: Sequence[str] | None, report: Report
) -> Iterator[Record | Failure]:
    """Records, and between them what makes none."""
    if isinstance(first, Mapping):
        return chain.from_iterable(
            _of_row(row, number, text) for number, row in enumerate(items, 1)
        )
    if text:
        return (_of_text(id_, item) for id_, item in _numbered(items, ids, 1))
    if ids is not None:
        raise UsageError("ids= names arrays and texts; the ids of sounds are their paths")
    names = list(items)
    for name in names:
        if not isinstance(name, str | Path):
            raise _not_embeddable(name)
    return iter(read_records(names, report=report))


def _of_text(id_: str, text: object) -> Record:
    if not isinstance(text, str):
        raise _not_embeddable(text)
    return {"id": id_, "text": text}


def _not_embeddable(thing: object) -> UsageError:
    kind = type(thing).__name__
    return UsageError(f"cannot embed a {kind}; give paths, records, a frame, arrays or texts")


def _of_row(row: Mapping[str, Any], number: int, text: bool) -> list[Record] | list[Failure]:
    try:
        return records_from_row(dict(row), number, text=text, resolve=str)
    except RowError as problem:
        return [Failure(f"record {number}", str(problem))]


def _numbered(
    items: Iterable[Any], ids: Sequence[str] | None, first: int
) -> Iterator[tuple[str, Any]]:
    if ids is None:
        yield from ((str(number), item) for number, item in enumerate(items, first))
        return
    found = list(items)
    if len(found) != len(ids):
        raise UsageError(f"{len(ids)} ids for {len(found)} inputs; each needs one")
    yield from zip(ids, found, strict=True)


def _inputs(
    encoder: Encoder,
    arrays: Iterable[tuple[str, np.ndarray]],
    rate: int,
    report: Report,
    advance: Callable[[], object] | None,
) -> Iterator[EncoderInput]:
    """The windows of sounds in memory; one that cannot be used goes to `report`."""
    for id_, samples in arrays:
        try:
            mono = _mono(samples)
            windows = windows_of(mono, rate, encoder.sample_rate, encoder.max_seconds)
            yield from inputs_of({"id": id_}, windows)
        except AudioError as error:
            report(Failure(f"array {id_}", str(error), id_))
        if advance is not None:
            advance()


def _mono(samples: np.ndarray) -> np.ndarray:
    """(n,) float32 out of (n,) or (n, channels); whole numbers become fractions of full scale."""
    if (
        samples.ndim not in (1, 2)
        or (samples.ndim == 2 and samples.shape[1] > MAX_CHANNELS)
        or samples.dtype.kind not in "fiu"
    ):
        raise OeaError(
            f"an array of shape {samples.shape} and type {samples.dtype} is no sound; "
            "it must be (n,) or (n, channels) numbers"
        )
    if samples.dtype.kind in "iu":
        samples = samples / -float(np.iinfo(samples.dtype).min or -1)
    mono = samples if samples.ndim == 1 else samples.mean(axis=1, dtype=np.float64)
    return np.ascontiguousarray(mono, dtype=np.float32)
