"""Queries on their way: what was handed in for each task, and how it ended."""

from dataclasses import dataclass, field
from itertools import islice

from oea_cli.errors import Failure
from oea_cli.query_generation.grammar.candidates import Candidate
from oea_cli.query_generation.grammar.rules import SeenQueries, Violation, violations
from oea_cli.query_generation.grammar.writing import candidates
from oea_cli.query_generation.models.asking import Reply
from oea_cli.query_generation.models.prompts import Attempt
from oea_cli.query_generation.models.writers import WriterError
from oea_cli.query_generation.release_rows import release_row
from oea_cli.query_generation.tasks import Task
from oea_cli.records.rows import Record

MAX_CANDIDATES = 300
"""So many queries of the grammar are tried for one task."""
UNREADABLE = Attempt(
    "", [Violation("grammar", "no caption of the clip can be turned into a query")]
)


@dataclass(slots=True)
class Draft:
    """A task, the name of its writer, what was handed in so far, and how it ended."""

    task: Task
    writer: str
    attempts: list[Attempt] = field(default_factory=list)
    accepted: str | None = None
    error: str | None = None

    @property
    def is_open(self) -> bool:
        """True where no query was accepted and its writer has not failed."""
        return self.accepted is None and self.error is None

    def write_by_grammar(self, seen: SeenQueries, seed: int) -> None:
        """Hand in what the grammar writes until something is accepted."""
        texts = candidates(self.task.type, self.task.about, f"{seed}/{self.task.id}")
        for text in islice(texts, MAX_CANDIDATES):
            self.hand_in(text, seen)
            if self.accepted is not None:
                return
        if not self.attempts:
            self.attempts.append(UNREADABLE)

    def take_reply(self, reply: Reply, seen: SeenQueries) -> None:
        """Hand in a model's answer, or note why there is none."""
        if isinstance(reply, WriterError):
            self.error = str(reply)
        else:
            self.hand_in(reply.text, seen)

    def hand_in(self, text: str, seen: SeenQueries) -> None:
        """Accept a query that keeps every rule and is new to the set, or note what is wrong."""
        found = violations(Candidate(text, self.task.type, self.task.about))
        if not found and (repeated := seen.add(text, self.task.id)):
            found = [repeated]
        if found:
            self.attempts.append(Attempt(text, found))
        else:
            self.accepted = text

    def failure(self, reason: str) -> Failure:
        """That there is no query, with where its clip stands."""
        return Failure(self.task.clip.where, f"{self.task.id}: {reason}", self.task.id)

    def row(self) -> Record:
        """The accepted query as a row of the release."""
        assert self.accepted is not None
        return release_row(self.task, self.accepted, self.writer)

    def reject(self) -> Record:
        """What was handed in last, and every reason why it was not taken."""
        last = self.attempts[-1] if self.attempts else UNREADABLE
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


@dataclass(slots=True)
class Generated:
    """What has come of all tasks, in their order; `stopped` says why some were not asked.

    `num_remembered` counts the answers that did not have to be asked for.
    """

    drafts: list[Draft]
    stopped: str | None = None
    num_remembered: int = 0

    @property
    def rows(self) -> list[Record]:
        """The accepted queries, as rows of the release."""
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
