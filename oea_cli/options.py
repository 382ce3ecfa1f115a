"""The options every verb spells the same way, each one an environment variable too."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oea_cli import __version__


class Dtype(StrEnum):
    """The number format the backbone runs in."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class OnError(StrEnum):
    """What a failed input does: `skip` names it and goes on (exit 3), `fail` stops."""

    skip = "skip"
    fail = "fail"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"oea {__version__}")
        raise typer.Exit


ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        envvar="OEA_MODEL",
        metavar="NAME",
        help="Encoder: `mini`, or a folder made by `oea train`.",
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        envvar="OEA_DEVICE", metavar="auto|cpu|cuda|cuda:1|mps", help="Where the encoder runs."
    ),
]
DtypeOption = Annotated[
    Dtype, typer.Option(envvar="OEA_DTYPE", help="Number format of the backbone.")
]
BatchSizeOption = Annotated[
    str,
    typer.Option(
        "--batch-size",
        "-b",
        envvar="OEA_BATCH_SIZE",
        metavar="auto|N",
        help="Clips or texts per forward pass.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "-j",
        envvar="OEA_WORKERS",
        min=1,
        metavar="N",
        help="Background decoders [default: one per core].",
    ),
]
OutputOption = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        envvar="OEA_OUTPUT",
        metavar="PATH",
        help="Where the result goes; - is stdout.",
    ),
]
TopKOption = Annotated[
    int,
    typer.Option("--top-k", "-k", envvar="OEA_TOP_K", min=1, metavar="K", help="Hits per query."),
]
SeedOption = Annotated[
    int, typer.Option(envvar="OEA_SEED", metavar="N", help="Seed of every random choice.")
]
LimitOption = Annotated[
    int | None, typer.Option(envvar="OEA_LIMIT", min=1, metavar="N", help="Stop after N inputs.")
]
OnErrorOption = Annotated[
    OnError, typer.Option(envvar="OEA_ON_ERROR", help="A failed input: name it and go on, or stop.")
]
ErrorsOption = Annotated[
    Path | None,
    typer.Option(
        "--errors",
        envvar="OEA_ERRORS",
        metavar="FILE",
        help="Also write failed inputs here, as JSONL.",
    ),
]
AllowEmptyOption = Annotated[
    bool,
    typer.Option("--allow-empty", envvar="OEA_ALLOW_EMPTY", help="Zero inputs are no failure."),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", envvar="OEA_QUIET", help="No progress and no summary.")
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", envvar="OEA_VERBOSE", help="Show tracebacks and library messages."
    ),
]
VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]
