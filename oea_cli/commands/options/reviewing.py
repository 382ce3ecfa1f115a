"""The options of `oea review`."""

from pathlib import Path
from typing import Annotated

from oea_cli.commands.options.panels import INPUT, OUTPUT, Panel
from oea_cli.commands.options.shared import TableFormat

PAGE = Panel("The page")

InputsArgument = Annotated[
    list[str],
    INPUT.argument(
        metavar="FILE...",
        help="Hard-negative pairs, or queries with their clips; with --summary: verdicts.",
    ),
]
ClipsOption = Annotated[
    list[str] | None,
    INPUT.option(
        "--clips",
        metavar="FILE",
        help="Find the sounds by these records, or in this folder (repeatable).",
    ),
]
SoundsIndexOption = Annotated[
    Path | None,
    INPUT.option(
        "--index", "-i", metavar="X.oea", help="Find the sounds by the records of this index."
    ),
]
VerdictsOutputOption = Annotated[
    Path | None,
    OUTPUT.option(
        "--output",
        "-o",
        metavar="FILE",
        help="Verdicts as JSONL; what is in the file already need not be judged again.",
    ),
]
SummaryOption = Annotated[
    bool, OUTPUT.option("--summary", help="Report on verdicts: counts, means, agreement.")
]
SummaryFormatOption = Annotated[
    TableFormat | None,
    OUTPUT.option(
        "--format", "-f", help="How --summary is written [default: table on a terminal, else json]."
    ),
]
AnnotatorOption = Annotated[
    str | None,
    PAGE.option(metavar="NAME", help="Who judges [default: the page asks]."),
]
PortOption = Annotated[
    int,
    PAGE.option(
        min=0,
        max=65535,
        metavar="N",
        help="Port of the page; 0 takes any that is free.",
    ),
]
BrowserOption = Annotated[
    bool, PAGE.option("--browser/--no-browser", help="Open the page in a browser.")
]
