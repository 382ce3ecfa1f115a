"""The options of `oea gen-queries`."""

from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.options.panels import INPUT, OUTPUT, RARE
from oea_cli.commands.options.shared import TableFormat

QUERIES = "Which queries"
WRITERS = "Who writes them"
DEFAULT_ANSWERS = "gen-queries.answers.jsonl"


InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUTS",
        help="Records with captions: JSONL, CSV, Parquet, published caption files, "
        "hard-negative pairs, or - for stdin; with --check: files of queries.",
        rich_help_panel=INPUT,
    ),
]
HardNegativesOption = Annotated[
    str | None,
    typer.Option(
        metavar="PAIRS",
        help="Hard-negative pairs (JSONL): each gives one negative query.",
        rich_help_panel=INPUT,
    ),
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        "-t",
        metavar="TYPE",
        help="question, imperative, keyphrase, paraphrase or negative (repeatable) [default: all].",
        rich_help_panel=QUERIES,
    ),
]
CheckOption = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Write nothing; check files of queries, anyone's, against the same rules.",
        rich_help_panel=QUERIES,
    ),
]
LlmOption = Annotated[
    list[str] | None,
    typer.Option(
        envvar="OEA_LLM",
        metavar="WRITER",
        help="rules (offline), http://HOST/v1 (OpenAI-compatible) or hf:ID (a local model); "
        "repeat it to mix writers, each time is one share [default: rules].",
        rich_help_panel=WRITERS,
    ),
]
LlmModelOption = Annotated[
    list[str] | None,
    typer.Option(
        envvar="OEA_LLM_MODEL",
        metavar="NAME",
        help="Model of the server; with several servers, one for each in their order.",
        rich_help_panel=WRITERS,
    ),
]
AnswersOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File that keeps every answer of a model, so that none is asked for twice "
        "[default: OUTPUT.answers.jsonl; for stdout "
        f"{DEFAULT_ANSWERS}].",
        rich_help_panel=WRITERS,
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Ask nothing; print the calls, tokens and cost to expect.",
        rich_help_panel=WRITERS,
    ),
]
MaxCostOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="C",
        help="Stop asking before the calls of this run could cost more than C.",
        rich_help_panel=WRITERS,
    ),
]
WriterDeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        envvar="OEA_DEVICE",
        metavar="auto|cpu|cuda|cuda:1|mps",
        help="Where a local model (hf:ID) runs.",
        rich_help_panel=WRITERS,
    ),
]
CountsFormatOption = Annotated[
    TableFormat,
    typer.Option(
        "--format", "-f", help="How --check and --dry-run print counts.", rich_help_panel=OUTPUT
    ),
]
RejectsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Also write the queries that broke a rule to the last, with the reason.",
        rich_help_panel=OUTPUT,
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers",
        "-j",
        min=1,
        metavar="N",
        help="Calls to a server at a time.",
        rich_help_panel=RARE,
    ),
]
AskAgainOption = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Further tries a model gets when a query breaks a rule.",
        rich_help_panel=RARE,
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        min=0.1,
        metavar="S",
        help="Seconds a server has for an answer.",
        rich_help_panel=RARE,
    ),
]
RetriesOption = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="How often a failed call is repeated (429, 5xx, no answer).",
        rich_help_panel=RARE,
    ),
]
PriceInOption = Annotated[
    float,
    typer.Option(
        min=0,
        metavar="P",
        help="Price of a million tokens sent.",
        rich_help_panel=RARE,
    ),
]
PriceOutOption = Annotated[
    float,
    typer.Option(
        min=0,
        metavar="P",
        help="Price of a million tokens received.",
        rich_help_panel=RARE,
    ),
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Dataset named in the rows [default: the record's, else the file's].",
        rich_help_panel=RARE,
    ),
]
