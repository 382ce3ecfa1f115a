"""`oea eval`: how well a ranking, anyone's vectors or an index answers judged queries."""

import json
import os
import sys
from collections.abc import Sequence
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
    OverridesOption,
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
    Dtype,
    DtypeOption,
    QuietOption,
    SeedOption,
    TrustRemoteCodeOption,
    VerboseOption,
)
from oea_cli.errors import UsageError

if TYPE_CHECKING:
    from oea_cli.evaluation.results import Results
    from oea_cli.evaluation.setting import Document

DEFAULT_INDEX = "index.oea"


SUFFIXES = {
    ".json": ResultFormat.json,
    ".md": ResultFormat.markdown,
    ".xml": ResultFormat.junit,
    ".txt": ResultFormat.table,
}


def evaluate(
    recipe: RecipeArgument = None,
    overrides: OverridesOption = None,
    queries: QueriesOption = None,
    index: IndexOption = None,
    corpus: CorpusOption = None,
    run: RunOption = None,
    qrels: QrelsOption = None,
    metric: MetricOption = None,
    list_metrics: ListMetricsOption = False,
    task: TaskOption = EvalTask.text_to_audio,
    captions: CaptionsOption = CaptionsAsked.all,
    seed: SeedOption = 0,
    ties: TiesOption = TieRule.strict,
    within: WithinOption = None,
    allow_missing: AllowMissingOption = False,
    baseline: BaselineOption = None,
    fail_under: FailUnderOption = None,
    max_drop: MaxDropOption = None,
    alpha: AlphaOption = None,
    gate_exit_code: GateExitCodeOption = 4,
    check_leaks: CheckLeaksOption = None,
    output: OutputsOption = None,
    report: ReportOption = None,
    format: ResultFormatOption = None,
    model: IndexModelOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = Dtype.auto,
    trust_remote_code: TrustRemoteCodeOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Measure how well an index, vectors or a run answer queries whose targets are known.

    Ranks are exact. Intervals are 95 % bootstrap intervals over target clips; a
    baseline is tested against by paired permutation. Without --queries, the
    captions of the index ask. Exit code 4: a gate is not met. Clips that were
    trained on (--check-leaks) are a warning, or with --fail-under leaks=0 a gate.

    \b
    Examples:
      oea eval --queries uiq.jsonl -i sounds.oea --fail-under hnsr@10=0.3
      oea eval -i sounds.oea --task text-to-text
      oea eval --queries q.npy --corpus c.parquet -M r@10
      oea eval --run run.trec --qrels qrels.txt -M ndcg@10 -f json
      oea eval --run a.trec --qrels qrels.txt --baseline b.trec --max-drop r@10=0
      oea eval recipes/paper-eval.yaml -o results/ --set uiq=~/UIQ
    """
    from oea_cli.vectors.scan.threads import leave_threads_to_us

    leave_threads_to_us()
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
    files = _checked_files(output or [])
    page = None if report is None else _checked_page(report)
    from oea_cli.evaluation.evaluate import evaluate as evaluate_inputs

    with FailureLog("eval") as log:
        results = evaluate_inputs(
            queries=queries,
            index=index or (None if corpus or run else _default_index()),
            corpus=corpus,
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
        _finish(document, form == ResultFormat.table, gate_exit_code, quiet)
        log.finish(len(results.outcomes) - document["counts"].get("queries_not_encoded", 0))


def _default_index() -> str:
    return os.environ.get("OEA_INDEX") or DEFAULT_INDEX


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
    from oea_cli.evaluation.paper import rendering as paper_rendering
    from oea_cli.evaluation.paper import run as paper_run
    from oea_cli.evaluation.paper import units as paper_units
    from oea_cli.evaluation.paper.recipe import load_paper_recipe

    if recipe is None:
        raise UsageError("--set replaces a recipe's value; name the recipe: oea eval RECIPE")
    if other_inputs:
        raise UsageError(f"{recipe}: a recipe says what is measured; leave the other options out")
    writers = {
        ResultFormat.table: paper_rendering.comparison_table,
        ResultFormat.markdown: paper_rendering.comparison_markdown,
        ResultFormat.json: paper_rendering.comparison_json,
    }
    writer = writers.get(format or ResultFormat.table)
    if writer is None:
        raise UsageError("a recipe's comparison is written as table, json or markdown")
    if len(output) > 1 or any(Path(name).is_file() for name in output):
        raise UsageError("with a recipe, -o is the one folder of the results")
    folders = [f"output={json.dumps(name)}" for name in output]
    loaded = load_paper_recipe(recipe, [*overrides, *folders])
    paper_run.check_inputs(loaded)
    log, inputs = FailureLog("eval"), FailureLog("eval")
    notice = _ignore if quiet else _say
    hear = paper_run.Listeners(log.report, inputs.report, notice)
    measured = paper_run.run_paper(loaded, device, hear)
    sys.stdout.write(writer(paper_units.beside_paper(loaded, measured)))
    sys.stdout.flush()
    log.finish(len(measured), "part")
    inputs.finish(len(measured))


def _say(text: object) -> None:
    say(f"oea eval: {text}")


def _ignore(text: object) -> None:
    pass


def _list_metrics() -> None:
    from oea_cli.metrics.metrics import explained

    for line in explained():
        typer.echo(line)


def _checked_files(names: Sequence[str]) -> dict[Path, ResultFormat]:
    files = {}
    for name in names:
        form = SUFFIXES.get(Path(name).suffix.lower())
        if form is None:
            raise UsageError(f"-o {name}: name it X.json, X.md, X.xml (JUnit) or X.txt")
        if not Path(name).parent.is_dir():
            raise UsageError(f"-o {name}: there is no folder {Path(name).parent}; make it first")
        files[Path(name)] = form
    return files


def _checked_page(name: str) -> Path:
    """Refuse a report that cannot be written, before anything is measured."""
    from oea_cli.evaluation.output.report.page import check_installed

    page = Path(name)
    if page.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--report {name}: name it X.html")
    if not page.parent.is_dir():
        raise UsageError(f"--report {name}: there is no folder {page.parent}; make it first")
    check_installed()
    return page


def _write_page(page: Path, results: "Results") -> None:
    from oea_cli.evaluation.output.report.page import to_report
    from oea_cli.records.artefacts import write_whole

    write_whole(page, to_report(results.document, results.evidence, page.parent))


def _write(
    document: "Document", format: ResultFormat | None, files: dict[Path, ResultFormat]
) -> ResultFormat:
    """Write the results to stdout, to the files, and to the job's page on GitHub.

    Returns the form that stdout got.
    """
    from oea_cli.evaluation.output.rendering import render
    from oea_cli.records.artefacts import write_whole

    for path, form in files.items():
        write_whole(path, render(document, form.value))
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append_summary(page, render(document, "markdown"))
    is_read_by_people = sys.stdout.isatty() or files
    form = format or (ResultFormat.table if is_read_by_people else ResultFormat.json)
    sys.stdout.buffer.write(render(document, form.value))
    sys.stdout.flush()
    return form


def _append_summary(page: str, content: bytes) -> None:
    """Add to the job's page; one that cannot be written must not cost the results."""
    try:
        with Path(page).open("ab") as stream:
            stream.write(content)
    except OSError as error:
        say(f"oea eval: {page}: no summary written ({error.strerror})")


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
