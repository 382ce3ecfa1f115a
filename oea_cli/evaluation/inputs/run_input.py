"""A run and relevance judgments -> outcomes."""

from collections.abc import Sequence

import numpy as np

from oea_cli.clips.lookup import no_records
from oea_cli.clips.queries import Query, QuerySource, distinct, read_queries
from oea_cli.errors import OeaError, UsageError
from oea_cli.evaluation.inputs.qrels import Judgments, read_qrels, with_qrels
from oea_cli.evaluation.inputs.record_lookup import hit_records, query_records
from oea_cli.evaluation.inputs.run_outcomes import run_outcomes
from oea_cli.evaluation.inputs.runs import Scores, read_run
from oea_cli.evaluation.setting import RecordLookup, Setting
from oea_cli.metrics.outcomes import Outcomes
from oea_cli.vectors.arrays import Ties

RANK_RULES = {
    "strict": "1 + the number of strictly higher scores",
    "trec": "score descending, then id descending, as trec_eval",
}


def judged_queries(queries: Sequence[QuerySource], qrels: str | Judgments | None) -> list[Query]:
    """Read judged queries from a query file, from qrels, or from both: the qrels' targets then."""
    if qrels is None and not queries:
        raise UsageError("a run needs judgments: --qrels FILE, or --queries FILE with targets")
    if qrels is None:
        return read_queries(queries)
    judged = distinct(read_qrels(qrels))
    name = name_of(qrels, "qrels")
    return judged if not queries else with_qrels(read_queries(queries), judged, name)


def name_of(source: object, otherwise: str) -> str:
    """How messages call an input: by its path, or as what it is where it lies in memory."""
    return source if isinstance(source, str) else otherwise


def with_targets(queries: Sequence[Query], source: str) -> list[Query]:
    """The queries that have relevant clips; raises OeaError where none has."""
    found = [query for query in queries if query.targets]
    if not found:
        where = queries[0].where if queries else source
        first = "" if where == source else f", such as {where}"
        raise OeaError(f"{source}: no query has a relevant clip{first}; add 'target' or --qrels")
    return found


def evaluate_run(
    source: str | Scores, queries: Sequence[QuerySource], qrels: str | Judgments | None, ties: Ties
) -> tuple[Outcomes, Setting]:
    """Score a run against judgments.

    Every judged query counts: one that is missing from the run was not found. Raises OeaError
    where run and judgments share no query.
    """
    judged = judged_queries(queries, qrels)
    names = ", ".join(name_of(query, "queries") for query in queries)
    with_relevant = with_targets(judged, names if qrels is None else name_of(qrels, "qrels"))
    run = read_run(source)
    outcomes = run_outcomes(run, with_relevant, ties)
    missing = int((outcomes.depths == 0).sum())
    if missing == len(outcomes):
        raise OeaError(
            f"{run.name}: holds none of the {len(with_relevant)} judged queries, such as "
            f"{with_relevant[0].id!r}; its queries are such as {next(iter(run.queries))!r}"
        )
    return outcomes, Setting(
        protocol={"task": "run", "input": "run", "ties": ties, "rank": RANK_RULES[ties]},
        counts={
            "missing_queries": missing,
            "queries_without_relevant": len(judged) - len(with_relevant),
            "queries_not_judged": len(run.queries) - (len(with_relevant) - missing),
            "run_depth": int(outcomes.depths.max()),
            "judged_not_in_run": _num_beyond(outcomes),
        },
        records=RecordLookup(
            query_records(with_relevant),
            hit_records(source) if isinstance(source, str) else no_records,
        ),
    )


def _num_beyond(outcomes: Outcomes) -> int:
    """How many targets and hard negatives of the run's queries it does not hold."""
    in_run = outcomes.depths > 0
    found = np.isinf([outcomes.target_ranks[in_run], outcomes.hard_negative_ranks[in_run]])
    return int(found.sum())
