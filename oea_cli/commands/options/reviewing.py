"""The options of `oea review`."""

from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.options.panels import INPUT, OUTPUT
from oea_cli.commands.options.shared import TableFormat

PAGE = "The page"

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Hard-negative pairs, or queries with their clips; with --summary: verdicts.",
        rich_help_panel=INPUT,
    ),
]
ClipsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--clips",
        metavar="FILE",
        help="Find the sounds by these records, or in this folder (repeatable).",
        rich_help_panel=INPUT,
    ),
]
SoundsIndexOption = Annotated[
    Path | None,
    typer.Option(
        "--index",
        "-i",
        metavar="X.oea",
        help="Find the sounds by the records of this index.",
        rich_help_panel=INPUT,
    ),
]
VerdictsOutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Verdicts as JSONL; what is in the file already need not be judged again.",
        rich_help_panel=OUTPUT,
    ),
]
SummaryOption = Annotated[
    bool,
    typer.Option(
        "--summary",
        help="Report on verdicts: counts, means, agreement.",
        rich_help_panel=OUTPUT,
    ),
]
SummaryFormatOption = Annotated[
    TableFormat | None,
    typer.Option(
        "--format",
        "-f",
        help="How --summary is written [default: table on a terminal, else json].",
        rich_help_panel=OUTPUT,
    ),
]
AnnotatorOption = Annotated[
    str | None,
    typer.Option(
        envvar="OEA_ANNOTATOR",
        metavar="NAME",
        help="Who judges [default: the page asks].",
        rich_help_panel=PAGE,
    ),
]
PortOption = Annotated[
    int,
    typer.Option(
        envvar="OEA_PORT",
        min=0,
        max=65535,
        metavar="N",
        help="Port of the page; 0 takes any that is free.",
        rich_help_panel=PAGE,
    ),
]
BrowserOption = Annotated[
    bool,
    typer.Option(
        "--browser/--no-browser", help="Open the page in a browser.", rich_help_panel=PAGE
    ),
]
