"""`oea eval`: how well a ranking, anyone's vectors or an index answers judged queries."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from oea_cli.commands.console.messages import Message
from oea_cli.commands.console.streams import is_closed
from oea_cli.commands.console.terminal import FailureLog, notices, tell
from oea_cli.commands.options import evaluation, shared
from oea_cli.errors import UsageError

if TYPE_CHECKING:
    from oea_cli.evaluation.results import Results
    from oea_cli.evaluation.setting import Document

DEFAULT_INDEX = "index.oea"
WITH_RECIPE = {"recipe", "overrides", "output", "format", "quiet", "verbose", "device", "seed"}
"""The parameters that a recipe of the paper's evaluation leaves to the command line."""


def evaluate(
    ctx: typer.Context,
    recipe: evaluation.RecipeArgument = None,
    queries: evaluation.QueriesOption = None,
    index: evaluation.IndexOption = None,
    corpus: evaluation.CorpusOption = None,
    column: shared.ColumnOption = None,
    run: evaluation.RunOption = None,
    qrels: evaluation.QrelsOption = None,
    overrides: shared.OverridesOption = None,
    metric: evaluation.MetricOption = None,
    list_metrics: evaluation.ListMetricsOption = False,
    task: evaluation.TaskOption = evaluation.EvalTask.text_to_audio,
    baseline: evaluation.BaselineOption = None,
    fail_under: evaluation.FailUnderOption = None,
    max_drop: evaluation.MaxDropOption = None,
    alpha: evaluation.AlphaOption = None,
    check_leaks: evaluation.CheckLeaksOption = None,
    gate_exit_code: evaluation.GateExitCodeOption = 4,
    output: evaluation.OutputsOption = None,
    report: evaluation.ReportOption = None,
    format: evaluation.ResultFormatOption = None,
    quiet: shared.QuietOption = False,
    model: evaluation.IndexModelOption = None,
    device: shared.DeviceOption = "auto",
    verbose: shared.VerboseOption = False,
    captions: evaluation.CaptionsOption = evaluation.CaptionsAsked.all,
    within: evaluation.WithinOption = None,
    ties: evaluation.TiesOption = evaluation.TieRule.strict,
    allow_missing: evaluation.AllowMissingOption = False,
    seed: shared.SeedOption = 0,
    dtype: shared.RareDtypeOption = shared.Dtype.auto,
    trust_remote_code: shared.TrustRemoteCodeOption = False,
    channel: shared.ChannelOption = "mix",
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
    if list_metrics:
        _list_metrics()
        return
    if recipe is not None or overrides:
        sources = {name: str(ctx.get_parameter_source(name)) for name in ctx.params}
        typed = {name for name, source in sources.items() if source.endswith("COMMANDLINE")}
        changes = [] if sources["seed"].endswith("DEFAULT") else [f"seed={seed}"]
        changes += overrides or []
        others = bool(metric or typed - WITH_RECIPE)
        _paper(recipe, changes, output or [], others, format, device, quiet)
        return
    shared.check_channel(channel)
    from oea_cli.evaluation.output.files import checked_files, checked_page

    files = checked_files(output or [])
    page = None if report is None else checked_page(report)
    from oea_cli.encoder.streaming.hearing import hearing
    from oea_cli.evaluation.evaluate import evaluate as evaluate_inputs

    own_index = os.environ.get("OEA_INDEX") or DEFAULT_INDEX
    with FailureLog("eval") as log, hearing(channel, notices("eval", quiet)):
        results = evaluate_inputs(
            queries=queries and shared.in_column(queries, column),
            index=index or (None if corpus or run else own_index),
            corpus=corpus and shared.in_column([corpus], column)[0],
            run=run,
            qrels=qrels,
            metrics=metric or [],
            task=task.value,
            captions=captions.value,
            within=within,
            ties=ties.value,
            seed=seed,
            allow_missing=allow_missing,
            baseline=baseline,
            fail_under=fail_under or [],
            max_drop=max_drop or [],
            alpha=alpha,
            check_leaks=check_leaks or [],
            encoder=model,
            device=device,
            dtype=dtype.value,
            trust_remote_code=trust_remote_code,
            report=log.report,
        )
        document = results.document
        if page is not None:
            _write_page(page, results)
        form = _write(document, format, files)
        _finish(document, form == evaluation.ResultFormat.table, gate_exit_code, quiet)
        log.finish(len(results.outcomes) - document["counts"].get("queries_not_encoded", 0))


def _paper(
    recipe: Path | None,
    overrides: Sequence[str],
    output: Sequence[str],
    other_inputs: bool,
    format: evaluation.ResultFormat | None,
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
    callbacks = Callbacks(log.report, inputs.report, notices("eval", quiet))
    form = format or evaluation.ResultFormat.table
    text, num_measured = compare_with_paper(
        recipe, overrides, output, form.value, device=device, callbacks=callbacks
    )
    if not (output and is_closed(sys.stdout)):
        _show(text.encode(), form)
    log.finish(num_measured, "part")
    inputs.finish(num_measured)


def _list_metrics() -> None:
    from oea_cli.evaluation.known_metrics import explained

    for line in explained():
        typer.echo(line)


def _write_page(page: Path, results: "Results") -> None:
    from oea_cli.evaluation.output.report.page import to_report
    from oea_cli.records.artefacts import write_whole

    write_whole(page, to_report(results.document, results.records, page.parent))


def _write(
    document: "Document", format: evaluation.ResultFormat | None, files: dict[Path, str]
) -> evaluation.ResultFormat:
    """Write the results to the files, to the job's page on GitHub, and to stdout.

    Returns the format that stdout got.
    """
    from oea_cli.evaluation.output.files import append_summary, write_files
    from oea_cli.evaluation.output.rendering import render

    write_files(document, files)
    append_summary(document, notices("eval"))
    is_read_by_people = sys.stdout.isatty() or files
    form = format or (
        evaluation.ResultFormat.table if is_read_by_people else evaluation.ResultFormat.json
    )
    if not (files and is_closed(sys.stdout)):
        _show(render(document, form.value), form)
    return form


def _show(content: bytes, form: evaluation.ResultFormat) -> None:
    """Write to stdout: text for people in its encoding, all else in UTF-8."""
    if form == evaluation.ResultFormat.table:
        sys.stdout.write(content.decode())
    else:
        sys.stdout.buffer.write(content)
    sys.stdout.flush()


def _finish(document: "Document", is_table: bool, gate_exit_code: int, quiet: bool) -> None:
    """Say what is worth a line and every gate's verdict; end with the code that goes with them."""
    from oea_cli.evaluation.output.notes import notes

    say = notices("eval")
    if not (quiet or is_table):
        for note in notes(document):
            say(note)
    for gate in document.get("gates", []):
        tell(_verdict(gate, gate_exit_code))
    if not document.get("passed", True):
        raise typer.Exit(gate_exit_code)


def _verdict(gate: "Document", exit_code: int) -> Message:
    """What is said of a gate; one that is not met is why the verb fails."""
    text = f"oea eval: {gate['verdict']}"
    return Message(text) if gate["passed"] else Message(text, level="error", code=exit_code)
