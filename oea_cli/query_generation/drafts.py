"""Queries in progress: the attempts for each task, and the result."""

from dataclasses import dataclass, field
from itertools import islice

from oea_cli.errors import Failure
from oea_cli.query_generation.grammar.candidates import Candidate
from oea_cli.query_generation.grammar.rules import SeenQueries, Violation, violations
from oea_cli.query_generation.grammar.writing import candidates
from oea_cli.query_generation.models.calls import Reply
from oea_cli.query_generation.models.prompts import Attempt
from oea_cli.query_generation.models.writers import WriterError
from oea_cli.query_generation.release_rows import release_row
from oea_cli.query_generation.tasks import Task
from oea_cli.records.rows import Record

MAX_CANDIDATES = 300
"""How many queries of the grammar are tried for one task."""
UNREADABLE = Attempt(
    "", [Violation("grammar", "no caption of the clip can be turned into a query")]
)


@dataclass(slots=True)
class Draft:
    """A task, its writer and the name of that one's model, the attempts so far, and the result."""

    task: Task
    writer: str
    model: str
    attempts: list[Attempt] = field(default_factory=list)
    accepted: str | None = None
    error: str | None = None

    @property
    def is_open(self) -> bool:
        """True where no query was accepted and its writer has not failed."""
        return self.accepted is None and self.error is None

    def write_by_grammar(self, seen: SeenQueries, seed: int) -> None:
        """Try the queries of the grammar until one is accepted."""
        texts = candidates(self.task.type, self.task.about, f"{seed}/{self.task.id}")
        for text in islice(texts, MAX_CANDIDATES):
            self.submit(text, seen)
            if self.accepted is not None:
                return
        if not self.attempts:
            self.attempts.append(UNREADABLE)

    def take_reply(self, reply: Reply, seen: SeenQueries) -> None:
        """Submit a model's answer, or store why there is none."""
        if isinstance(reply, WriterError):
            self.error = str(reply)
        else:
            self.submit(reply.text, seen)

    def submit(self, text: str, seen: SeenQueries) -> None:
        """Accept a query that keeps every rule and is new to the set, or store its violations."""
        found = violations(Candidate(text, self.task.type, self.task.about))
        if not found and (repeated := seen.add(text, self.task.id)):
            found = [repeated]
        if found:
            self.attempts.append(Attempt(text, found))
        else:
            self.accepted = text

    def failure(self, reason: str) -> Failure:
        """The failure of this task, with the place of its clip."""
        return Failure(self.task.clip.where, f"{self.task.id}: {reason}", self.task.id)

    def row(self) -> Record:
        """The accepted query as a row of the release."""
        assert self.accepted is not None
        return release_row(self.task, self.accepted, self.model)

    def reject(self) -> Record:
        """The last attempt, with every reason why it was rejected."""
        last = self.attempts[-1] if self.attempts else UNREADABLE
        pair = self.task.pair
        return {
            "audio_id": self.task.clip.id,
            "query_type": self.task.type,
            **({"hard_negative": pair.hard_negative} if pair else {}),
            "text": last.text,
            "reasons": [str(violation) for violation in last.violations],
            "attempts": len(self.attempts),
            "source_model": self.model,
        }


@dataclass(slots=True)
class Generated:
    """The results of all tasks, in their order; `stopped` is why some were not written.

    `num_reused` counts the answers that were stored already.
    """

    drafts: list[Draft]
    stopped: str | None = None
    num_reused: int = 0

    @property
    def rows(self) -> list[Record]:
        """The accepted queries, as rows of the release."""
        return [draft.row() for draft in self.drafts if draft.accepted is not None]

    @property
    def rejected(self) -> list[Draft]:
        """Those whose last attempt breaks a rule."""
        return [draft for draft in self.drafts if draft.is_open and draft.attempts]

    @property
    def failed(self) -> list[Draft]:
        """Those whose writer failed."""
        return [draft for draft in self.drafts if draft.error is not None]

    @property
    def not_written(self) -> list[Draft]:
        """Those without any attempt."""
        return [draft for draft in self.drafts if draft.is_open and not draft.attempts]
