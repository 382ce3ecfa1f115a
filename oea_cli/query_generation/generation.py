"""Generates queries for files of clips: reads the clips, writes queries by rules or models, and
saves them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oea_cli.clips.clip import Clip, read_clips
from oea_cli.clips.pairs import HardNegativePair, read_pairs
from oea_cli.clips.query_types import NEGATIVE, types_named
from oea_cli.errors import OeaError, PartialError, Report, UsageError, counted
from oea_cli.query_generation.drafts import Generated
from oea_cli.query_generation.generator import Generator
from oea_cli.query_generation.models.answers import AnswerFile
from oea_cli.query_generation.models.opening import CallOptions, WriterNames, open_writers
from oea_cli.query_generation.models.writers import WriterAssignment
from oea_cli.query_generation.output import write_rows
from oea_cli.query_generation.tasks import Task, tasks_of
from oea_cli.records.tables import lone_headers

Notice = Callable[[str], None]
SET_ASIDE = ".before"
"""What follows the name of an older output where there is no new one."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Which queries are written for which clips, and by which writers.

    `types` are query types (all where there are none), `dataset` replaces the records' own in
    the rows, `limit` bounds the clips. `answers` is the file of the models' answers.
    """

    answers: Path
    types: Sequence[str] = ()
    dataset: str | None = None
    limit: int | None = None
    writers: WriterNames = field(default_factory=WriterNames)
    calls: CallOptions = field(default_factory=CallOptions)
    seed: int = 0
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """The tasks and the generator for them: can be estimated and run."""

    tasks: Sequence[Task]
    generator: Generator

    def estimate(self) -> dict[str, Any]:
        """What `run` would take now: queries, calls, stored answers, tokens, cost (no repeats)."""
        return self.generator.estimate(self.tasks)

    def run(self, *, advance: Callable[[], None], on_wait: Callable[[int], None]) -> Generated:
        """Write all queries; answers are on disk whatever happens. See `Generator.run`."""
        for writer in self.generator.writers.values():
            writer.open()
        try:
            return self.generator.run(self.tasks, advance=advance, on_wait=on_wait)
        finally:
            if self.generator.answers is not None:
                self.generator.answers.close()

    def summary(self, generated: Generated) -> str:
        """The result in one line."""
        budget = self.generator.budget
        parts = [counted(len(generated.rows), "query")]
        if generated.rejected:
            parts.append(f"{len(generated.rejected)} set aside")
        if budget.calls or generated.num_reused:
            requested = counted(budget.calls, "answer")
            parts.append(f"{requested} requested, {generated.num_reused} reused")
            parts.append(f"{budget.tokens_in} tokens in, {budget.tokens_out} out")
        if budget.spent:
            parts.append(f"cost {budget.spent:.4f}")
        return "; ".join(parts)

    def raise_if_none(self, generated: Generated, output: str) -> None:
        """Raise OeaError where there were queries to write and none is left."""
        if generated.rows or not generated.drafts or generated.stopped is not None:
            return
        aside = Path(f"{output}{SET_ASIDE}")
        kept = f"; the {output} of an earlier run is now {aside}" if aside.is_file() else ""
        raise OeaError(f"none of {len(generated.drafts)} queries was accepted{kept}")

    def raise_if_stopped(self, generated: Generated) -> None:
        """Raise where queries were not written: PartialError with some rows, OeaError with none."""
        if generated.stopped is None or not generated.not_written:
            return
        answers = self.generator.answers
        kept = f"; the answers so far are in {answers.path}" if answers is not None else ""
        text = (
            f"stopped: {generated.stopped}; {len(generated.not_written)} of "
            f"{len(generated.drafts)} queries were not written{kept}"
        )
        raise PartialError(text) if generated.rows else OeaError(text)


def prepare_generation(
    inputs: Sequence[str],
    hard_negatives: str | None,
    options: GenerationOptions,
    *,
    report: Report,
    notice: Notice,
) -> Generation:
    """Read clips and pairs and open the writers; no model is called yet.

    Inputs are what `read_clips` takes, `hard_negatives` a file of pairs, either may be "-". Clips
    without captions go to `report`, other messages to `notice`. Raises UsageError for options that
    contradict each other, OeaError for what cannot be read and where no clip is left.
    """
    tasks = _tasks(inputs, hard_negatives, options, report, notice)
    if not tasks and not options.allow_empty:
        places = "stdin" if list(inputs) == ["-"] else ", ".join(inputs)
        nothing = f"no clips with captions in {places}{lone_headers(inputs)}"
        raise OeaError(f"{nothing}; --allow-empty permits that")
    shares, writers = open_writers(options.writers, options.calls, options.seed)
    generator = Generator(
        assignment=WriterAssignment(shares, options.seed),
        writers=writers,
        budget=options.calls.budget(),
        answers=AnswerFile(options.answers) if writers else None,
        workers=options.calls.workers,
        ask_again=options.calls.ask_again,
    )
    return Generation(tasks, generator)


def _tasks(
    inputs: Sequence[str],
    hard_negatives: str | None,
    options: GenerationOptions,
    report: Report,
    notice: Notice,
) -> list[Task]:
    types = types_named(options.types)
    if [*inputs, hard_negatives].count("-") > 1:
        raise UsageError(
            "stdin can be read only once; use it for the clips or for --hard-negatives"
        )
    pairs = read_pairs(hard_negatives) if hard_negatives is not None else []
    if hard_negatives is not None and not pairs:
        raise OeaError(
            f"{hard_negatives}: no hard-negative pairs in it; mine some, or leave it out"
        )
    clips, more_pairs = read_clips(inputs, report=report, dataset=options.dataset)
    pairs += more_pairs
    if not pairs and NEGATIVE in types and clips:
        if options.types:
            raise UsageError("negative queries need hard negatives; give --hard-negatives")
        notice("no negative queries, because there are no --hard-negatives")
    _name_unknown_targets(pairs, clips, notice)
    return tasks_of(clips[: options.limit], pairs, types)


def _name_unknown_targets(
    pairs: Sequence[HardNegativePair], clips: Sequence[Clip], notice: Notice
) -> None:
    known = {clip.id for clip in clips}
    unknown = [pair.target for pair in pairs if pair.target not in known]
    if unknown:
        notice(
            f"{len(unknown)} of {len(pairs)} pairs have a target that is not among the "
            f"clips, such as '{unknown[0]}'"
        )


def save_generated(
    generated: Generated, output: str, *, rejects: Path | None = None, report: Report
) -> None:
    """Write the finished rows to `output` ("-" is stdout), queries that break a rule to `rejects`.

    Failures go to `report`, and so do queries that break a rule where `rejects` is None. Where no
    query is left, an older file of that name is set aside, so that nobody takes it for the new one.
    """
    if rejects is not None:
        write_rows([draft.reject() for draft in generated.rejected], rejects)
    if generated.rows or not generated.drafts:
        write_rows(generated.rows, output)
    elif generated.stopped is None and output != "-" and Path(output).is_file():
        Path(output).replace(f"{output}{SET_ASIDE}")
    for draft in generated.failed:
        report(draft.failure(str(draft.error)))
    for draft in generated.rejected if rejects is None else ():
        report(draft.failure(str(draft.attempts[-1].violations[0])))


def estimate_table(estimate: dict[str, Any]) -> str:
    """An estimate for people, a line per figure."""
    lines = [f"{name.replace('_', ' '):<16} {value:>12,}" for name, value in estimate.items()]
    return "\n".join(lines) + "\n"
