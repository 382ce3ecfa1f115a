"""The options of `oea search` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.options.completion import complete_models
from oea_cli.commands.options.panels import ENCODER, INPUT, OUTPUT

HITS = "Which hits"


class HitFormat(StrEnum):
    """How hits are written."""

    jsonl = "jsonl"
    json = "json"
    table = "table"
    trec = "trec"
    paths = "paths"


TextArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="TEXT",
        help="What the clips should sound like.",
        rich_help_panel=INPUT,
    ),
]
AudioOption = Annotated[
    str | None,
    typer.Option(
        "--audio",
        metavar="FILE",
        help="Find clips that sound like this file.",
        rich_help_panel=INPUT,
    ),
]
LikeOption = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="ID",
        help="Find clips like this one of the index.",
        rich_help_panel=INPUT,
    ),
]
QueriesOption = Annotated[
    str | None,
    typer.Option(
        "--queries",
        metavar="FILE",
        help="Many queries: lines of text, records with text or path, or vectors; - is stdin.",
        rich_help_panel=INPUT,
    ),
]
IndexOption = Annotated[
    Path,
    typer.Option(
        "--index",
        "-i",
        envvar="OEA_INDEX",
        metavar="X.oea",
        help="The index to search.",
        rich_help_panel=INPUT,
    ),
]
NotOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not",
        metavar="TEXT",
        help="Push down clips that sound like this (repeatable).",
        rich_help_panel=HITS,
    ),
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="SQL",
        help="Only clips whose record meets this condition.",
        rich_help_panel=HITS,
    ),
]
MinScoreOption = Annotated[
    float | None,
    typer.Option(
        "--min-score",
        metavar="S",
        help="Only hits with a score of at least S.",
        rich_help_panel=HITS,
    ),
]
TopKOption = Annotated[
    int,
    typer.Option(
        "--top-k",
        "-k",
        envvar="OEA_TOP_K",
        min=1,
        metavar="K",
        help="Hits per query.",
        rich_help_panel=HITS,
    ),
]
FormatOption = Annotated[
    HitFormat | None,
    typer.Option(
        "--format",
        "-f",
        help="How hits are written [default: table on a terminal, else jsonl].",
        rich_help_panel=OUTPUT,
    ),
]
NullOption = Annotated[
    bool,
    typer.Option(
        "-0",
        "--null",
        help="Write paths, each ended by NUL, for xargs -0.",
        rich_help_panel=OUTPUT,
    ),
]
PlayOption = Annotated[
    bool,
    typer.Option(
        "--play",
        help="Play the hits, best first.",
        rich_help_panel=OUTPUT,
    ),
]
IndexModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="Where the index's own encoder is now, if it has moved.",
        autocompletion=complete_models,
        rich_help_panel=ENCODER,
    ),
]
