"""An evaluation in one call: a run, vectors or an index against judged queries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from oea_cli.encoder.protocol import Encoder
from oea_cli.errors import Report, UsageError, raise_failure
from oea_cli.evaluation.inputs.baseline import query_changes, read_baseline
from oea_cli.evaluation.inputs.qrels import Judgments
from oea_cli.evaluation.inputs.runs import Scores
from oea_cli.evaluation.output.results import document_of, measure
from oea_cli.evaluation.protocol import Captions, Protocol, Task
from oea_cli.evaluation.results import Results
from oea_cli.evaluation.scoring.gates import Gate, check_gates, judge, parse_gate
from oea_cli.evaluation.setting import Document, Setting
from oea_cli.metrics.comparison import compare, paired
from oea_cli.metrics.metrics import Metric, parse_metrics
from oea_cli.metrics.outcomes import Outcomes
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Ties
from oea_cli.vectors.batch import Batch, batch_of

PathLike = str | Path

if TYPE_CHECKING:
    import polars as pl

    from oea_cli.evaluation.inputs.leak_check import LeakSources
    from oea_cli.evaluation.inputs.query_vectors import Queries
    from oea_cli.vectors.index.folder import Index
    from oea_cli.vectors.index.index import VectorIndex

    QueryInput = (
        PathLike | Batch | np.ndarray | Sequence[PathLike] | Sequence[Record] | pl.DataFrame
    )
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is evaluated: a run, vectors, or an index; by path, "-" for stdin, or in memory."""

    queries: "list[Queries]"
    index: str | None
    corpus: str | Batch | None
    run: str | Scores | None
    qrels: str | Judgments | None
    within: str | None

    def check(self) -> None:
        """Raise UsageError for inputs that contradict each other, before anything is read."""
        kinds = {"--index": self.index, "--corpus": self.corpus, "--run": self.run}
        given = [name for name, value in kinds.items() if value is not None]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} cannot be combined; give one of them")
        if not given:
            raise UsageError("nothing to evaluate: give --index, --corpus or --run")
        if self.run is not None and self.within:
            raise UsageError("--within ranks vectors; a run has been ranked already")
        if [*self.queries, self.run, self.qrels, self.corpus].count("-") > 1:
            raise UsageError("stdin can be read once; give the other input as a file")


@dataclass(frozen=True, slots=True)
class _Against:
    """The baseline of the results, and the significance level."""

    baseline: PathLike | Results | None
    alpha: float | None
    seed: int
    ties: Ties

    @property
    def name(self) -> str:
        return "the baseline" if isinstance(self.baseline, Results) else str(self.baseline)

    def outcomes(self, ours: Outcomes) -> Outcomes:
        """The baseline's; a run is judged as ours was."""
        if isinstance(self.baseline, Results):
            return self.baseline.outcomes
        return read_baseline(self.name, ours, self.ties)


