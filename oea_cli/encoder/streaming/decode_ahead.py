"""Sounds decoded in background threads, handed out in input order, within a fixed memory.

Every input has a slot. Threads fill the slots from the front; the consumer empties them in order. A
thread that is far ahead waits when enough samples are waiting already, but the thread that fills
the slot the consumer is at never waits for that reason: so nothing can lock up, and a file of any
length passes through window by window.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from oea_cli.encoder.streaming.inputs import EncoderInput, Event
from oea_cli.errors import Failure
from oea_cli.records.rows import Record

INTERRUPTED_SECONDS = 2.0
Decode = Callable[[Record, int, float], Iterator[Event]]


@dataclass
class _Slot:
    """What one input has come to so far."""

    events: deque[Event] = field(default_factory=deque)
    finished: bool = False


class DecodeAhead:
    """A pool of decoding threads, started by the first sound; a context manager that stops it."""

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
        self._workers = workers
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "DecodeAhead":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        # They stop at the next window; a decoder that still ran while Python exits would crash it.
        # Only a person who interrupts does not wait for one that waits for a server.
        end = time.monotonic() + INTERRUPTED_SECONDS if kind is KeyboardInterrupt else None
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))

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
            slot.events.append(
                item if isinstance(item, Failure) else EncoderInput(item, item["text"])
            )
            slot.finished = True
            return slot
        if not self._threads:
            self._start()
        with self._changed:
            self._tasks.append((slot, item))
            self._changed.notify_all()
        return slot

    def _start(self) -> None:
        # Only here: texts are encoded without libsndfile, soxr or a thread.
        from oea_cli.encoder.streaming.decoding import decoded

        for _ in range(self._workers):
            thread = threading.Thread(target=self._work, args=(decoded,), daemon=True)
            self._threads.append(thread)
            thread.start()

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

    def _work(self, decode: Decode) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tasks or self._stopped)
                if self._stopped:
                    return
                slot, record = self._tasks.popleft()
            self._fill(slot, decode(record, self._sample_rate, self._max_seconds))

    def _fill(self, slot: _Slot, events: Iterator[Event]) -> None:
        try:
            for event in events:
                if not self._put(slot, event):
                    return
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


def _size(event: Event) -> int:
    return event.size if isinstance(event, EncoderInput) else 0
