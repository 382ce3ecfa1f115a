"""Records in, vectors out, in the same order: decoding and mel run while the model runs.

The stages, all within a fixed memory:

    decode_ahead   threads decode, resample and cut windows
    groups         a bounded stretch of the input, sorted by length into batches
    lanes          threads that turn batches into vectors

On a CPU every lane computes mel and model of one batch on its share of the cores: with torch's own
threads inside each operation instead, they and the decoders wait for each other at every barrier
(2.2 times the processor time on two busy cores). On a GPU one lane feeds the model and as many
threads as there are decoders compute mel.
"""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from oea_cli.cores import num_cores
from oea_cli.embeddings import Batch
from oea_cli.encoder import Encoder
from oea_cli.encoder.decode_ahead import DecodeAhead, Event, Piece, Record, Remark
from oea_cli.errors import Failure, Report

MAX_LANES = 8
GROUPS_IN_FLIGHT = 3
CPU_BATCH, GPU_BATCH, TEXT_BATCH = 16, 64, 64
WINDOW_SECONDS = 10.0  # an automatic batch holds no more than that many windows of this length
MIN_GROUP_SECONDS = 600.0  # 38 MB at 16 kHz; about four times this is held in all

Vectors = np.ndarray
Lane = Callable[[list[Piece]], "Future[Vectors]"]


@dataclass(frozen=True)
class BatchPlan:
    """How pieces become batches: sizes by number and, when chosen automatically, by seconds."""

    audio: int
    text: int
    max_seconds: float
    lanes: int

    def batches(self, pieces: Sequence[Piece], sample_rate: int) -> list[list[int]]:
        """Row numbers of a group, in batches of one kind and of similar length."""
        texts = [i for i, piece in enumerate(pieces) if isinstance(piece.content, str)]
        sounds = [i for i, piece in enumerate(pieces) if not isinstance(piece.content, str)]
        texts.sort(key=lambda i: len(pieces[i].content), reverse=True)
        sounds.sort(key=lambda i: pieces[i].size, reverse=True)
        longest = pieces[sounds[0]].size / sample_rate if sounds else 0.0
        fitting = int(min(self.audio, self.max_seconds / max(longest, 0.001)))
        return [*self._split(texts, self.text), *self._split(sounds, max(1, fitting))]

    def is_full(self, num_sounds: int, num_texts: int) -> bool:
        """True when a group of so many pieces keeps every lane busy."""
        batches = num_sounds / self.audio + num_texts / self.text
        return batches >= max(4, 2 * self.lanes)

    @property
    def group_rows(self) -> int:
        """Pieces of one group at most."""
        return max(self.audio, self.text) * max(4, 2 * self.lanes)

    @property
    def group_seconds(self) -> float:
        """Seconds of sound in one group at most."""
        return max(MIN_GROUP_SECONDS, self.audio * max(4, 2 * self.lanes) * WINDOW_SECONDS)

    def _split(self, rows: list[int], size: int) -> list[list[int]]:
        """Even parts of at most `size` rows, at least one for every lane."""
        if not rows:
            return []
        # Fewer batches than lanes would leave lanes idle.
        parts = max(math.ceil(len(rows) / size), min(self.lanes, len(rows)))
        edges = [round(len(rows) * i / parts) for i in range(parts + 1)]
        return [rows[a:b] for a, b in pairwise(edges)]


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
    with ExitStack() as stack:
        lanes, lane = stack.enter_context(_lanes(encoder, workers))
        plan = plan_batches(encoder.device, batch_size, lanes)
        max_samples = int(plan.group_seconds * encoder.sample_rate)
        ahead = stack.enter_context(
            DecodeAhead(
                encoder.sample_rate, encoder.max_seconds, workers=workers, max_samples=max_samples
            )
        )
        events = ahead.events(records, 2 * plan.group_rows, advance or _nothing)
        pieces = _pieces(events, report, notice or _nothing)
        pending: deque[_Group] = deque()
        for group in _groups(pieces, plan, max_samples):
            pending.append(_Group(group, plan.batches(group, encoder.sample_rate), lane))
            if len(pending) >= GROUPS_IN_FLIGHT:
                yield pending.popleft().result(report)
        while pending:
            yield pending.popleft().result(report)


