"""`oea eval`: how well a ranking, anyone's vectors or an index answers judged queries."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from oea_cli.commands.console.terminal import FailureLog, say
from oea_cli.commands.options.evaluation import (
    AllowMissingOption,
    AlphaOption,
    BaselineOption,
    CaptionsAsked,
    CaptionsOption,
    CheckLeaksOption,
    CorpusOption,
    EvalTask,
    FailUnderOption,
    GateExitCodeOption,
    IndexModelOption,
    IndexOption,
    ListMetricsOption,
    MaxDropOption,
    MetricOption,
    OutputsOption,
    QrelsOption,
    QueriesOption,
    RecipeArgument,
    ReportOption,
    ResultFormat,
    ResultFormatOption,
    RunOption,
    TaskOption,
    TieRule,
    TiesOption,
    WithinOption,
)
from oea_cli.commands.options.shared import (
    DeviceOption,
    DeviceOptions,
    Dtype,
    OverridesOption,
    QuietOption,
    RareDtypeOption,
    SeedOption,
    TrustRemoteCodeOption,
    VerboseOption,
)
from oea_cli.errors import UsageError

if TYPE_CHECKING:
    from oea_cli.encoder.protocol import Encoder
    from oea_cli.evaluation.inputs.leak_check import LeakSources
    from oea_cli.evaluation.inputs.vector_input import Protocol
    from oea_cli.evaluation.scoring.gates import Gate
    from oea_cli.evaluation.setting import Document, Setting
    from oea_cli.metrics.metrics import Metric
    from oea_cli.metrics.outcomes import Outcomes
    from oea_cli.vectors.index.index import VectorIndex

DEFAULT_INDEX = "index.oea"


@dataclass(frozen=True)
class Inputs:
    """What is evaluated: a run, vectors, or an index."""

    queries: list[str]
    index: str | None
    corpus: str | None
    run: str | None
    qrels: str | None
    within: str | None

    @property
    def index_folder(self) -> Path:
        return Path(self.index or os.environ.get("OEA_INDEX") or DEFAULT_INDEX)

    def check(self) -> None:
        """Refuse what does not go together, before anything is read."""
        kinds = {"--index": self.index, "--corpus": self.corpus, "--run": self.run}
        given = [name for name, value in kinds.items() if value]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} do not go together; give one of them")
        if self.run and self.within:
            raise UsageError("--within ranks vectors; a run has been ranked already")
        if [*self.queries, self.run, self.qrels, self.corpus].count("-") > 1:
            raise UsageError("stdin can be read once; give the other input as a file")


@dataclass(frozen=True)
class Against:
    """What the results are compared with, and how strictly."""

    baseline: str | None
    alpha: float | None
    seed: int
    ties: TieRule


def evaluate(
    recipe: RecipeArgument = None,
    queries: QueriesOption = None,
    index: IndexOption = None,
    corpus: CorpusOption = None,
    run: RunOption = None,
    qrels: QrelsOption = None,
    overrides: OverridesOption = None,
    metric: MetricOption = None,
    list_metrics: ListMetricsOption = False,
    task: TaskOption = EvalTask.text_to_audio,
    baseline: BaselineOption = None,
    fail_under: FailUnderOption = None,
    max_drop: MaxDropOption = None,
    alpha: AlphaOption = None,
    check_leaks: CheckLeaksOption = None,
    gate_exit_code: GateExitCodeOption = 4,
    output: OutputsOption = None,
    report: ReportOption = None,
    format: ResultFormatOption = None,
    quiet: QuietOption = False,
    model: IndexModelOption = None,
    device: DeviceOption = "auto",
    verbose: VerboseOption = False,
    captions: CaptionsOption = CaptionsAsked.all,
    within: WithinOption = None,
    ties: TiesOption = TieRule.strict,
    allow_missing: AllowMissingOption = False,
    seed: SeedOption = 0,
    dtype: RareDtypeOption = Dtype.auto,
    trust_remote_code: TrustRemoteCodeOption = False,
) -> None:
    """Measure how well queries find what they should.

    Rank an index or anyone's vectors, or read a ranking made elsewhere. Ranks are exact, and each
    figure has a 95 % bootstrap interval over target clips. Without --queries, the captions in the
    index are the queries. If a gate is not met, the exit code is 4. Clips that were also trained on
    (--check-leaks) are a warning, or a gate with --fail-under leaks=0.

    \b
    Examples:
      oea eval --queries uiq.jsonl -i sounds.oea --fail-under hnsr@10=0.3
      oea eval --queries q.npy --corpus c.parquet -M r@10
      oea eval --run run.trec --qrels qrels.txt -M ndcg@10 -f json
    """
    from oea_cli.vectors.scan.threads import leave_threads_to_us

    leave_threads_to_us()
    from oea_cli.metrics.metrics import parse_metrics

    if list_metrics:
        _list_metrics()
        return
    if recipe is not None or overrides:
        given: list[object] = [
            queries,
            index,
            corpus,
            run,
            qrels,
            metric,
            baseline,
            fail_under,
            max_drop,
        ]
        given += [check_leaks, report, within, allow_missing, alpha is not None]
        given += [(task, captions, ties) != (EvalTask.text_to_audio, "all", "strict")]
        _paper(recipe, overrides or [], output or [], any(given), format, device, quiet)
        return
    metrics = parse_metrics(metric or [])
    leak_limits, limits = _leak_limits(fail_under or [], check_leaks or [])
    gates = _gates(limits, max_drop or [], metrics, baseline)
    from oea_cli.evaluation.output.files import checked_files, checked_page

    files = checked_files(output or [])
    page = None if report is None else checked_page(report)
    inputs = Inputs(queries or [], index, corpus, run, qrels, within)
    inputs.check()
    training = _training(check_leaks or [], inputs)
    with FailureLog("eval") as log:
        if run is not None:
            outcomes, setting = _evaluate_run(inputs, ties)
        else:
            protocol = _protocol(task, captions, seed, ties, allow_missing, within)
            placed = DeviceOptions(device, dtype, trust_remote_code=trust_remote_code)
            outcomes, setting = _evaluate_vectors(inputs, protocol, model, placed, log)
        against = Against(baseline, alpha, seed, ties)
        document = _document(outcomes, setting, metrics, gates, against)
        num_done = len(outcomes) - log.count
        if training is not None:
            document = _with_leaks(document, training, inputs, outcomes, leak_limits, log)
        if page is not None:
            _write_page(page, document, setting)
        form = _write(document, format, files)
        _finish(document, form == ResultFormat.table, gate_exit_code, quiet)
        log.finish(num_done)


def _paper(
    recipe: Path | None,
    overrides: Sequence[str],
    output: Sequence[str],
    other_inputs: bool,
    format: ResultFormat | None,
    device: str,
    quiet: bool,
) -> None:
    """Run a recipe of the paper's evaluation; its comparison goes to stdout."""
    if recipe is None:
        raise UsageError("--set replaces a recipe's value; name the recipe: oea eval RECIPE")
    if other_inputs:
        raise UsageError(f"{recipe}: a recipe says what is measured; leave the other options out")
    from oea_cli.evaluation.paper.comparison import compare_with_paper
    from oea_cli.evaluation.paper.run import Callbacks

    log, inputs = FailureLog("eval"), FailureLog("eval")
    callbacks = Callbacks(log.report, inputs.report, _ignore if quiet else _say)
    form = format or ResultFormat.table
    text, num_measured = compare_with_paper(
        recipe, overrides, output, form.value, device=device, callbacks=callbacks
    )
    sys.stdout.write(text)
    sys.stdout.flush()
    log.finish(num_measured, "part")
    inputs.finish(num_measured)


