"""`oea gen-queries`: user-intent queries from captions, written by rules or models, all checked."""

from pathlib import Path
from typing import TYPE_CHECKING

from oea_cli.commands.console.standard_input import or_stdin
from oea_cli.commands.console.terminal import FailureLog, Progress, notices, say
from oea_cli.commands.options import generation, shared
from oea_cli.errors import OeaError, UsageError, counted

if TYPE_CHECKING:
    from oea_cli.query_generation.generation import Generation


def gen_queries(
    inputs: generation.InputsArgument = None,
    hard_negatives: generation.HardNegativesOption = None,
    limit: shared.LimitOption = None,
    type: generation.TypeOption = None,
    check: generation.CheckOption = False,
    llm: generation.LlmOption = None,
    llm_model: generation.LlmModelOption = None,
    device: generation.WriterDeviceOption = "auto",
    answers: generation.AnswersOption = None,
    dry_run: generation.DryRunOption = False,
    max_cost: generation.MaxCostOption = None,
    output: shared.OutputOption = "-",
    rejects: generation.RejectsOption = None,
    format: generation.CountsFormatOption = shared.TableFormat.table,
    quiet: shared.QuietOption = False,
    on_error: shared.OnErrorOption = shared.OnError.skip,
    errors: shared.ErrorsOption = None,
    allow_empty: shared.AllowEmptyOption = False,
    verbose: shared.VerboseOption = False,
    workers: generation.WorkersOption = 4,
    ask_again: generation.AskAgainOption = 2,
    timeout: generation.TimeoutOption = 60.0,
    retries: generation.RetriesOption = 4,
    price_in: generation.PriceInOption = 0.0,
    price_out: generation.PriceOutOption = 0.0,
    dataset: generation.DatasetOption = None,
    seed: shared.SeedOption = 0,
) -> None:
    """Write the queries people would type for clips.

    Questions, commands, key phrases, paraphrases and exclusions are written from captions, in the
    form of the UIQ release and with the hard negative's id, for `oea eval --queries`. Every query
    keeps the rules: the caption's words and, give or take two, its length; the form of its type; no
    file names; nothing twice. A model that breaks a rule is asked again with the reason; what
    still breaks one is left out (see --rejects). Answers are kept in a file, so a second run asks
    for nothing twice. A server's key is read from OEA_LLM_KEY or OPENAI_API_KEY.

    \b
    Examples:
      oea gen-queries clips.jsonl --hard-negatives pairs.jsonl > uiq.jsonl
      oea gen-queries clips.jsonl --llm http://localhost:8000/v1 --llm-model NAME
      oea gen-queries --check uiq.jsonl
    """
    names = or_stdin(
        inputs, "nothing to read; name files of records with captions, or pipe them in"
    )
    if check and (llm or hard_negatives or dry_run):
        raise UsageError(
            "--check writes no queries; leave out --llm, --hard-negatives and --dry-run"
        )
    from oea_cli.query_generation.generation import (
        GenerationOptions,
        estimate_table,
        prepare_generation,
    )
    from oea_cli.query_generation.models.opening import CallOptions, WriterNames
    from oea_cli.query_generation.output import write_counts
    from oea_cli.records.artefacts import AtomicFile

    with FailureLog("gen-queries", on_error.value, errors) as log:
        if check:
            _check(names, type or [], limit, rejects, format, output, allow_empty, log)
            return
        is_stdout = output == "-"
        for place in (rejects, None if is_stdout else Path(output)):
            if place is not None:
                AtomicFile(place)  # raises where nothing can be written, before anything is paid
        options = GenerationOptions(
            answers=answers
            or Path(generation.DEFAULT_ANSWERS if is_stdout else f"{output}.answers.jsonl"),
            types=type or [],
            dataset=dataset,
            limit=limit,
            writers=WriterNames(llm or ["rules"], llm_model or [], device),
            calls=CallOptions(workers, timeout, retries, ask_again, price_in, price_out, max_cost),
            seed=seed,
            allow_empty=allow_empty,
        )
        prepared = prepare_generation(
            names, hard_negatives, options, report=log.report, notice=notices("gen-queries", quiet)
        )
        if dry_run:
            as_json = format is shared.TableFormat.json
            write_counts(prepared.estimate(), estimate_table, output, as_json=as_json)
        else:
            _generate(prepared, output, rejects, quiet, log)


def _generate(
    prepared: "Generation", output: str, rejects: Path | None, quiet: bool, log: FailureLog
) -> None:
    from oea_cli.query_generation.generation import save_generated

    progress = Progress("gen-queries", "queries", len(prepared.tasks), quiet)

    def tell_waiting(waiting: int) -> None:
        progress.close()
        say(f"oea gen-queries: waiting for {counted(waiting, 'paid answer')}; ^C again to leave")

    try:
        generated = prepared.run(advance=progress.advance, on_wait=tell_waiting)
    finally:
        progress.close()
    save_generated(generated, output, rejects=rejects, report=log.report)
    notices("gen-queries", quiet)(prepared.summary(generated))
    prepared.raise_if_stopped(generated)
    prepared.raise_if_none(generated, output)
    log.finish(len(generated.rows), "row")


def _check(
    names: list[str],
    types: list[str],
    limit: int | None,
    rejects: Path | None,
    format: shared.TableFormat,
    output: str,
    allow_empty: bool,
    log: FailureLog,
) -> None:
    from oea_cli.query_generation.checking import check_files, save_broken, summary, summary_table
    from oea_cli.query_generation.output import write_counts

    checked = check_files(names, types=types, limit=limit, report=log.report)
    if not checked and not log.count and not allow_empty:
        raise OeaError(f"no queries in {', '.join(names)}; --allow-empty permits it")
    write_counts(summary(checked), summary_table, output, as_json=format is shared.TableFormat.json)
    save_broken(checked, rejects)
    log.finish(len(checked), "row")
