"""`oea gen-queries`: user-intent queries from captions, written by rules or models, all checked."""

from pathlib import Path
from typing import TYPE_CHECKING

from oea_cli.commands.console.standard_input import or_stdin
from oea_cli.commands.console.terminal import FailureLog, Progress, notices, say
from oea_cli.commands.options.generation import (
    DEFAULT_ANSWERS,
    AnswersOption,
    AskAgainOption,
    CheckOption,
    CountsFormatOption,
    DatasetOption,
    DryRunOption,
    HardNegativesOption,
    InputsArgument,
    LlmModelOption,
    LlmOption,
    MaxCostOption,
    PriceInOption,
    PriceOutOption,
    RejectsOption,
    RetriesOption,
    TimeoutOption,
    TypeOption,
    WorkersOption,
    WriterDeviceOption,
)
from oea_cli.commands.options.shared import (
    AllowEmptyOption,
    ErrorsOption,
    LimitOption,
    OnError,
    OnErrorOption,
    OutputOption,
    QuietOption,
    SeedOption,
    TableFormat,
    VerboseOption,
)
from oea_cli.errors import OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.query_generation.generation import Generation


def gen_queries(
    inputs: InputsArgument = None,
    hard_negatives: HardNegativesOption = None,
    limit: LimitOption = None,
    type: TypeOption = None,
    check: CheckOption = False,
    llm: LlmOption = None,
    llm_model: LlmModelOption = None,
    device: WriterDeviceOption = "auto",
    answers: AnswersOption = None,
    dry_run: DryRunOption = False,
    max_cost: MaxCostOption = None,
    output: OutputOption = "-",
    rejects: RejectsOption = None,
    format: CountsFormatOption = TableFormat.table,
    quiet: QuietOption = False,
    on_error: OnErrorOption = OnError.skip,
    errors: ErrorsOption = None,
    allow_empty: AllowEmptyOption = False,
    verbose: VerboseOption = False,
    workers: WorkersOption = 4,
    ask_again: AskAgainOption = 2,
    timeout: TimeoutOption = 60.0,
    retries: RetriesOption = 4,
    price_in: PriceInOption = 0.0,
    price_out: PriceOutOption = 0.0,
    dataset: DatasetOption = None,
    seed: SeedOption = 0,
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
    from oea_cli.query_generation.generation import (
        GenerationOptions,
        estimate_table,
        prepare_generation,
    )
    from oea_cli.query_generation.models.opening import CallOptions, WriterNames
    from oea_cli.query_generation.output import write_counts

    names = or_stdin(
        inputs, "nothing to read; name files of records with captions, or pipe them in"
    )
    with FailureLog("gen-queries", on_error.value, errors) as log:
        if check:
            if llm or hard_negatives or dry_run:
                raise UsageError(
                    "--check writes no queries; leave out --llm, --hard-negatives and --dry-run"
                )
            _check(names, type or [], limit, rejects, format, output, allow_empty, log)
            return
        is_stdout = output == "-"
        options = GenerationOptions(
            answers=answers or Path(DEFAULT_ANSWERS if is_stdout else f"{output}.answers.jsonl"),
            types=type or [],
            dataset=dataset,
            limit=limit,
            writers=WriterNames(llm or ["rules"], llm_model or [], device),
            calls=CallOptions(workers, timeout, retries, ask_again, price_in, price_out, max_cost),
            seed=seed,
            allow_empty=allow_empty,
        )
        generation = prepare_generation(
            names, hard_negatives, options, report=log.report, notice=notices("gen-queries", quiet)
        )
        if dry_run:
            as_json = format is TableFormat.json
            write_counts(generation.estimate(), estimate_table, output, as_json=as_json)
        else:
            _generate(generation, output, rejects, quiet, log)


def _generate(
    generation: "Generation", output: str, rejects: Path | None, quiet: bool, log: FailureLog
) -> None:
    from oea_cli.query_generation.generation import save_generated

    progress = Progress("gen-queries", "queries", len(generation.tasks), quiet)

    def tell_waiting(waiting: int) -> None:
        progress.close()
        say(f"oea gen-queries: waiting for {waiting} answers that are paid for; ^C again to leave")

    try:
        generated = generation.run(advance=progress.advance, on_wait=tell_waiting)
    finally:
        progress.close()
    save_generated(generated, output, rejects=rejects, report=log.report)
    notices("gen-queries", quiet)(generation.summary(generated))
    generation.raise_if_stopped(generated)
    log.finish(len(generated.rows), "row")


def _check(
    names: list[str],
    types: list[str],
    limit: int | None,
    rejects: Path | None,
    format: TableFormat,
    output: str,
    allow_empty: bool,
    log: FailureLog,
) -> None:
    from oea_cli.query_generation.checking import check_files, save_broken, summary, summary_table
    from oea_cli.query_generation.output import write_counts

    checked = check_files(names, types=types, limit=limit, report=log.report)
    if not checked and not log.count and not allow_empty:
        raise OeaError(f"no queries in {', '.join(names)}; --allow-empty permits it")
    write_counts(summary(checked), summary_table, output, as_json=format is TableFormat.json)
    save_broken(checked, rejects)
    log.finish(len(checked), "row")
