"""The options of `oea search` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from oea_cli.commands.options.completion import complete_models
from oea_cli.commands.options.panels import ENCODER, INPUT, OUTPUT, Panel

HITS = Panel("Which hits")


class HitFormat(StrEnum):
    """How hits are written."""

    jsonl = "jsonl"
    json = "json"
    csv = "csv"
    table = "table"
    trec = "trec"
    paths = "paths"


TextArgument = Annotated[
    str | None, INPUT.argument(metavar="TEXT", help="What the clips should sound like.")
]
AudioOption = Annotated[
    str | None,
    INPUT.option("--audio", metavar="FILE", help="Find clips that sound like this file."),
]
LikeOption = Annotated[
    str | None, INPUT.option("--like", metavar="ID", help="Find clips like this one of the index.")
]
QueriesOption = Annotated[
    str | None,
    INPUT.option(
        "--queries",
        metavar="FILE",
        help="Many queries: lines of text, records with text or path, or vectors; - is stdin.",
    ),
]
IndexOption = Annotated[
    list[Path],
    INPUT.option(
        "--index",
        "-i",
        metavar="X.oea",
        help="The index to search; of one encoder, several (repeatable).",
    ),
]
INDEXES = [Path("index.oea")]
NotOption = Annotated[
    list[str] | None,
    HITS.option("--not", metavar="TEXT", help="Push down clips that sound like this (repeatable)."),
]
WhereOption = Annotated[
    str | None,
    HITS.option(
        "--where", metavar="CONDITION", help="Only clips whose record meets this condition."
    ),
]
MinScoreOption = Annotated[
    float | None,
    HITS.option("--min-score", metavar="S", help="Only hits with a score of at least S."),
]
TopKOption = Annotated[
    int,
    HITS.option("--top-k", "-k", min=1, metavar="K", help="Hits per query."),
]
FormatOption = Annotated[
    HitFormat | None,
    OUTPUT.option(
        "--format", "-f", help="How hits are written [default: table on a terminal, else jsonl]."
    ),
]
NullOption = Annotated[
    bool, OUTPUT.option("-0", "--null", help="Write paths, each ended by NUL, for xargs -0.")
]
WindowsOption = Annotated[
    bool | None,
    HITS.option(
        "--windows/--no-windows",
        help="Show all windows of long clips, or one hit per file, its best "
        "[default: windows in jsonl and json, files elsewhere].",
    ),
]
PlayOption = Annotated[bool, OUTPUT.option("--play", help="Play the hits, best first.")]
IndexModelOption = Annotated[
    str | None,
    ENCODER.option(
        "--model",
        "-m",
        metavar="NAME",
        help="The index's encoder: where it is now, or its name, if the index names none.",
        autocompletion=complete_models,
    ),
]
