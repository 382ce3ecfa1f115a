"""Calls models, several at a time, within a budget, without losing an answer."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from oea_cli.query_generation.models.answers import Answer, AnswerFile
from oea_cli.query_generation.models.writers import ModelWriter, WriterError, WriterStoppedError

BYTES_PER_TOKEN = 4
MIN_BYTES_PER_TOKEN = 3  # of English: a low estimate, so that the budget is kept
TOKENS_PER_QUERY = 25
MILLION = 1_000_000
MAX_FAILURES_IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model: its writer, the request, and the key of its answer; `older_key` is the
    one that earlier versions stored it under, who did not ask which server it came from.

    `place` is its number in the caller's list; `notes` are stored beside the answer for people.
    """

    place: int
    writer: ModelWriter
    request: dict[str, Any]
    key: str
    older_key: str
    notes: dict[str, str]

    @property
    def num_bytes(self) -> int:
        """The bytes of all messages."""
        return sum(len(message["content"].encode()) for message in self.request["messages"])


@dataclass(slots=True)
class Budget:
    """What calls cost, in the currency of the prices; None as `limit` for no limit.

    Prices are per million tokens. `spent` is what this run's answers cost.
    """

    price_in: float = 0.0
    price_out: float = 0.0
    limit: float | None = None
    spent: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    calls: int = 0
    _reserved: dict[str, float] = field(default_factory=dict)

    def cost(self, tokens_in: float, tokens_out: float) -> float:
        """The price of so many tokens."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / MILLION

    def reserve(self, call: ModelCall) -> bool:
        """Reserve the most that a call can cost; False where that would exceed the limit."""
        tokens_out = call.request.get("max_completion_tokens", 0)
        most = self.cost(call.num_bytes / MIN_BYTES_PER_TOKEN, tokens_out)
        if self.limit is not None:
            left = self.limit - self.spent - sum(self._reserved.values())
            if most > left:
                return False
        self._reserved[call.key] = most
        return True

    def settle(self, call: ModelCall, answer: Answer | None) -> None:
        """Replace the reserved amount by the cost of the call; a failed call costs nothing."""
        self._reserved.pop(call.key, None)
        if answer is None:
            return
        # Where a server does not count its tokens, they are estimated.
        tokens_in = answer.tokens_in or call.num_bytes // BYTES_PER_TOKEN
        tokens_out = answer.tokens_out or len(answer.text.encode()) // BYTES_PER_TOKEN + 1
        self.calls += 1
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out
        self.spent += self.cost(tokens_in, tokens_out)


Reply = Answer | WriterError
"""The result of a call."""


class ModelCaller:
    """Makes the calls of one round after the other; once stopped, it makes no more."""

    def __init__(
        self,
        answers: AnswerFile,
        budget: Budget,
        *,
        workers: int,
        on_wait: Callable[[int], None] = lambda waiting: None,
    ) -> None:
        """Keep answers in a file and calls within a budget, `workers` of them at a time.

        `on_wait` is called on an interruption, with the number of answers still under way.
        """
        self.stopped: str | None = None
        self._answers, self._budget, self._workers = answers, budget, workers
        self._max_failures, self._on_wait = max(MAX_FAILURES_IN_A_ROW, workers), on_wait
        self._failures_in_a_row = 0

    def run(self, calls: Sequence[ModelCall]) -> Iterator[tuple[ModelCall, Reply]]:
        """Yield the result of each call when it arrives; its answer is on disk by then.

        Calls left when it stops (see `stopped`) yield nothing. On an interruption it waits for the
        answers under way, because they are paid for; a second interruption does not wait.
        """
        waiting = list(reversed(calls))
        pool = _WorkerPool(self._answers, min(self._workers, len(waiting)))
        try:
            while (waiting and self.stopped is None) or pool.num_busy:
                if self._may_call_next(waiting, pool):
                    pool.submit(waiting.pop())
                elif pool.num_busy:
                    yield self._settled(*pool.next_outcome())
        except KeyboardInterrupt:
            if pool.num_busy:
                self._on_wait(pool.num_busy)
            raise
        finally:
            pool.finish()

    def _may_call_next(self, waiting: list[ModelCall], pool: "_WorkerPool") -> bool:
        if not waiting or self.stopped is not None or not pool.has_room_for(waiting[-1]):
            return False
        if self._budget.reserve(waiting[-1]):
            return True
        if not pool.num_busy:  # no call under way may turn out cheaper than reserved
            self.stopped = f"--max-cost {self._budget.limit:g} is reached"
        return False

    def _settled(self, call: ModelCall, outcome: object) -> tuple[ModelCall, Reply]:
        paid = outcome.paid if isinstance(outcome, WriterError) else outcome
        self._budget.settle(call, paid if isinstance(paid, Answer) else None)
        if isinstance(outcome, Answer):
            self._failures_in_a_row = 0
            return call, outcome
        if isinstance(outcome, WriterStoppedError):
            self._stop(str(outcome))
            return call, WriterError(str(outcome))
        if isinstance(outcome, WriterError):
            self._count_failure()
            return call, outcome
        assert isinstance(outcome, BaseException)
        raise outcome

    def _count_failure(self) -> None:
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._max_failures:
            self._stop(f"{self._failures_in_a_row} calls in a row failed")

    def _stop(self, reason: str) -> None:
        self.stopped = self.stopped or reason


class _WorkerPool:
    """Threads that make calls; they do not keep the program alive: a second Ctrl-C ends it."""

    def __init__(self, answers: AnswerFile, workers: int) -> None:
        self.num_busy = 0
        self._answers = answers
        self._calls: queue.SimpleQueue[ModelCall | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[tuple[ModelCall, object]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def has_room_for(self, call: ModelCall) -> bool:
        """True while fewer calls are under way than there are threads and its writer allows."""
        return self.num_busy < min(len(self._threads), call.writer.max_workers)

    def submit(self, call: ModelCall) -> None:
        """Have a thread make the call."""
        self.num_busy += 1
        self._calls.put(call)

    def next_outcome(self) -> tuple[ModelCall, object]:
        """Wait for the answer of a call, or the exception raised instead."""
        outcome = self._outcomes.get()
        self.num_busy -= 1
        return outcome

    def finish(self) -> None:
        """End the threads, and wait for the calls that are under way.

        `num_busy` is not used: an interruption may have come between a call and its count.
        """
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            self._outcomes.put((call, self._outcome(call)))

    def _outcome(self, call: ModelCall) -> object:
        try:
            answer = call.writer.answer(call.request)
            self._answers.add(call.key, answer, call.notes)
            return answer
        except BaseException as error:
            return error
