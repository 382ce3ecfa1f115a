"""Records in, vectors out, in the same order: decoding and mel run while the model runs.

The stages, all within a fixed memory:

    decode_ahead   threads decode, resample and cut windows
    groups         a bounded stretch of the input, sorted by length into batches (batch_plan)
    lanes          threads that turn batches into vectors, smaller ones where memory ends (fitting)

On a CPU every lane computes mel and model of one batch on its share of the cores: with torch's own
threads inside each operation instead, they and the decoders wait for each other at every barrier
(2.2 times the processor time on two busy cores). On a GPU two lanes feed the model, so that the
next batch is queued while the vectors of the last are fetched, and as many threads as there are
decoders compute mel.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.batch_plan import BatchPlan, num_tokens, plan_batches
from oea_cli.encoder.streaming.decode_ahead import DecodeAhead, Event, Piece, Record, Remark
from oea_cli.encoder.streaming.fitting import Encoded, Fitting
from oea_cli.errors import Failure, Report
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.scan.threads import num_cores

MAX_LANES = 8
GPU_LANES = 2
GROUPS_IN_FLIGHT = 3

NOT_FINITE = "the encoder gives no finite vector for it"
TOO_LARGE = "does not fit into memory, even alone"

Lane = Callable[[list[Piece]], "Future[Encoded]"]


def encode_records(
    encoder: Encoder,
    records: Iterable[Record | Failure],
    *,
    batch_size: int | None = None,
    workers: int | None = None,
    report: Report,
    notice: Callable[[Remark], object] | None = None,
    advance: Callable[[], object] | None = None,
) -> Generator[Batch, None, None]:
    """Yield the records with their vectors, in input order, in bounded memory.

    A record with `path` is a sound, any other one a `text`. Sounds longer than the encoder's window
    become several rows with ids `ID#t=START,END`. What cannot be used goes to `report`, in input
    order; a Failure among the records does so in its turn. `advance` is called once for every
    input. The same input gives the same bits.
    """
    workers = workers or num_cores()
    rate = encoder.sample_rate
    with (
        _opened(encoder, batch_size, workers) as stage,
        DecodeAhead(
            rate, encoder.max_seconds, workers=workers, max_samples=stage.max_samples
        ) as ahead,
    ):
        events = ahead.events(records, 2 * stage.plan.group_rows, advance or _nothing)
        pieces = _pieces(events, report, notice or _nothing)
        yield from stage.batches(pieces, report, notice or _nothing)


def encode_pieces(
    encoder: Encoder,
    pieces: Iterable[Piece],
    *,
    batch_size: int | None = None,
    report: Report,
) -> Generator[Batch, None, None]:
    """As `encode_records`, of waveforms that are decoded already, and of texts."""
    with _opened(encoder, batch_size, num_cores()) as stage:
        yield from stage.batches(pieces, report, _nothing)


@contextmanager
def _opened(encoder: Encoder, batch_size: int | None, workers: int) -> Iterator["_Stage"]:
    fitting = Fitting(encoder)
    with _lanes(encoder, workers, fitting) as (lanes, lane):
        yield _Stage(
            plan_batches(encoder.device, batch_size, lanes), lane, fitting, encoder.sample_rate
        )


@dataclass(frozen=True)
class _Stage:
    """What turns pieces into batches of vectors."""

    plan: BatchPlan
    lane: Lane
    fitting: Fitting
    sample_rate: int

    @property
    def max_samples(self) -> int:
        """Of one group."""
        return int(self.plan.group_seconds * self.sample_rate)

    def batches(
        self, pieces: Iterable[Piece], report: Report, notice: Callable[[Remark], object]
    ) -> Iterator[Batch]:
        """Vectors in the order of the pieces, some groups of them on their way at a time."""
        pending: deque[_Group] = deque()
        for group in _groups(pieces, self.plan, self.sample_rate, self.max_samples):
            rows = self.plan.batches(group, self.sample_rate, self.fitting.tokens)
            pending.append(_Group(group, rows, self.lane))
            if len(pending) >= GROUPS_IN_FLIGHT:
                yield self._finished(pending.popleft(), report, notice)
        while pending:
            yield self._finished(pending.popleft(), report, notice)

    def _finished(
        self, group: "_Group", report: Report, notice: Callable[[Remark], object]
    ) -> Batch:
        group.wait()
        if remark := self.fitting.remark():
            notice(remark)
        return group.result(report)


class _Group:
    """A stretch of the input whose batches are on their way through the lanes."""

    def __init__(self, pieces: list[Piece], batches: list[list[int]], lane: Lane) -> None:
        self._pieces = pieces
        self._parts = [(rows, lane([pieces[row] for row in rows])) for rows in batches]

    def wait(self) -> None:
        """Until all of them are through; raises what one of them raised."""
        for _, future in self._parts:
            future.result()

    def result(self, report: Report) -> Batch:
        """The finished rows in input order; a vector that is not finite is a failed input."""
        parts = [(rows, future.result()) for rows, future in self._parts]
        vectors = np.empty((len(self._pieces), parts[0][1].vectors.shape[1]), np.float32)
        too_large: set[int] = set()
        for rows, part in parts:
            vectors[rows] = part.vectors
            too_large.update(rows[row] for row in part.too_large)
        records = [piece.record for piece in self._pieces]
        good = np.isfinite(vectors).all(axis=1)
        for row in np.flatnonzero(~good):
            record = records[row]
            where = str(record.get("path") or record["id"])
            reason = TOO_LARGE if row in too_large else NOT_FINITE
            report(Failure(where, reason, record["id"]))
        if good.all():
            return Batch(records, vectors)
        return Batch([records[row] for row in np.flatnonzero(good)], vectors[good])


def _groups(
    pieces: Iterable[Piece], plan: BatchPlan, sample_rate: int, max_samples: int
) -> Iterator[list[Piece]]:
    """Stretches of the input; where one ends depends on the input alone, never on timing."""
    group: list[Piece] = []
    samples, tokens = 0, 0.0
    for piece in pieces:
        full = plan.is_full(len(group), tokens)
        if group and (full or samples + piece.size > max_samples):
            yield group
            group, samples, tokens = [], 0, 0.0
        group.append(piece)
        samples += piece.size
        tokens += num_tokens(piece, sample_rate)
    if group:
        yield group


def _pieces(
    events: Iterable[Event], report: Report, notice: Callable[[Remark], object]
) -> Iterator[Piece]:
    for event in events:
        if isinstance(event, Failure):
            report(event)
        elif isinstance(event, Remark):
            notice(event)
        else:
            yield event


@contextmanager
def model_threads(encoder: Encoder) -> Iterator[tuple[int, ThreadPoolExecutor]]:
    """Threads for the model, and how many batches they should have at least."""
    if encoder.device != "cpu":
        with ThreadPoolExecutor(GPU_LANES, "lane") as pool:
            yield 1, pool
        return
    cores = torch.get_num_threads()
    lanes = encoder.concurrency or min(cores, MAX_LANES)
    with _threads("lane", lanes, max(1, cores // lanes)) as pool:
        yield lanes, pool


@contextmanager
def _threads(name: str, count: int, share: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that compute on `share` cores each; torch's own setting comes back after."""
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, name, initializer=torch.set_num_threads, initargs=(share,))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