def plan_batches(device: str, batch_size: int | None, lanes: int) -> BatchPlan:
    """The sizes asked for, or those that are fast on this kind of device."""
    if batch_size is not None:
        return BatchPlan(batch_size, batch_size, math.inf, lanes)
    audio = CPU_BATCH if device == "cpu" else GPU_BATCH
    return BatchPlan(audio, TEXT_BATCH, audio * WINDOW_SECONDS, lanes)


class _Group:
    """A stretch of the input whose batches are on their way through the lanes."""

    def __init__(self, pieces: list[Piece], batches: list[list[int]], lane: Lane) -> None:
        self._pieces = pieces
        self._parts = [(rows, lane([pieces[row] for row in rows])) for rows in batches]

    def result(self, report: Report) -> Batch:
        """The finished rows in input order; a vector that is not finite is a failed input."""
        parts = [(rows, future.result()) for rows, future in self._parts]
        vectors = np.empty((len(self._pieces), parts[0][1].shape[1]), np.float32)
        for rows, part in parts:
            vectors[rows] = part
        records = [piece.record for piece in self._pieces]
        good = np.isfinite(vectors).all(axis=1)
        for row in np.flatnonzero(~good):
            record = records[row]
            where = str(record.get("path") or record["id"])
            report(Failure(where, "the encoder gives no finite vector for it", record["id"]))
        if good.all():
            return Batch(records, vectors)
        return Batch([records[row] for row in np.flatnonzero(good)], vectors[good])


def _groups(pieces: Iterable[Piece], plan: BatchPlan, max_samples: int) -> Iterator[list[Piece]]:
    """Stretches of the input; where one ends depends on the input alone, never on timing."""
    group: list[Piece] = []
    samples = num_texts = 0
    for piece in pieces:
        full = plan.is_full(len(group) - num_texts, num_texts)
        if group and (full or samples + piece.size > max_samples):
            yield group
            group, samples, num_texts = [], 0, 0
        group.append(piece)
        samples += piece.size
        num_texts += isinstance(piece.content, str)
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
def _lanes(encoder: Encoder, workers: int) -> Iterator[tuple[int, Lane]]:
    """How many batches are computed at a time, and what takes a batch."""
    if encoder.device != "cpu":
        with ThreadPoolExecutor(1) as model, ThreadPoolExecutor(workers) as mel:
            yield 1, lambda pieces: _on_device(encoder, pieces, model, mel)
        return
    cores = torch.get_num_threads()
    lanes = encoder.concurrency or min(cores, MAX_LANES)
    share = max(1, cores // lanes)
    pool = ThreadPoolExecutor(lanes, "lane", initializer=torch.set_num_threads, initargs=(share,))
    try:
        yield lanes, lambda pieces: pool.submit(_encode, encoder, pieces)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(cores)


def _encode(encoder: Encoder, pieces: list[Piece]) -> Vectors:
    contents: list[Any] = [piece.content for piece in pieces]
    if isinstance(contents[0], str):
        return encoder.encode_text(contents)
    return encoder.encode_prepared(encoder.prepare_audio(contents))


def _on_device(
    encoder: Encoder, pieces: list[Piece], model: ThreadPoolExecutor, mel: ThreadPoolExecutor
) -> "Future[Vectors]":
    contents: list[Any] = [piece.content for piece in pieces]
    if isinstance(contents[0], str):
        return model.submit(encoder.encode_text, contents)
    prepared = mel.submit(encoder.prepare_audio, contents)
    return model.submit(lambda: encoder.encode_prepared(prepared.result()))


def _nothing(*_: object) -> None:
    pass
