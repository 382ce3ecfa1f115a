"""Sounds decoded in background threads, handed out in input order, within a fixed memory.

Every input has a slot. Threads fill the slots from the front; the consumer empties them in order. A
thread that is far ahead waits when enough samples are waiting already, but the thread that fills
the slot the consumer is at never waits for that reason: so nothing can lock up, and a file of any
length passes through window by window.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from oea_cli.audio.sources import AudioError
from oea_cli.audio.windows import Window, read_windows
from oea_cli.errors import Failure
from oea_cli.records.ids import window_id

Record = dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """One row in the making: its record, and a text or (n,) mono float32 samples."""

    record: Record
    content: str | np.ndarray

    @property
    def size(self) -> int:
        """Samples; 0 for a text."""
        return 0 if isinstance(self.content, str) else len(self.content)


@dataclass(frozen=True)
class Remark:
    """What a user should know about an input that is used all the same."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


Event = Piece | Remark | Failure


@dataclass
class _Slot:
    """What one input has come to so far."""

    events: deque[Event] = field(default_factory=deque)
    finished: bool = False


class DecodeAhead:
    """A pool of decoding threads. Iterate over `pieces`; a context manager that stops the pool."""

    def __init__(
        self, sample_rate: int, max_seconds: float, *, workers: int, max_samples: int
    ) -> None:
        self._sample_rate, self._max_seconds = sample_rate, max_seconds
        self._max_samples = max_samples
        self._changed = threading.Condition()
        self._waiting_samples = 0
        self._tasks: deque[tuple[_Slot, Record]] = deque()
        self._current: _Slot | None = None
        self._stopped = False
        self._threads = [threading.Thread(target=self._work) for _ in range(workers)]

    def __enter__(self) -> "DecodeAhead":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        # They stop at the next window; a decoder that still ran while Python exits would crash it.
        for thread in self._threads:
            thread.join()

    def events(
        self, inputs: Iterable[Record | Failure], ahead: int, advance: Callable[[], object]
    ) -> Iterator[Event]:
        """Yield what the inputs come to, in their order, with up to `ahead` inputs open.

        A Failure among the inputs is passed on in its turn. `advance` is called for every input
        that is through.
        """
        remaining = iter(inputs)
        slots: deque[_Slot] = deque()
        while True:
            slots.extend(map(self._open_slot, islice(remaining, ahead - len(slots))))
            if not slots:
                return
            yield from self._drained(slots[0])
            slots.popleft()
            advance()

    def _open_slot(self, item: Record | Failure) -> _Slot:
        slot = _Slot()
        if isinstance(item, Failure) or "path" not in item:
            slot.events.append(item if isinstance(item, Failure) else Piece(item, item["text"]))
            slot.finished = True
            return slot
        with self._changed:
            self._tasks.append((slot, item))
            self._changed.notify_all()
        return slot

    def _drained(self, slot: _Slot) -> Iterator[Event]:
        with self._changed:
            self._current = slot
            self._changed.notify_all()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: slot.events or slot.finished)
                events = list(slot.events)
                slot.events.clear()
                finished = slot.finished
                self._waiting_samples -= sum(map(_size, events))
                self._changed.notify_all()
            yield from events
            if finished:
                return

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tasks or self._stopped)
                if self._stopped:
                    return
                slot, record = self._tasks.popleft()
            self._fill(slot, record)

    def _fill(self, slot: _Slot, record: Record) -> None:
        where = str(record["path"])
        try:
            for event in decoded(record, self._sample_rate, self._max_seconds):
                if not self._put(slot, event):
                    return
        except AudioError as error:
            self._put(slot, Failure(where, str(error), record["id"]))
        except Exception as error:  # one odd file must not end the run
            problem = f"cannot be decoded ({type(error).__name__}: {error})"
            self._put(slot, Failure(where, problem, record["id"]))
        finally:
            with self._changed:
                slot.finished = True
                self._changed.notify_all()

    def _put(self, slot: _Slot, event: Event) -> bool:
        """Hand over one event, once there is room; False when the pool has been stopped."""
        size = _size(event)

        def has_room() -> bool:
            roomy = self._waiting_samples + size <= self._max_samples
            # The consumer waits for this slot: one event at a time passes whatever else waits.
            return self._stopped or roomy or (slot is self._current and not slot.events)

        with self._changed:
            self._changed.wait_for(has_room)
            slot.events.append(event)
            self._waiting_samples += size
            self._changed.notify_all()
            return not self._stopped


def decoded(record: Record, sample_rate: int, max_seconds: float) -> Iterator[Event]:
    """Pieces of one sound. Several windows get ids of their own; a single one keeps the record's.

    Raises AudioError, also after some pieces.
    """
    remarks: list[str] = []
    windows = read_windows(
        record["path"],
        sample_rate,
        max_seconds,
        start=record.get("start"),
        end=record.get("end"),
        notice=remarks.append,
    )
    # Whether the first window is the only one is known when the second comes.
    first = next(windows)
    second = next(windows, None)
    if second is None:
        yield Piece(_whole(record, first), first.samples)
    else:
        yield Piece(_part(record, first), first.samples)
        yield Piece(_part(record, second), second.samples)
        for window in windows:
            yield Piece(_part(record, window), window.samples)
    yield from (Remark(record["path"], text) for text in remarks)


def _whole(record: Record, window: Window) -> Record:
    return {**record, "duration": record.get("duration", round(window.end - window.start, 3))}


def _part(record: Record, window: Window) -> Record:
    start, end = round(window.start, 3), round(window.end, 3)
    duration = record.get("duration", round(end - start, 3))
    own_id = window_id(record["id"], start, end)
    return {**record, "id": own_id, "start": start, "end": end, "duration": duration}


def _size(event: Event) -> int:
    return event.size if isinstance(event, Piece) else 0