def evaluate(
    *,
    queries: "QueryInput | None" = None,
    index: "Index | PathLike | None" = None,
    corpus: PathLike | Batch | np.ndarray | None = None,
    run: PathLike | Scores | None = None,
    qrels: PathLike | Judgments | None = None,
    metrics: Sequence[str] = (),
    task: Task = "text-to-audio",
    captions: Captions = "all",
    within: str | None = None,
    ties: Ties = "strict",
    seed: int = 0,
    allow_missing: bool = False,
    baseline: "PathLike | Results | None" = None,
    fail_under: Sequence[str] = (),
    max_drop: Sequence[str] = (),
    alpha: float | None = None,
    check_leaks: Sequence[str] = (),
    encoder: Encoder | str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    trust_remote_code: bool = False,
    report: Report = raise_failure,
) -> Results:
    """Measure how well an index, vectors or a run answer queries whose targets are known.

    One of `index`, `corpus` (vectors: a file, a Batch, or an array (n, dim)) and `run` (a file, or
    {query: {clip: score}}) is what is evaluated. `queries` are files, a list or frame of records
    with `text` or `path` and `target`, or vectors: a file, a Batch whose records hold `target`, or
    an array, whose rows ask for the corpus' rows of the same numbers. `qrels` (a
    file, or {query: {clip: grade}}) replace their targets. Without `queries`, the captions of an
    index ask. Options are those of `oea eval`: `metrics` such as "r@10" and "hnsr@10" (by default,
    what applies), gates such as "hnsr@10=0.3" in `fail_under` and "r@10=0.01" in `max_drop`, which
    compares with `baseline`.

    Ranks are exact. An index's own encoder is loaded by its name, unless `encoder` is given, the
    encoder itself or a name.

    Raises UsageError for what does not go together and for metrics and gates that are misspelt,
    OeaError for inputs that cannot be used. A query that cannot be encoded goes to `report`, and
    counts as not found.
    """
    chosen = parse_metrics(metrics)
    leak_limits, limits = _leak_limits(fail_under, check_leaks)
    gates = _gates(limits, max_drop, chosen, baseline is not None)
    folder = None if index is None else str(getattr(index, "path", index))
    vectors = batch_of(corpus, "corpus") if isinstance(corpus, np.ndarray) else corpus
    sources = _query_sources(vectors if queries is corpus else queries)
    inputs = Inputs(sources, folder, _path(vectors), _path(run), _path(qrels), within)
    inputs.check()
    training = _training(check_leaks, inputs)
    protocol = Protocol(task, captions, seed, ties, allow_missing, within)
    placement = {"device": device, "dtype": dtype, "trust_remote_code": trust_remote_code}
    outcomes, setting = _outcomes(inputs, protocol, _encoder_of(encoder, placement), report)
    setting = replace(setting, dataset=_dataset(inputs, outcomes))
    document = _document(outcomes, setting, chosen, gates, _Against(baseline, alpha, seed, ties))
    if training is not None:
        document = _with_leaks(document, training, inputs, outcomes, leak_limits, report)
    return Results(document, outcomes, setting.records)


def _path(source: T | Path) -> T | str:
    return str(source) if isinstance(source, Path) else source


def _encoder_of(
    encoder: Encoder | str | None, placement: Mapping[str, Any]
) -> "Callable[[VectorIndex], Encoder]":
    """What gives an index's encoder: the one that is at hand, or the one of the name."""

    def get(index: "VectorIndex") -> Encoder:
        from oea_cli.encoder.matching import check_encoder, matching_encoder

        if encoder is None or isinstance(encoder, str):
            return matching_encoder(index.encoder, index.dim, str(index.folder), encoder, placement)
        check_encoder(index.encoder, str(index.folder), encoder.encoder_id)
        return encoder

    return get


def _query_sources(queries: Any) -> "list[Queries]":
    """The files of queries, or what holds them in memory, alone."""
    if queries is None:
        return []
    if isinstance(queries, str | Path | Batch):
        return [str(queries) if isinstance(queries, Path) else queries]
    if isinstance(queries, np.ndarray):
        return [batch_of(queries, "queries")]
    if hasattr(queries, "iter_rows"):
        from oea_cli.records.columns import rows_of

        return [list(rows_of(queries))]
    items = list(queries)
    if items and isinstance(items[0], Mapping):
        return [[dict(item) for item in items]]
    return list(map(str, items))


def _outcomes(
    inputs: Inputs,
    protocol: Protocol,
    encoder_of: "Callable[[VectorIndex], Encoder]",
    report: Report,
) -> tuple[Outcomes, Setting]:
    if inputs.run is not None:
        from oea_cli.evaluation.inputs.run_input import evaluate_run

        judged = [query for query in inputs.queries if not isinstance(query, Batch)]
        return evaluate_run(inputs.run, judged, inputs.qrels, protocol.ties)
    # Imported here: an index needs polars, and a run does not.
    from oea_cli.evaluation.inputs.vector_input import evaluate_index, evaluate_vectors

    if inputs.corpus is not None:
        return evaluate_vectors(inputs.queries, inputs.corpus, inputs.qrels, protocol)
    folder = Path(inputs.index or "")
    return evaluate_index(inputs.queries, folder, inputs.qrels, protocol, encoder_of, report)


