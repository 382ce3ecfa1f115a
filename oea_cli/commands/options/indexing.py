"""The options of `oea index` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from oea_cli.commands.options.panels import INPUT, OUTPUT, Panel
from oea_cli.commands.options.shared import TableFormat

CHANGES = Panel("Changing an index")


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
    INPUT.argument(
        metavar="VECTORS",
        help="Vectors from `oea embed`, or anyone's .npy, Parquet (also a folder or a pattern) or "
        "JSONL; - is stdin. With --info, --delete and "
        "--compact: the index.",
    ),
]
IdsOption = Annotated[
    str | None,
    INPUT.option(
        "--ids",
        metavar="FILE",
        help="The ids of the vectors, one a line, or their records (JSONL, CSV, Parquet).",
    ),
]
IndexOutputOption = Annotated[
    Path, OUTPUT.option("--output", "-o", metavar="X.oea", help="The index.")
]
KindOption = Annotated[
    Kind | None,
    OUTPUT.option(
        help="Search by exact scan, or by an HNSW graph [default: auto, a graph above 1M vectors]."
    ),
]
StorageOption = Annotated[
    Storage | None,
    OUTPUT.option(
        help="Number format of the vectors; i8 and b1 lose recall (see --info) [default: f32]."
    ),
]
InfoFormatOption = Annotated[
    TableFormat | None,
    OUTPUT.option(
        "--format", "-f", help="How --info is written [default: table on a terminal, else json]."
    ),
]
AppendOption = Annotated[
    bool,
    CHANGES.option(
        "--append", help="Add to the index; an id that has another vector there is an error."
    ),
]
ReplaceOption = Annotated[
    bool, CHANGES.option("--replace", help="Add to the index; the newer vector of an id wins.")
]
AcceptUnfinishedOption = Annotated[
    bool,
    INPUT.option(
        "--accept-unfinished",
        help="Let vectors replace the index although their stream was cut off or filtered at its "
        "end.",
    ),
]
DeleteOption = Annotated[
    list[str] | None,
    CHANGES.option(
        "--delete",
        metavar="ID",
        help="Delete a record, or all windows of a long clip (repeatable).",
    ),
]
CompactOption = Annotated[
    bool,
    CHANGES.option(
        "--compact", help="Rewrite it without its deleted records, as --kind and --storage say."
    ),
]
InfoOption = Annotated[bool, CHANGES.option("--info", help="Describe it and change nothing.")]