@contextmanager
def _lanes(encoder: Encoder, workers: int, fitting: Fitting) -> Iterator[tuple[int, Lane]]:
    """How many batches a group should have at least, and what takes a batch."""
    with model_threads(encoder) as (lanes, model):
        if encoder.device == "cpu":
            encode = partial(_encode, encoder)
            yield lanes, lambda pieces: model.submit(fitting.encode, pieces, encode)
            return
        with _threads("mel", workers, 1) as mel:
            yield lanes, lambda pieces: _on_device(encoder, pieces, model, mel, fitting)


def _encode(encoder: Encoder, pieces: list[Piece]) -> np.ndarray:
    contents: list[Any] = [piece.content for piece in pieces]
    if isinstance(contents[0], str):
        return encoder.encode_text(contents)
    return encoder.encode_prepared(encoder.prepare_audio(contents))


def _on_device(
    encoder: Encoder,
    pieces: list[Piece],
    model: ThreadPoolExecutor,
    mel: ThreadPoolExecutor,
    fitting: Fitting,
) -> "Future[Encoded]":
    contents: list[Any] = [piece.content for piece in pieces]
    if isinstance(contents[0], str):
        return model.submit(fitting.encode, pieces, partial(_encode, encoder))
    prepared = mel.submit(encoder.prepare_audio, contents)

    def encode(part: list[Piece]) -> np.ndarray:
        if part is pieces:
            return encoder.encode_prepared(prepared.result())
        return _encode(encoder, part)  # a part of a batch that did not fit

    return model.submit(fitting.encode, pieces, encode)


def _nothing(*_: object) -> None:
    pass
