"""`oea gen-queries`: user-intent queries from captions, written by rules or models, all checked."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oea_cli.commands.console.terminal import FailureLog, Progress, say
from oea_cli.commands.options.shared import (
    AllowEmptyOption,
    DeviceOption,
    ErrorsOption,
    LimitOption,
    OnError,
    OnErrorOption,
    OutputOption,
    QuietOption,
    SeedOption,
    VerboseOption,
)
from oea_cli.errors import OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.query_generation.generation import Generation

DEFAULT_ANSWERS = "gen-queries.answers.jsonl"


class Format(StrEnum):
    """Of what --check and --dry-run print."""

    table = "table"
    json = "json"


InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUTS",
        help="Records with captions: JSONL, CSV, Parquet, published caption files, hard-negative "
        "pairs, or - for stdin; with --check: files of queries.",
    ),
]
HardNegativesOption = Annotated[
    str | None,
    typer.Option(
        metavar="PAIRS", help="Hard-negative pairs (JSONL): one negative query is made of each."
    ),
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        "-t",
        metavar="TYPE",
        help="question, imperative, keyphrase, paraphrase or negative; repeatable [default: all].",
    ),
]
LlmOption = Annotated[
    list[str] | None,
    typer.Option(
        envvar="OEA_LLM",
        metavar="WRITER",
        help="Who writes: rules (offline), http://HOST/v1 (OpenAI-compatible) or hf:ID (a local "
        "model); repeat it to mix, each time is one share [default: rules].",
    ),
]
LlmModelOption = Annotated[
    list[str] | None,
    typer.Option(
        envvar="OEA_LLM_MODEL",
        metavar="NAME",
        help="Model of the server; repeat it for several servers, in their order.",
    ),
]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where every answer of a model is kept as it arrives, and looked up first "
        f"[default: OUTPUT.answers.jsonl, for stdout {DEFAULT_ANSWERS}].",
    ),
]
RejectsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write queries that break a rule to the last here, with the reason."
    ),
]
AskAgainOption = Annotated[
    int, typer.Option(min=0, metavar="N", help="Further tries that a model gets, with the reason.")
]
WorkersOption = Annotated[
    int, typer.Option("--workers", "-j", min=1, metavar="N", help="Calls of a server at a time.")
]
TimeoutOption = Annotated[
    float, typer.Option(min=0.1, metavar="S", help="Seconds that a server has for an answer.")
]
RetriesOption = Annotated[
    int,
    typer.Option(min=0, metavar="N", help="Repeats of a call that failed (429, 5xx, no answer)."),
]
PriceInOption = Annotated[
    float, typer.Option(min=0, metavar="P", help="Price of a million tokens sent.")
]
PriceOutOption = Annotated[
    float, typer.Option(min=0, metavar="P", help="Price of a million tokens received.")
]
MaxCostOption = Annotated[
    float | None,
    typer.Option(
        min=0, metavar="C", help="Ask nothing more before this run's calls could cost more."
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Ask nothing; print calls, tokens and cost.")
]
CheckOption = Annotated[
    bool, typer.Option("--check", help="Check files of queries, anyone's, by the same rules.")
]
FormatOption = Annotated[
    Format, typer.Option("--format", "-f", help="Of what --check and --dry-run print.")
]
DatasetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Dataset in the rows [default: the record's, the file's]."),
]


def gen_queries(
    inputs: InputsArgument = None,
    hard_negatives: HardNegativesOption = None,
    type: TypeOption = None,
    llm: LlmOption = None,
    llm_model: LlmModelOption = None,
    output: OutputOption = "-",
    rejects: RejectsOption = None,
    answers: AnswersOption = None,
    ask_again: AskAgainOption = 2,
    workers: WorkersOption = 4,
    timeout: TimeoutOption = 60.0,
    retries: RetriesOption = 4,
    price_in: PriceInOption = 0.0,
    price_out: PriceOutOption = 0.0,
    max_cost: MaxCostOption = None,
    dry_run: DryRunOption = False,
    check: CheckOption = False,
    format: FormatOption = Format.table,
    dataset: DatasetOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    limit: LimitOption = None,
    on_error: OnErrorOption = OnError.skip,
    errors: ErrorsOption = None,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write queries that people would type: questions, commands, key phrases, exclusions.

    Rows go out as the UIQ release has them, with the hard negative's id; `oea eval --queries`
    reads them. Every query keeps the rules: the caption's words and length (two words more or
    less), the form of its type, no file names, nothing twice. A model is told what is wrong and
    asked again; what still breaks a rule is set aside (--rejects). Answers of models are kept in a
    file as they arrive: run again, and nothing is asked twice. The server's key is read from
    OEA_LLM_KEY or OPENAI_API_KEY.

    \b
    Examples:
      oea gen-queries clips.jsonl --hard-negatives pairs.jsonl > uiq.jsonl
      oea gen-queries clips.jsonl -t question -t keyphrase -o uiq.jsonl
      oea gen-queries clips.jsonl --llm http://localhost:8000/v1 --llm-model NAME
      oea gen-queries clips.jsonl --llm hf:Qwen/Qwen2.5-1.5B-Instruct --dry-run
      oea gen-queries --check uiq.jsonl
    """
    from oea_cli.query_generation.generation import (
        GenerationOptions,
        estimate_table,
        prepare_generation,
    )
    from oea_cli.query_generation.models.opening import CallOptions, WriterNames
    from oea_cli.query_generation.output import write_counts

    names = _names(inputs)
    with FailureLog("gen-queries", on_error.value, errors) as log:
        if check:
            if llm or hard_negatives or dry_run:
                raise UsageError(
                    "--check reads queries that are there; leave the options of writing out"
                )
            _check(names, type or [], limit, rejects, format, output, allow_empty, log)
            return
        options = GenerationOptions(
            answers=answers or _default_answers(output),
            types=type or [],
            dataset=dataset,
            limit=limit,
            writers=WriterNames(llm or ["rules"], llm_model or [], device),
            calls=CallOptions(workers, timeout, retries, ask_again, price_in, price_out, max_cost),
            seed=seed,
            allow_empty=allow_empty,
        )
        generation = prepare_generation(
            names, hard_negatives, options, report=log.report, notice=_notice(quiet)
        )
        if dry_run:
            as_json = format is Format.json
            write_counts(generation.estimate(), estimate_table, output, as_json=as_json)
        else:
            _generate(generation, output, rejects, quiet, log)


