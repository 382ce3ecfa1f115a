"""`oea gen-queries`: user-intent queries from captions, written by rules or models, all checked."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from oea_cli.errors import Failure, OeaError, PartialError, UsageError

if TYPE_CHECKING:
    from oea_cli.clips.clip import Clip
    from oea_cli.query_generation.answers import AnswerFile
    from oea_cli.query_generation.asking import Budget
    from oea_cli.query_generation.generation import Generated, Generator
    from oea_cli.query_generation.tasks import Task
    from oea_cli.query_generation.writers import ModelWriter

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


@dataclass(frozen=True)
class Calls:
    """How servers are asked, and what that may cost."""

    workers: int
    timeout: float
    retries: int
    ask_again: int
    price_in: float
    price_out: float
    max_cost: float | None


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
    names = _names(inputs)
    with FailureLog("gen-queries", on_error.value, errors) as log:
        if check:
            _refuse_with_check(llm, hard_negatives, dry_run)
            _check(names, log, type, limit, rejects, format, output, allow_empty)
            return
        tasks = _tasks(names, hard_negatives, type, dataset, limit, log, quiet)
        if not tasks and not allow_empty:
            places = "stdin" if names == ["-"] else ", ".join(names)
            raise OeaError(f"no clips with captions in {places}; --allow-empty permits it")
        calls = Calls(workers, timeout, retries, ask_again, price_in, price_out, max_cost)
        generator, progress = _generator(
            llm or ["rules"], llm_model or [], calls, _answers_path(answers, output),
            seed, device, len(tasks), quiet,
        )  # fmt: skip
        if dry_run:
            _print(generator.estimate(tasks), format, _estimate_lines, output)
            return
        _write_queries(generator, tasks, progress, log, output, rejects, quiet)


def _names(inputs: list[str] | None) -> list[str]:
    if inputs:
        return inputs
    if sys.stdin.isatty():
        raise UsageError("nothing to read; name files of records with captions, or pipe them in")
    return ["-"]


def _refuse_with_check(llm: list[str] | None, hard_negatives: str | None, dry_run: bool) -> None:
    if llm or hard_negatives or dry_run:
        raise UsageError("--check reads queries that are there; leave the options of writing out")


# --- writing ---


def _tasks(
    names: list[str],
    hard_negatives: str | None,
    types: list[str] | None,
    dataset: str | None,
    limit: int | None,
    log: FailureLog,
    quiet: bool,
) -> "list[Task]":
    from oea_cli.clips.clip import read_clips
    from oea_cli.clips.pairs import read_pairs
    from oea_cli.clips.query_types import NEGATIVE, types_named
    from oea_cli.query_generation.tasks import tasks_of

    wanted = types_named(types or [])
    if names.count("-") + (hard_negatives == "-") > 1:
        raise UsageError("stdin can be read once: as the clips or as --hard-negatives")
    pairs = read_pairs(hard_negatives) if hard_negatives is not None else []
    clips, more = read_clips(names, report=log.report, dataset=dataset)
    pairs += more
    if not pairs and NEGATIVE in wanted and clips:
        if types:
            raise UsageError("negative queries leave out a hard negative; give --hard-negatives")
        if not quiet:
            say("oea gen-queries: no --hard-negatives, so no negative queries")
    tasks = tasks_of(clips[:limit], pairs, wanted)
    _name_strangers(pairs, clips, limit, quiet)
    return tasks


def _name_strangers(pairs: list[Any], clips: "list[Clip]", limit: int | None, quiet: bool) -> None:
    known = {clip.id for clip in clips}
    strangers = [pair for pair in pairs if pair.target not in known]
    if strangers and not quiet:
        say(
            f"oea gen-queries: {len(strangers)} of {len(pairs)} pairs have a target that is none "
            f"of the clips, such as '{strangers[0].target}'"
        )


def _answers_path(answers: Path | None, output: str) -> Path:
    if answers is not None:
        return answers
    return Path(DEFAULT_ANSWERS if output == "-" else f"{output}.answers.jsonl")


def _generator(
    llm: list[str],
    models: list[str],
    calls: Calls,
    answers: Path,
    seed: int,
    device: str,
    num_tasks: int,
    quiet: bool,
) -> "tuple[Generator, Progress]":
    from oea_cli.query_generation.answers import AnswerFile
    from oea_cli.query_generation.asking import Asker, Budget
    from oea_cli.query_generation.generation import Generator
    from oea_cli.query_generation.writers import Dealer

    shares, writers = _writers(llm, models, calls, seed, device)
    budget = Budget(calls.price_in, calls.price_out, calls.max_cost)
    if calls.max_cost is not None and not (calls.price_in or calls.price_out):
        raise UsageError("--max-cost needs prices; give --price-in and --price-out")
    kept = AnswerFile(answers) if writers else None
    progress = Progress("gen-queries", "queries", num_tasks, quiet)

    def tell_waiting(waiting: int) -> None:
        progress.close()
        say(f"oea gen-queries: waiting for {waiting} answers that are paid for; ^C again to leave")

    asker = None
    if kept is not None:
        asker = Asker(kept, budget, workers=calls.workers, on_wait=tell_waiting)
    generator = Generator(
        Dealer(shares, seed), writers, kept, budget, asker, seed, calls.ask_again, progress.advance
    )
    return generator, progress


def _writers(
    llm: list[str], models: list[str], calls: Calls, seed: int, device: str
) -> "tuple[list[str], dict[str, ModelWriter]]":
    """The writers' names, one per share, and those that are models."""
    from oea_cli.query_generation.endpoint import EndpointWriter
    from oea_cli.query_generation.local_model import LocalWriter
    from oea_cli.query_generation.writers import RULES_NAME

    servers = list(dict.fromkeys(name for name in llm if "://" in name))
    if len(models) != len(servers):
        raise UsageError(
            f"{len(servers)} servers and {len(models)} models; give one --llm-model per server"
        )
    model_of = dict(zip(servers, models, strict=True))
    writers: dict[str, ModelWriter] = {}
    shares = []
    for name in llm:
        if name == RULES_NAME:
            shares.append(RULES_NAME)
        elif name.startswith("hf:") and name != "hf:":
            writers.setdefault(name.removeprefix("hf:"), LocalWriter(name[3:], device))
            shares.append(name.removeprefix("hf:"))
        elif name.startswith(("http://", "https://")):
            model = model_of[name]
            if model not in writers:
                writers[model] = EndpointWriter(
                    name, model, workers=calls.workers, timeout=calls.timeout,
                    retries=calls.retries, seed=seed,
                )  # fmt: skip
            shares.append(model)
        else:
            raise UsageError(f"--llm '{name}': write rules, http://HOST/v1 or hf:ID")
    return shares, writers