def _say(text: object) -> None:
    say(f"oea eval: {text}")


def _ignore(text: object) -> None:
    pass


def _list_metrics() -> None:
    from oea_cli.evaluation.known_metrics import explained

    for line in explained():
        typer.echo(line)


def _gates(
    fail_under: Sequence[str],
    max_drop: Sequence[str],
    metrics: "Sequence[Metric]",
    baseline: str | None,
) -> "list[Gate]":
    """Read the gates; a misspelt one, or one on a metric not asked for, is wrong usage."""
    from oea_cli.evaluation.scoring.gates import check_gates, parse_gate

    gates = [parse_gate("fail-under", text) for text in fail_under]
    gates += [parse_gate("max-drop", text) for text in max_drop]
    if max_drop and baseline is None:
        raise UsageError("--max-drop compares with a baseline; give --baseline FILE")
    if metrics:
        check_gates(gates, metrics)
    return gates


def _write_page(page: Path, document: "Document", setting: "Setting") -> None:
    from oea_cli.evaluation.output.report.page import to_report
    from oea_cli.records.artefacts import write_whole

    write_whole(page, to_report(document, setting.records, page.parent))


def _evaluate_run(inputs: Inputs, ties: TieRule) -> "tuple[Outcomes, Setting]":
    from oea_cli.evaluation.inputs.run_input import evaluate_run

    return evaluate_run(str(inputs.run), inputs.queries, inputs.qrels, ties.value)


