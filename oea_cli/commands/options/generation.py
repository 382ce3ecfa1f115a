"""The options of `oea gen-queries`."""

from pathlib import Path
from typing import Annotated

from oea_cli.commands.options.panels import INPUT, OUTPUT, RARE, Panel
from oea_cli.commands.options.shared import TableFormat

QUERIES = Panel("Which queries")
WRITERS = Panel("Who writes them")
DEFAULT_ANSWERS = "gen-queries.answers.jsonl"


InputsArgument = Annotated[
    list[str] | None,
    INPUT.argument(
        metavar="INPUTS",
        help="Records with captions: JSONL, CSV, Parquet, published caption files, "
        "hard-negative pairs, or - for stdin; with --check: files of queries.",
    ),
]
HardNegativesOption = Annotated[
    str | None,
    INPUT.option(
        metavar="PAIRS", help="Hard-negative pairs (JSONL): each gives one negative query."
    ),
]
TypeOption = Annotated[
    list[str] | None,
    QUERIES.option(
        "--type",
        "-t",
        metavar="TYPE",
        help="question, imperative, keyphrase, paraphrase or negative (repeatable) [default: all].",
    ),
]
CheckOption = Annotated[
    bool,
    QUERIES.option(
        "--check", help="Write nothing; check files of queries, anyone's, against the same rules."
    ),
]
LlmOption = Annotated[
    list[str] | None,
    WRITERS.option(
        metavar="WRITER",
        help="rules (offline), http://HOST/v1 (OpenAI-compatible) or hf:ID (a local model); "
        "repeat it to mix writers, each time is one share [default: rules].",
    ),
]
LlmModelOption = Annotated[
    list[str] | None,
    WRITERS.option(
        metavar="NAME",
        help="Model of the server; with several servers, one for each in their order.",
    ),
]
AnswersOption = Annotated[
    Path | None,
    WRITERS.option(
        metavar="FILE",
        help="File that keeps every answer of a model, so that none is asked for twice "
        "[default: OUTPUT.answers.jsonl; for stdout "
        f"{DEFAULT_ANSWERS}].",
    ),
]
DryRunOption = Annotated[
    bool,
    WRITERS.option("--dry-run", help="Ask nothing; print the calls, tokens and cost to expect."),
]
MaxCostOption = Annotated[
    float | None,
    WRITERS.option(
        min=0, metavar="C", help="Stop asking before the calls of this run could cost more than C."
    ),
]
WriterDeviceOption = Annotated[
    str,
    WRITERS.option(
        "--device",
        metavar="auto|cpu|cuda|cuda:1|mps",
        help="Where a local model (hf:ID) runs.",
    ),
]
CountsFormatOption = Annotated[
    TableFormat, OUTPUT.option("--format", "-f", help="How --check and --dry-run print counts.")
]
RejectsOption = Annotated[
    Path | None,
    OUTPUT.option(
        metavar="FILE",
        help="Also write the queries that broke a rule to the last, with the reason.",
    ),
]
WorkersOption = Annotated[
    int, RARE.option("--workers", "-j", min=1, metavar="N", help="Calls to a server at a time.")
]
AskAgainOption = Annotated[
    int,
    RARE.option(min=0, metavar="N", help="Further tries a model gets when a query breaks a rule."),
]
TimeoutOption = Annotated[
    float, RARE.option(min=0.1, metavar="S", help="Seconds a server has for an answer.")
]
RetriesOption = Annotated[
    int,
    RARE.option(
        min=0, metavar="N", help="How often a failed call is repeated (429, 5xx, no answer)."
    ),
]
PriceInOption = Annotated[
    float, RARE.option(min=0, metavar="P", help="Price of a million tokens sent.")
]
PriceOutOption = Annotated[
    float, RARE.option(min=0, metavar="P", help="Price of a million tokens received.")
]
DatasetOption = Annotated[
    str | None,
    RARE.option(
        metavar="NAME", help="Dataset named in the rows [default: the record's, else the file's]."
    ),
]
