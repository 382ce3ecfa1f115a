"""Baselines to compare with, and whether their queries are ours."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from oea_cli.clips.names import folded
from oea_cli.clips.queries import Query
from oea_cli.errors import OeaError
from oea_cli.evaluation.inputs.run_outcomes import run_outcomes
from oea_cli.evaluation.inputs.runs import read_run
from oea_cli.evaluation.output.results import read_results
from oea_cli.metrics.outcomes import Outcomes
from oea_cli.records.lines import read_text
from oea_cli.vectors.arrays import Ties


def read_baseline(source: str, ours: Outcomes, ties: Ties) -> Outcomes:
    """Read a baseline: results as JSON, or another run, judged as ours was."""
    found = read_results(read_text(source), source)
    if found is not None:
        return found
    run = read_run(source)
    outcomes = run_outcomes(run, list(map(_as_query, *_judgments(ours))), ties)
    if not outcomes.depths.any():
        raise OeaError(f"{source}: holds none of the evaluated queries")
    return replace(outcomes, any_target=ours.any_target)


def _judgments(ours: Outcomes) -> tuple[list[str], list[dict[str, float]], list[str | None]]:
    targets = [
        dict(zip(ids, grades, strict=True))
        for ids, grades in zip(ours.targets, ours.grades, strict=True)
    ]
    return ours.ids, targets, ours.hard_negatives


def _as_query(id_: str, targets: dict[str, float], hard_negative: str | None) -> Query:
    return Query(id_, "baseline", targets, hard_negative)


@dataclass(frozen=True, slots=True)
class QueryChanges:
    """How our queries differ from a baseline's, as ids: new ones, ones that are gone, and ones
    with another text, other relevant clips or another hard negative.

    `unanswered` are ours that a run used as the baseline does not hold.
    """

    new: list[str]
    gone: list[str]
    changed: list[str]
    unanswered: list[str]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are of each kind."""
        return {
            "new": len(self.new),
            "gone": len(self.gone),
            "changed": len(self.changed),
            "unanswered": len(self.unanswered),
        }

    @property
    def reason(self) -> str | None:
        """Why a drop against the baseline says nothing; None where it does."""
        if self.gone:
            return f"queries of the baseline are missing here ({_such_as(self.gone)})"
        if self.changed:
            return f"queries have another text or other judgments ({_such_as(self.changed)})"
        return None


def _such_as(ids: list[str]) -> str:
    return f"{ids[0]!r}" if len(ids) == 1 else f"{len(ids)} such as {ids[0]!r}"


def query_changes(ours: Outcomes, theirs: Outcomes) -> QueryChanges:
    """Compare the queries of two evaluations, by their ids."""
    mine, other = _asked(ours), _asked(theirs)
    both = [id_ for id_ in mine if id_ in other]
    in_run = dict(zip(theirs.ids, theirs.depths.tolist(), strict=True))
    return QueryChanges(
        new=[id_ for id_ in mine if id_ not in other],
        gone=[id_ for id_ in other if id_ not in mine],
        changed=[id_ for id_ in both if _differ(mine[id_], other[id_])],
        unanswered=[id_ for id_ in both if not in_run[id_]],
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query's fingerprint, None where its text is unknown; its relevant clips with their grades;
    its hard negative."""

    text: str | None
    relevant: list[tuple[str, float]]
    hard_negative: str | None


def _asked(outcomes: Outcomes) -> dict[str, _Asked]:
    texts = outcomes.texts or [None] * len(outcomes)
    rows = zip(
        outcomes.ids, texts, outcomes.targets, outcomes.grades, outcomes.hard_negatives, strict=True
    )
    return {
        id_: _Asked(
            text,
            sorted(zip(map(_name, targets), grades, strict=True)),
            None if negative is None else _name(negative),
        )
        for id_, text, targets, grades, negative in rows
    }


def _name(clip: str) -> str:
    """A clip's name as a run, an index and a file of queries all have it."""
    return folded(clip.rpartition("/")[2])


def _differ(one: _Asked, other: _Asked) -> bool:
    if one.text is not None and other.text is not None and one.text != other.text:
        return True
    return (one.relevant, one.hard_negative) != (other.relevant, other.hard_negative)
