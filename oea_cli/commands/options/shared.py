"""The options every verb spells the same way, each one an environment variable too."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from oea_cli import __version__
from oea_cli.errors import UsageError


class Dtype(StrEnum):
    """The number format the backbone runs in."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class Quantize(StrEnum):
    """Bits of the backbone's weights: as they are, 8 or 4."""

    none = "none"
    int8 = "int8"
    int4 = "int4"


class OnError(StrEnum):
    """What a failed input does: `skip` names it and goes on (exit 3), `fail` stops."""

    skip = "skip"
    fail = "fail"


@dataclass(frozen=True)
class Placed:
    """Where and how an encoder runs, as the command line says it."""

    device: str
    dtype: Dtype
    quantize: Quantize = Quantize.none
    trust_remote_code: bool = False

    @property
    def keywords(self) -> dict[str, Any]:
        """For `load_encoder`."""
        return {
            "device": self.device,
            "dtype": self.dtype.value,
            "quantize": self.quantize.value,
            "trust_remote_code": self.trust_remote_code,
        }


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
        help="Encoder: mini, a released OEA's name (`oea models list`), a folder, omni:, clap: or "
        "st: with a repository or folder, http://HOST/v1?model=NAME.",
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
QuantizeOption = Annotated[
    Quantize, typer.Option(envvar="OEA_QUANTIZE", help="Backbone in fewer bits (oea[quant]).")
]
RevisionOption = Annotated[
    str | None,
    typer.Option(envvar="OEA_REVISION", metavar="COMMIT", help="Of the model's repository."),
]
PoolingOption = Annotated[
    str | None,
    typer.Option(envvar="OEA_POOLING", metavar="mean|last", help="Of omni: backbones."),
]
TextPromptOption = Annotated[
    str | None,
    typer.Option(
        envvar="OEA_TEXT_PROMPT", metavar="TEXT", help="Before each text, or around it at {}."
    ),
]
AudioPromptOption = Annotated[
    str | None, typer.Option(envvar="OEA_AUDIO_PROMPT", metavar="TEXT", help="The same for sounds.")
]
TrustRemoteCodeOption = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code",
        envvar="OEA_TRUST_REMOTE_CODE",
        help="Run Python out of the model's repository, at a pinned COMMIT.",
    ),
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


def number_of(batch_size: str) -> int | None:
    """What --batch-size says; None for auto. Raises UsageError for anything else."""
    if batch_size == "auto":
        return None
    if batch_size.isdecimal() and int(batch_size) > 0:
        return int(batch_size)
    raise UsageError(f"--batch-size '{batch_size}': write auto or a number from 1")
