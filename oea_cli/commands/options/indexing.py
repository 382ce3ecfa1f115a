"""The options of `oea index` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.options.panels import INPUT, OUTPUT
from oea_cli.commands.options.shared import TableFormat

CHANGES = "Changing an index"


class Kind(StrEnum):
    """How the index is searched; auto: exact up to a million vectors."""

    auto = "auto"
    exact = "exact"
    hnsw = "hnsw"


class Storage(StrEnum):
    """How a vector is stored: 4, 2 or 1 bytes, or 1 bit per dimension."""

    f32 = "f32"
    f16 = "f16"
    i8 = "i8"
    b1 = "b1"


SourcesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="VECTORS",
        help="Vectors from `oea embed`, or any .npy; - is stdin. With --info, --delete and "
        "--compact: the index.",
        rich_help_panel=INPUT,
    ),
]
IndexOutputOption = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        envvar="OEA_INDEX",
        metavar="X.oea",
        help="The index.",
        rich_help_panel=OUTPUT,
    ),
]
KindOption = Annotated[
    Kind | None,
    typer.Option(
        help="Search by exact scan, or by an HNSW graph [default: auto, a graph above 1M vectors].",
        rich_help_panel=OUTPUT,
    ),
]
StorageOption = Annotated[
    Storage | None,
    typer.Option(
        help="Number format of the vectors; i8 and b1 lose recall (see --info) [default: f32].",
        rich_help_panel=OUTPUT,
    ),
]
InfoFormatOption = Annotated[
    TableFormat | None,
    typer.Option(
        "--format",
        "-f",
        help="How --info is written [default: table on a terminal, else json].",
        rich_help_panel=OUTPUT,
    ),
]
AppendOption = Annotated[
    bool,
    typer.Option(
        "--append",
        help="Add to the index; an id that has another vector there is an error.",
        rich_help_panel=CHANGES,
    ),
]
ReplaceOption = Annotated[
    bool,
    typer.Option(
        "--replace",
        help="Add to the index; the newer vector of an id wins.",
        rich_help_panel=CHANGES,
    ),
]
DeleteOption = Annotated[
    list[str] | None,
    typer.Option(
        "--delete",
        metavar="ID",
        help="Delete a record (repeatable).",
        rich_help_panel=CHANGES,
    ),
]
CompactOption = Annotated[
    bool,
    typer.Option(
        "--compact",
        help="Rewrite it without its deleted records, as --kind and --storage say.",
        rich_help_panel=CHANGES,
    ),
]
InfoOption = Annotated[
    bool,
    typer.Option(
        "--info",
        help="Describe it and change nothing.",
        rich_help_panel=CHANGES,
    ),
]
