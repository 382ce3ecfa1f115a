"""The options of `oea embed` and their choices."""

from enum import StrEnum
from typing import Annotated

import typer

from oea_cli.commands.options.panels import INPUT, OUTPUT, RARE
from oea_cli.vectors.files.names import Format


class Storage(StrEnum):
    """Bytes per number in files: 4 or 2."""

    f32 = "f32"
    f16 = "f16"


class Encoding(StrEnum):
    """How JSONL carries a vector."""

    json = "json"
    base64 = "base64"


InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUTS",
        help="Sounds, folders, globs, tables of records (JSONL, CSV, Parquet), or - for "
        "stdin; with --text: texts, or files of them.",
        rich_help_panel=INPUT,
    ),
]
TextOption = Annotated[
    bool,
    typer.Option(
        "--text",
        help="Embed texts instead of sounds.",
        rich_help_panel=INPUT,
    ),
]
FilesFromOption = Annotated[
    str | None,
    typer.Option(
        "--files-from",
        metavar="FILE",
        help="Also embed the sounds listed in FILE; - is stdin.",
        rich_help_panel=INPUT,
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Take only part I of N (I from 1), chosen by a hash of the id.",
        rich_help_panel=INPUT,
    ),
]
FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        help="How vectors are written [default: as the name of the output says].",
        rich_help_panel=OUTPUT,
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option(
        help="With -o DIR/, keep the shards that are there and go on after them.",
        rich_help_panel=OUTPUT,
    ),
]
StorageOption = Annotated[
    Storage,
    typer.Option(
        help="Number format of vectors in files.",
        rich_help_panel=RARE,
    ),
]
EncodingOption = Annotated[
    Encoding,
    typer.Option(
        help="Vectors in JSONL as digits, or as base64 (faster, half the size).",
        rich_help_panel=RARE,
    ),
]
