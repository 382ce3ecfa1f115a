"""From tasks to queries: written, checked, asked for again with the reason, or set aside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from oea_cli.query_generation.answers import Answer, AnswerFile, key_of
from oea_cli.query_generation.asking import (
    BYTES_PER_TOKEN,
    TOKENS_OF_A_QUERY,
    Asker,
    Budget,
    Question,
)
from oea_cli.query_generation.grammar import candidates
from oea_cli.query_generation.prompts import Attempt, messages_for
from oea_cli.query_generation.release_rows import release_row
from oea_cli.query_generation.rules import Query, Seen, Violation, violations
from oea_cli.query_generation.tasks import Task
from oea_cli.query_generation.writers import RULES_NAME, Dealer, ModelWriter, WriterError
from oea_cli.records.rows import Record

MAX_CANDIDATES = 300
"""So many queries of the grammar are tried for one task."""
UNREADABLE = Violation("grammar", "no caption of the clip can be turned into a query")


@dataclass
class Draft:
    """A task on its way: what was handed in so far, and how it ended."""

    task: Task
    writer: str
    attempts: list[Attempt] = field(default_factory=list)
    accepted: str | None = None
    error: str | None = None

    @property
    def is_open(self) -> bool:
        return self.accepted is None and self.error is None

    def row(self) -> Record:
        """The accepted query as a row of the release."""
        assert self.accepted is not None
        return release_row(self.task, self.accepted, self.writer)

    def reject(self) -> Record:
        """What was handed in last, and every reason why it was not taken."""
        last = self.attempts[-1] if self.attempts else Attempt("", [UNREADABLE])
        pair = self.task.pair
        return {
            "audio_id": self.task.clip.id,
            "query_type": self.task.type,
            **({"hard_negative": pair.hard_negative} if pair else {}),
            "text": last.text,
            "reasons": [str(violation) for violation in last.violations],
            "attempts": len(self.attempts),
            "source_model": self.writer,
        }


@dataclass
class Generated:
    """What has come of all tasks, in their order; `stopped` says why some were not asked."""

    drafts: list[Draft]
    stopped: str | None
    num_remembered: int

    @property
    def rows(self) -> list[Record]:
        """The accepted queries."""
        return [draft.row() for draft in self.drafts if draft.accepted is not None]

    @property
    def rejected(self) -> list[Draft]:
        """Those that break a rule to the last."""
        return [draft for draft in self.drafts if draft.is_open and draft.attempts]

    @property
    def failed(self) -> list[Draft]:
        """Those whose writer failed."""
        return [draft for draft in self.drafts if draft.error is not None]

    @property
    def not_asked(self) -> list[Draft]:
        """Those that nobody was asked for."""
        return [draft for draft in self.drafts if draft.is_open and not draft.attempts]


@dataclass
class Generator:
    """Everything that writing queries takes; `ask_again` is how often a model gets another try."""

    dealer: Dealer
    writers: Mapping[str, ModelWriter]
    answers: AnswerFile | None
    budget: Budget
    asker: Asker | None
    seed: int
    ask_again: int = 2
    advance: Callable[[], None] = lambda: None
    num_remembered: int = 0

    def run(self, tasks: Sequence[Task]) -> Generated:
        """Write all queries.

        Models are asked in rounds: a round's answers are judged in the order of the tasks, so that
        which of two equal queries is kept does not depend on which answer came first.
        """
        drafts = [Draft(task, self.dealer.writer_of(task)) for task in tasks]
        seen = Seen()
        for number in range(1 + self.ask_again):
            replies = self._replies([draft for draft in drafts if self._is_for_model(draft)])
            for draft in drafts:
                if draft.writer == RULES_NAME and number == 0:
                    _write_by_grammar(draft, seen, self.seed)
                    self.advance()
                elif draft.is_open and (reply := replies.get(draft.task.id)) is not None:
                    _judge(draft, reply, seen)
        return Generated(drafts, self.asker.stopped if self.asker else None, self.num_remembered)

    def estimate(self, tasks: Sequence[Task]) -> dict[str, Any]:
        """What a run would ask now: queries, calls, answers at hand, tokens, cost (no repeats)."""
        drafts = [Draft(task, self.dealer.writer_of(task)) for task in tasks]
        questions = [self._question(n, d) for n, d in enumerate(drafts) if self._is_for_model(d)]
        new = [question for question in questions if not self._remembered(question)]
        tokens_in = sum(question.num_bytes for question in new) // BYTES_PER_TOKEN
        tokens_out = len(new) * TOKENS_OF_A_QUERY
        return {
            "queries": len(tasks),
            "calls": len(new),
            "answers_at_hand": len(questions) - len(new),
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "cost": round(self.budget.cost(tokens_in, tokens_out), 6),
        }

    def _is_for_model(self, draft: Draft) -> bool:
        return draft.writer != RULES_NAME and draft.is_open

    def _replies(self, drafts: Sequence[Draft]) -> dict[str, Answer | WriterError]:
        """The answers of one round, by task: those at hand, then those that have to be asked."""
        found: dict[str, Answer | WriterError] = {}
        new = []
        for place, draft in enumerate(drafts):
            question = self._question(place, draft)
            if answer := self._remembered(question):
                found[draft.task.id] = answer
                self.num_remembered += 1
                self._advance_for(draft)
            else:
                new.append(question)
        if new and self.asker is not None and self.answers is not None:
            self.answers.prepare()
            for question, reply in self.asker.ask(new):
                found[drafts[question.place].task.id] = reply
                self._advance_for(drafts[question.place])
        return found

    def _advance_for(self, draft: Draft) -> None:
        if not draft.attempts:
            self.advance()

    def _remembered(self, question: Question) -> Answer | None:
        return self.answers.find(question.key) if self.answers is not None else None

    def _question(self, place: int, draft: Draft) -> Question:
        writer, task = self.writers[draft.writer], draft.task
        request = writer.request(messages_for(task, draft.attempts))
        notes = {"row": task.id, "type": task.type, "model": writer.name}
        return Question(place, writer, request, key_of(task.id, task.type, request), notes)


def _judge(draft: Draft, reply: Answer | WriterError, seen: Seen) -> None:
    if isinstance(reply, WriterError):
        draft.error = str(reply)
        return
    _hand_in(draft, reply.text, seen)


def _write_by_grammar(draft: Draft, seen: Seen, seed: int) -> None:
    task = draft.task
    for text in islice(candidates(task.type, task.about, f"{seed}/{task.id}"), MAX_CANDIDATES):
        _hand_in(draft, text, seen)
        if draft.accepted is not None:
            return
    if not draft.attempts:
        draft.attempts.append(Attempt("", [UNREADABLE]))


def _hand_in(draft: Draft, text: str, seen: Seen) -> None:
    """Accept a query that keeps every rule and is new to the set, or note what is wrong."""
    found = violations(Query(text, draft.task.type, draft.task.about))
    if not found and (repeated := seen.add(text, draft.task.id)):
        found = [repeated]
    if found:
        draft.attempts.append(Attempt(text, found))
    else:
        draft.accepted = text