def _write_queries(
    generator: "Generator",
    tasks: "list[Task]",
    progress: Progress,
    log: FailureLog,
    output: str,
    rejects: Path | None,
    quiet: bool,
) -> None:
    try:
        done = generator.run(tasks)
    finally:
        progress.close()
        if generator.answers is not None:
            generator.answers.close()
    _write_lines([draft.reject() for draft in done.rejected], rejects)
    if done.rows or not done.drafts:  # an earlier result is not replaced by nothing
        _write_rows(done.rows, output)
    for draft in done.failed:
        log.report(Failure(draft.task.clip.where, f"{draft.task.id}: {draft.error}", draft.task.id))
    if rejects is None:
        for draft in done.rejected:
            reason = str(draft.attempts[-1].violations[0])
            log.report(Failure(draft.task.clip.where, f"{draft.task.id}: {reason}", draft.task.id))
    if not quiet:
        _summarise(done, generator.budget)
    if done.stopped is not None and done.not_asked:
        _stop(done, generator.answers)
    log.finish(len(done.rows), "row")


def _stop(done: "Generated", answers: "AnswerFile | None") -> None:
    kept = f"; what was answered is kept in {answers.path}" if answers is not None else ""
    text = (
        f"stopped: {done.stopped}; {len(done.not_asked)} of {len(done.drafts)} queries were not "
        f"asked{kept}"
    )
    raise PartialError(text) if done.rows else OeaError(text)


