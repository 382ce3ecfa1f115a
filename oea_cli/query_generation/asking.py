"""Asking models, several questions at a time, within a budget, losing no answer."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from oea_cli.query_generation.answers import Answer, AnswerFile
from oea_cli.query_generation.writers import ModelWriter, WriterError, WriterStoppedError

BYTES_PER_TOKEN = 4
FEWEST_BYTES_PER_TOKEN = 3  # of English, to be on the safe side of a budget
TOKENS_OF_A_QUERY = 25
MILLION = 1_000_000


@dataclass(frozen=True)
class Question:
    """One call of a model: to whom, what, and the key that its answer is kept under."""

    place: int
    writer: ModelWriter
    request: dict[str, Any]
    key: str
    notes: dict[str, str]

    @property
    def num_bytes(self) -> int:
        """The bytes of all messages."""
        return sum(len(m["content"].encode()) for m in self.request["messages"])


@dataclass
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
    _held: dict[str, float] = field(default_factory=dict)

    def cost(self, tokens_in: float, tokens_out: float) -> float:
        """The price of so many tokens."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / MILLION

    def hold(self, question: Question) -> bool:
        """Set aside the most that a call can cost; False where that would exceed the limit."""
        tokens_out = question.request.get("max_completion_tokens", 0)
        most = self.cost(question.num_bytes / FEWEST_BYTES_PER_TOKEN, tokens_out)
        left = None if self.limit is None else self.limit - self.spent - sum(self._held.values())
        if left is not None and most > left:
            return False
        self._held[question.key] = most
        return True

    def settle(self, question: Question, answer: Answer | None) -> None:
        """Replace what was set aside by what the call took; a failed call counts as nothing."""
        self._held.pop(question.key, None)
        if answer is None:
            return
        # Where a server does not count its tokens, they are estimated.
        tokens_in = answer.tokens_in or question.num_bytes // BYTES_PER_TOKEN
        tokens_out = answer.tokens_out or len(answer.text.encode()) // BYTES_PER_TOKEN + 1
        self.calls += 1
        self.tokens_in += tokens_in
        self.tokens_out += tokens_out
        self.spent += self.cost(tokens_in, tokens_out)


Reply = Answer | WriterError
"""What comes of a question."""


class Asker:
    """Asks questions of one round after the other; once stopped, it asks no more."""

    def __init__(
        self,
        answers: AnswerFile,
        budget: Budget,
        *,
        workers: int,
        patience: int = 5,
        on_wait: Callable[[int], None] = lambda waiting: None,
    ) -> None:
        """`patience`: so many calls may fail in a row before no more are made; `on_wait` hears of
        an interruption, with how many answers are still under way.
        """
        self.stopped: str | None = None
        self._answers, self._budget, self._workers = answers, budget, workers
        self._patience, self._on_wait = max(patience, workers), on_wait
        self._failed_in_row = 0

    def ask(self, questions: Sequence[Question]) -> Iterator[tuple[Question, Reply]]:
        """Yield what comes of each question, as it comes; an answer is on disk by then.

        Questions left when it stops (see `stopped`) yield nothing. On an interruption it waits for
        the answers under way, because they are paid for; a second one does not wait.
        """
        waiting = list(reversed(questions))
        crew = _Crew(self._answers, min(self._workers, len(waiting)))
        try:
            while (waiting and self.stopped is None) or crew.num_busy:
                if self._may_ask_next(waiting, crew):
                    crew.give(waiting.pop())
                    continue
                if crew.num_busy:
                    yield self._settled(*crew.take())
        except KeyboardInterrupt:
            if crew.num_busy:
                self._on_wait(crew.num_busy)
            raise
        finally:
            crew.finish()

    def _may_ask_next(self, waiting: list[Question], crew: "_Crew") -> bool:
        if not waiting or self.stopped is not None or crew.num_busy >= crew.size(waiting[-1]):
            return False
        if self._budget.hold(waiting[-1]):
            return True
        if not crew.num_busy:  # nothing under way that could turn out cheaper than feared
            self.stopped = f"--max-cost {self._budget.limit:g} is reached"
        return False

    def _settled(self, question: Question, outcome: object) -> tuple[Question, Reply]:
        if isinstance(outcome, Answer):
            self._budget.settle(question, outcome)
            self._failed_in_row = 0
            return question, outcome
        self._budget.settle(question, None)
        if isinstance(outcome, WriterStoppedError):
            self.stopped = self.stopped or str(outcome)
            return question, WriterError(str(outcome))
        if not isinstance(outcome, WriterError):
            assert isinstance(outcome, BaseException)
            raise outcome
        self._failed_in_row += 1
        if self._failed_in_row >= self._patience:
            self.stopped = self.stopped or f"{self._failed_in_row} calls in a row failed"
        return question, outcome


class _Crew:
    """Threads that ask; they do not keep the program alive, so that a second Ctrl-C ends it."""

    def __init__(self, answers: AnswerFile, workers: int) -> None:
        self.num_busy = 0
        self._answers = answers
        self._questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[tuple[Question, object]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def size(self, question: Question) -> int:
        """How many questions may be under way while this one is."""
        return min(len(self._threads), question.writer.max_workers)

    def give(self, question: Question) -> None:
        self.num_busy += 1
        self._questions.put(question)

    def take(self) -> tuple[Question, object]:
        outcome = self._outcomes.get()
        self.num_busy -= 1
        return outcome

    def finish(self) -> None:
        """Send the threads home, and wait for what they are still at.

        `num_busy` is not asked: an interruption may have come between a question and its count.
        """
        for _ in self._threads:
            self._questions.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (question := self._questions.get()) is not None:
            self._outcomes.put((question, self._outcome(question)))

    def _outcome(self, question: Question) -> object:
        try:
            answer = question.writer.answer(question.request)
            self._answers.add(question.key, answer, question.notes)
            return answer
        except BaseException as error:
            return error
