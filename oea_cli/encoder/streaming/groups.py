"""Groups: bounded stretches of the input, cut into batches that are encoded in any order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.runtime import runtime_of
from oea_cli.encoder.streaming.batch_plan import BatchPlan, num_lanes, num_tokens, plan_batches
from oea_cli.encoder.streaming.inputs import EncoderInput, Notice, encode_batch
from oea_cli.encoder.streaming.memory_fit import Encoded, MemoryFit
from oea_cli.errors import Failure
from oea_cli.records.rows import Record

if TYPE_CHECKING:
    from concurrent.futures import Future

    from oea_cli.encoder.streaming.lanes import Lanes

GROUPS_IN_FLIGHT = 3

NOT_FINITE = "the encoder gives no finite vector for it"
TOO_LARGE = "does not fit into memory, even alone"


@dataclass(frozen=True, slots=True)
class EncodedGroup:
    """Inputs in their order and their vectors (n, dim); `problems` has the rows without one."""

    inputs: list[EncoderInput]
    vectors: np.ndarray
    problems: dict[int, str]


class GroupEncoder:
    """Encodes inputs group by group; a context manager that ends the threads it has opened."""

    def __init__(self, encoder: Encoder, batch_size: int | None, workers: int) -> None:
        runtime = runtime_of(encoder)
        self.plan = plan_batches(encoder.device, batch_size, num_lanes(encoder, runtime))
        self._encoder, self._workers = encoder, workers
        self._fit = MemoryFit(encoder, runtime)
        self._opened = ExitStack()
        self._lanes: Lanes | None = None

    def __enter__(self) -> "GroupEncoder":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def max_samples(self) -> int:
        """Of one group."""
        return int(self.plan.group_seconds * self._encoder.sample_rate)

    def groups(
        self, inputs: Iterable[EncoderInput], notice: Callable[[Notice], object]
    ) -> Iterator[EncodedGroup]:
        """The groups in the order of the inputs, some of them on their way at a time."""
        remaining = iter(inputs)
        first = list(islice(remaining, 2))
        if len(first) == 1:
            yield self._alone(first)
            return
        pending: deque[_Pending] = deque()
        inputs = chain(first, remaining)
        given: EncoderInput | None = None
        try:
            for group in _groups(inputs, self.plan, self._encoder.sample_rate, self.max_samples):
                pending.append(self._begun(group))
                if len(pending) >= GROUPS_IN_FLIGHT:
                    finished = self._finished(pending[0], notice)
                    given = pending.popleft().inputs[-1]
                    yield finished
            while pending:
                finished = self._finished(pending[0], notice)
                given = pending.popleft().inputs[-1]
                yield finished
        except KeyboardInterrupt:  # what is done is not lost
            if (saved := _saved(pending, given)) is not None:
                yield saved
            raise

    def _alone(self, inputs: list[EncoderInput]) -> EncodedGroup:
        """A single query, encoded here and now: no thread starts, and every core serves it."""
        encoded = self._fit.encode(inputs, partial(encode_batch, self._encoder))
        return _assembled(inputs, [([0], encoded)])

    def _begun(self, inputs: list[EncoderInput]) -> "_Pending":
        batches = self.plan.batches(inputs, self._encoder.sample_rate, self._fit.tokens)
        return _Pending(inputs, [(rows, self._submit(inputs, rows)) for rows in batches])

    def _submit(self, inputs: list[EncoderInput], rows: list[int]) -> "Future[Encoded]":
        if self._lanes is None:
            from oea_cli.encoder.streaming.lanes import Lanes

            self._lanes = self._opened.enter_context(Lanes(self._encoder, self._workers, self._fit))
        return self._lanes.submit([inputs[row] for row in rows])

    def _finished(self, group: "_Pending", notice: Callable[[Notice], object]) -> EncodedGroup:
        finished = group.finished()
        if message := self._fit.take_notice():
            notice(message)
        return finished


@dataclass(frozen=True, slots=True)
class _Pending:
    """A group whose batches, each of some of its rows, are on their way."""

    inputs: list[EncoderInput]
    batches: "list[tuple[list[int], Future[Encoded]]]"

    def finished(self) -> EncodedGroup:
        """The rows in input order, once all of them are there; raises what the encoder raised."""
        return _assembled(self.inputs, [(rows, batch.result()) for rows, batch in self.batches])

    def done(self) -> Iterator[tuple[EncoderInput, np.ndarray | None]]:
        """Every input with its vector (dim,); None where it is not there yet, or never will be."""
        vectors: dict[int, np.ndarray] = {}
        for rows, batch in self.batches:
            if batch.done() and not batch.cancelled() and batch.exception() is None:
                found = batch.result().vectors
                good = np.isfinite(found).all(axis=1)
                vectors |= {row: found[n] for n, row in enumerate(rows) if good[n]}
        return ((item, vectors.get(row)) for row, item in enumerate(self.inputs))


def _assembled(inputs: list[EncoderInput], parts: list[tuple[list[int], Encoded]]) -> EncodedGroup:
    vectors = np.empty((len(inputs), parts[0][1].vectors.shape[1]), np.float32)
    too_large: set[int] = set()
    for rows, part in parts:
        vectors[rows] = part.vectors
        too_large.update(rows[row] for row in part.too_large)
    missing = np.flatnonzero(~np.isfinite(vectors).all(axis=1)).tolist()
    problems = {row: TOO_LARGE if row in too_large else NOT_FINITE for row in missing}
    return EncodedGroup(inputs, vectors, problems)


def _saved(pending: Iterable[_Pending], given: EncoderInput | None) -> EncodedGroup | None:
    """What is done of the groups on their way; of a long clip all windows or none.

    `given` is the last input of the groups before. Whoever stores the rows takes a long clip for
    whole when another one follows: so nothing may follow one of which a window is missing.
    """
    items = [item for group in pending for item in group.done()]
    if not items:
        return None
    cut = {id(item.clip) for item, vector in items if vector is None and item.clip is not None}
    cut |= {id(items[-1][0].clip)} - {id(None)}  # its next windows may not have been submitted
    if given is not None and id(given.clip) in cut:
        return None
    kept = [(i, v) for i, v in items if v is not None and id(i.clip) not in cut]
    if not kept:
        return None
    return EncodedGroup([item for item, _ in kept], np.stack([vector for _, vector in kept]), {})


def _groups(
    inputs: Iterable[EncoderInput], plan: BatchPlan, sample_rate: int, max_samples: int
) -> Iterator[list[EncoderInput]]:
    """Stretches of the input; where one ends depends on the input alone, never on timing."""
    group: list[EncoderInput] = []
    samples, tokens = 0, 0.0
    for item in inputs:
        full = plan.is_full(len(group), tokens)
        if group and (full or samples + item.size > max_samples):
            yield group
            group, samples, tokens = [], 0, 0.0
        group.append(item)
        samples += item.size
        tokens += num_tokens(item, sample_rate)
    if group:
        yield group


def failure_of(record: Record, problem: str) -> Failure:
    """An input that was decoded and has no vector."""
    return Failure(str(record.get("path") or record["id"]), problem, record["id"])
