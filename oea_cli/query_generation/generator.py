"""From tasks to queries: written, checked, requested again with the reason, or set aside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from oea_cli.query_generation.drafts import Draft, Generated
from oea_cli.query_generation.grammar.rules import SeenQueries
from oea_cli.query_generation.models.answers import Answer, AnswerFile, key_of
from oea_cli.query_generation.models.calls import (
    BYTES_PER_TOKEN,
    TOKENS_PER_QUERY,
    Budget,
    ModelCall,
    ModelCaller,
    Reply,
)
from oea_cli.query_generation.models.prompts import messages_for
from oea_cli.query_generation.models.writers import (
    RULES_NAME,
    ModelWriter,
    WriterAssignment,
    plain_text,
)
from oea_cli.query_generation.tasks import Task


@dataclass(frozen=True, slots=True)
class Generator:
    """All that is needed to write queries.

    `writers` are the models by name, `answers` their answers (None without models), `workers` is
    how many calls are made at a time, `ask_again` how often a model gets another try.
    """

    assignment: WriterAssignment
    writers: Mapping[str, ModelWriter]
    answers: AnswerFile | None
    budget: Budget
    workers: int
    ask_again: int

    def run(
        self,
        tasks: Sequence[Task],
        *,
        advance: Callable[[], None] = lambda: None,
        on_wait: Callable[[int], None] = lambda waiting: None,
    ) -> Generated:
        """Write all queries. `advance` is called for each task, `on_wait` on an interruption with
        the number of answers that are waited for.

        Models are called in rounds: a round's answers are checked in the order of the tasks, so
        that which of two equal queries is kept does not depend on which answer came first.
        """
        generated = Generated(self._drafts(tasks))
        caller = None
        if self.answers is not None:
            caller = ModelCaller(self.answers, self.budget, workers=self.workers, on_wait=on_wait)
        seen = SeenQueries()
        for number in range(1 + self.ask_again):
            replies = self._replies(generated, caller, advance)
            for draft in generated.drafts:
                if draft.writer == RULES_NAME and number == 0:
                    draft.write_by_grammar(seen, self.assignment.seed)
                    advance()
                elif draft.is_open and draft.task.id in replies:
                    draft.take_reply(replies[draft.task.id], seen)
        generated.stopped = caller.stopped if caller else None
        return generated

    def estimate(self, tasks: Sequence[Task]) -> dict[str, Any]:
        """What a run would take now: queries, calls, stored answers, tokens, cost (no repeats)."""
        calls = self._calls(_for_models(self._drafts(tasks)))
        new = [call for call in calls if not self._stored_answer(call)]
        tokens_in = sum(call.num_bytes for call in new) // BYTES_PER_TOKEN
        tokens_out = len(new) * TOKENS_PER_QUERY
        return {
            "queries": len(tasks),
            "calls": len(new),
            "answers_at_hand": len(calls) - len(new),
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "cost": round(self.budget.cost(tokens_in, tokens_out), 6),
        }

    def _drafts(self, tasks: Sequence[Task]) -> list[Draft]:
        drafts = []
        for task in tasks:
            name = self.assignment.writer_of(task)
            model = self.writers[name].name if name in self.writers else name
            drafts.append(Draft(task, name, model))
        return drafts

    def _replies(
        self, generated: Generated, caller: ModelCaller | None, advance: Callable[[], None]
    ) -> dict[str, Reply]:
        """The answers of one round, by task: the stored ones, then those of new calls."""
        drafts = _for_models(generated.drafts)
        found: dict[str, Reply] = {}

        def take(call: ModelCall, reply: Reply) -> None:
            draft = drafts[call.place]
            found[draft.task.id] = reply
            if not draft.attempts:
                advance()

        new = []
        for call in self._calls(drafts):
            if answer := self._stored_answer(call):
                generated.num_reused += 1
                take(call, answer)
            else:
                new.append(call)
        if new and caller is not None and self.answers is not None:
            self.answers.prepare()
            for call, reply in caller.run(new):
                take(call, reply)
        return found

    def _stored_answer(self, call: ModelCall) -> Answer | None:
        """The answer at hand; an earlier version may have stored one with its thoughts."""
        if self.answers is None:
            return None
        stored = self.answers.find(call.key) or self.answers.find(call.older_key)
        text = plain_text(stored.text) if stored else ""
        return replace(stored, text=text) if stored and text else None

    def _calls(self, drafts: Sequence[Draft]) -> list[ModelCall]:
        return [self._call(place, draft) for place, draft in enumerate(drafts)]

    def _call(self, place: int, draft: Draft) -> ModelCall:
        writer, task = self.writers[draft.writer], draft.task
        request = writer.request(messages_for(task, draft.attempts))
        notes = {"row": task.id, "type": task.type, "model": writer.name}
        if writer.server:
            notes["server"] = writer.server
        older = key_of(task.id, task.type, request)
        key = key_of(task.id, task.type, request, writer.server)
        return ModelCall(place, writer, request, key, older, notes)


def _for_models(drafts: Sequence[Draft]) -> list[Draft]:
    """The drafts that a model has to write, or to write again."""
    return [draft for draft in drafts if draft.writer != RULES_NAME and draft.is_open]