def _names(inputs: list[str] | None) -> list[str]:
    if inputs:
        return inputs
    if sys.stdin.isatty():
        raise UsageError("nothing to read; name files of records with captions, or pipe them in")
    return ["-"]


def _default_answers(output: str) -> Path:
    return Path(DEFAULT_ANSWERS if output == "-" else f"{output}.answers.jsonl")


def _notice(quiet: bool) -> Callable[[str], None]:
    return lambda text: None if quiet else say(f"oea gen-queries: {text}")


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
    _notice(quiet)(generation.summary(generated))
    generation.raise_if_stopped(generated)
    log.finish(len(generated.rows), "row")


def _check(
    names: list[str],
    types: list[str],
    limit: int | None,
    rejects: Path | None,
    format: Format,
    output: str,
    allow_empty: bool,
    log: FailureLog,
) -> None:
    from oea_cli.query_generation.checking import check_files, save_broken, summary, summary_table
    from oea_cli.query_generation.output import write_counts

    checked = check_files(names, types=types, limit=limit, report=log.report)
    if not checked and not log.count and not allow_empty:
        raise OeaError(f"no queries in {', '.join(names)}; --allow-empty permits it")
    write_counts(summary(checked), summary_table, output, as_json=format is Format.json)
    save_broken(checked, rejects)
    log.finish(len(checked), "row")