def _protocol(
    task: EvalTask,
    captions: CaptionsAsked,
    seed: int,
    ties: TieRule,
    allow_missing: bool,
    within: str | None,
) -> "Protocol":
    from oea_cli.evaluation.inputs.vector_input import Protocol

    return Protocol(
        task.value,
        captions.value,
        seed,
        ties.value,
        allow_missing,
        within,
    )


def _evaluate_vectors(
    inputs: Inputs, protocol: "Protocol", model: str | None, placed: DeviceOptions, log: FailureLog
) -> "tuple[Outcomes, Setting]":
    from oea_cli.evaluation.inputs.vector_input import evaluate_index, evaluate_vectors

    if inputs.corpus is not None:
        return evaluate_vectors(inputs.queries, inputs.corpus, inputs.qrels, protocol)

    def encoder(index: "VectorIndex") -> "Encoder":
        from oea_cli.encoder.matching import matching_encoder

        return matching_encoder(index.encoder, str(index.folder), model, placed.keywords)

    folder = inputs.index_folder
    return evaluate_index(inputs.queries, folder, inputs.qrels, protocol, encoder, log.report)


def _document(
    outcomes: "Outcomes",
    setting: "Setting",
    metrics: "Sequence[Metric]",
    gates: "Sequence[Gate]",
    against: Against,
) -> "Document":
    """Measure, compare and judge; the one JSON that everything is rendered from."""
    from oea_cli.evaluation.inputs.run_input import read_baseline
    from oea_cli.evaluation.output.results import document_of, measure
    from oea_cli.evaluation.scoring.gates import check_gates, judge
    from oea_cli.metrics.comparison import compare, paired

    measured = measure(outcomes, metrics)
    check_gates(gates, measured.metrics)
    pair, comparisons = None, {}
    if against.baseline is not None:
        theirs = read_baseline(against.baseline, outcomes, against.ties.value)
        pair = paired(outcomes, theirs, against.baseline)
        comparisons = compare(pair, measured.metrics, against.seed)
    verdicts = judge(gates, measured.values, comparisons, against.alpha)
    return document_of(measured, setting, against.seed, pair, comparisons, verdicts)


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
    return open_leak_sources(values)


def _with_leaks(
    document: "Document",
    training: "LeakSources",
    inputs: Inputs,
    outcomes: "Outcomes",
    limits: Sequence[int],
    log: FailureLog,
) -> "Document":
    from oea_cli.evaluation.inputs import leak_check

    if inputs.run is not None:
        evaluation = leak_check.judged_clips(outcomes)
    elif inputs.corpus is not None:
        evaluation = leak_check.vector_clips(inputs.corpus)
    else:
        evaluation = leak_check.index_clips(inputs.index_folder)
    found = leak_check.check_leaks(training, evaluation, log.report)
    return leak_check.with_leaks(document, found, limits)


def _write(
    document: "Document", format: ResultFormat | None, files: dict[Path, str]
) -> ResultFormat:
    """Write the results to the files, to the job's page on GitHub, and to stdout.

    Returns the format that stdout got.
    """
    from oea_cli.evaluation.output.files import append_summary, write_files
    from oea_cli.evaluation.output.rendering import render

    write_files(document, files)
    append_summary(document, _say)
    is_read_by_people = sys.stdout.isatty() or files
    form = format or (ResultFormat.table if is_read_by_people else ResultFormat.json)
    sys.stdout.buffer.write(render(document, form.value))
    sys.stdout.flush()
    return form


def _finish(document: "Document", is_table: bool, gate_exit_code: int, quiet: bool) -> None:
    """Say what is worth a line and every gate's verdict; end with the code that goes with them."""
    from oea_cli.evaluation.output.rendering import notes

    if not (quiet or is_table):
        for note in notes(document):
            say(f"oea eval: {note}")
    for gate in document.get("gates", []):
        say(f"oea eval: {gate['verdict']}")
    if not document.get("passed", True):
        raise typer.Exit(gate_exit_code)