def _dataset(inputs: Inputs, outcomes: Outcomes) -> str | None:
    """What the judged queries are called: the dataset that all name, else their files' names."""
    named = set(outcomes.datasets)
    if len(named) == 1 and None not in named:
        return named.pop()
    sources = [*inputs.queries, inputs.qrels] if inputs.queries else [inputs.qrels]
    files = [one for one in sources if isinstance(one, str) and one != "-"]
    if not files:
        files = [one for one in (inputs.index, inputs.corpus) if isinstance(one, str)]
    stems = [Path(file.removesuffix(".gz")).stem for file in files]
    return "+".join(dict.fromkeys(stems)) or None


def _document(
    outcomes: Outcomes,
    setting: Setting,
    metrics: Sequence[Metric],
    gates: Sequence[Gate],
    against: _Against,
) -> Document:
    """Measure, compare and judge; the document from which every format is rendered."""
    measured = measure(outcomes, metrics)
    check_gates(gates, measured.metrics)
    if against.baseline is None:
        verdicts = judge(gates, measured.values, {}, against.alpha)
        return document_of(measured, setting, against.seed, verdicts=verdicts)
    theirs = against.outcomes(outcomes)
    pair = paired(outcomes, theirs, against.name)
    comparisons = compare(pair, measured.metrics, against.seed)
    changes = query_changes(outcomes, theirs)
    verdicts = judge(gates, measured.values, comparisons, against.alpha, changes.reason)
    document = document_of(measured, setting, against.seed, pair, comparisons, verdicts)
    document["baseline"]["queries"] = {"both": len(pair.ours), **changes.counts}
    if theirs.num_contradicted:
        document["baseline"]["queries"]["contradicted"] = theirs.num_contradicted
    document["baseline"]["depths"] = [
        int(each.depths.max(initial=0)) for each in (outcomes, theirs)
    ]
    return document


def _gates(
    fail_under: Sequence[str],
    max_drop: Sequence[str],
    metrics: Sequence[Metric],
    has_baseline: bool,
) -> list[Gate]:
    """Read the gates; raises UsageError for a misspelt one and for one on another metric."""
    gates = [parse_gate("fail-under", text) for text in fail_under]
    gates += [parse_gate("max-drop", text) for text in max_drop]
    if max_drop and not has_baseline:
        raise UsageError("--max-drop compares with a baseline; give --baseline FILE")
    if metrics:
        check_gates(gates, metrics)
    return gates


def _leak_limits(
    fail_under: Sequence[str], check_leaks: Sequence[str]
) -> tuple[list[int], list[str]]:
    """The limits on leaks, and the other gates."""
    if not any(text.casefold().startswith("leaks") for text in fail_under):
        return [], list(fail_under)
    from oea_cli.evaluation.inputs.leak_check import is_leak_gate, parse_leak_gate

    limits = [text for text in fail_under if is_leak_gate(text)]
    if limits and not check_leaks:
        raise UsageError(f"--fail-under {limits[0]}: needs training records; give --check-leaks")
    others = [text for text in fail_under if text not in limits]
    return [parse_leak_gate(text) for text in limits], others


def _training(values: Sequence[str], inputs: Inputs) -> "LeakSources | None":
    if not values:
        return None
    from oea_cli.evaluation.inputs.leak_check import open_leak_sources

    if inputs.corpus == "-":
        raise UsageError("--check-leaks reads the corpus' records again; give it as a file")
    return open_leak_sources(list(map(str, values)))


def _with_leaks(
    document: Document,
    training: "LeakSources",
    inputs: Inputs,
    outcomes: Outcomes,
    limits: Sequence[int],
    report: Report,
) -> Document:
    from oea_cli.evaluation.inputs import leak_check

    if inputs.run is not None:
        evaluation = leak_check.judged_clips(outcomes)
    else:
        source = inputs.index if inputs.corpus is None else inputs.corpus
        evaluation = leak_check.vector_clips(source or "")
    found = leak_check.check_leaks(training, evaluation, report)
    return leak_check.with_leaks(document, found, limits)