def _summarise(done: "Generated", budget: "Budget") -> None:
    parts = [f"{len(done.rows)} queries"]
    if done.rejected:
        parts.append(f"{len(done.rejected)} set aside")
    if budget.calls or done.num_remembered:
        parts.append(f"{budget.calls} answers asked for, {done.num_remembered} at hand")
        parts.append(f"{budget.tokens_in} tokens in, {budget.tokens_out} out")
    if budget.spent:
        parts.append(f"cost {budget.spent:.4f}")
    say(f"oea gen-queries: {'; '.join(parts)}")


# --- checking ---


def _check(
    names: list[str],
    log: FailureLog,
    types: list[str] | None,
    limit: int | None,
    rejects: Path | None,
    format: Format,
    output: str,
    allow_empty: bool,
) -> None:
    from itertools import chain, islice

    from oea_cli.clips.query_types import types_named
    from oea_cli.query_generation.checking import check, summary
    from oea_cli.query_generation.release_rows import read_release
    from oea_cli.records.tables import read_table

    rows = chain.from_iterable(read_table(name, report=log.report) for name in names)
    wanted = types_named(types or [])
    queries = read_release(islice(rows, limit), log.report)
    checked = check([each for each in queries if each.query.type in wanted])
    if not checked and not log.count and not allow_empty:
        raise OeaError(f"no queries in {', '.join(names)}; --allow-empty permits it")
    bad = [each for each in checked if each.violations]
    _write_lines(
        [
            {
                **each.released.row,
                "where": each.released.where,
                "reasons": [str(violation) for violation in each.violations],
            }
            for each in bad
        ],
        rejects,
    )
    _print(summary(checked), format, _check_lines, output)
    if bad:
        told = "" if rejects is not None else "; --rejects FILE names them"
        raise PartialError(f"{len(bad)} of {len(checked)} queries break a rule{told}")
    log.finish(len(checked), "row")


def _check_lines(counts: dict[str, Any]) -> list[str]:
    """A table: a line per type and, below it, one per rule."""
    lines = [f"{'type and rule':<16} {'rows':>6} {'keep it':>8} {'%':>6}"]

    def line(name: str, kept: int, rows: int) -> str:
        return f"{name:<16} {rows:>6} {kept:>8} {100 * kept / rows:>6.1f}"

    for name, of_type in counts.items():
        lines.append(line(name, of_type["pass"], of_type["rows"]))
        if "within_2_words" in of_type:
            lines.append(line("  within 2 words", of_type["within_2_words"], of_type["rows"]))
        lines += [line(f"  {rule}", n, of_type["rows"]) for rule, n in of_type["rules"].items()]
    return lines


def _estimate_lines(estimate: dict[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' '):<16} {value:>12,}" for name, value in estimate.items()]


# --- what goes out ---


def _print(
    content: dict[str, Any],
    format: Format,
    lines_of: Callable[[dict[str, Any]], list[str]],
    output: str,
) -> None:
    import json

    if format is Format.json:
        text = json.dumps(content, indent=2) + "\n"
    else:
        text = "\n".join(lines_of(content)) + "\n"
    _write_text(text.encode(), output)


def _write_rows(rows: list[dict[str, Any]], output: str) -> None:
    from oea_cli.records.json_lines import as_json

    _write_text("".join(as_json(row) + "\n" for row in rows).encode(), output)


def _write_lines(rows: list[dict[str, Any]], path: Path | None) -> None:
    if path is not None:
        _write_rows(rows, str(path))


def _write_text(content: bytes, output: str) -> None:
    from oea_cli.records.artefacts import write_whole

    if output == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write_whole(Path(output), content)
