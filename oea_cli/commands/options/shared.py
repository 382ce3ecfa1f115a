"""The options every verb spells the same way, each one an environment variable too."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from oea_cli.commands.options.completion import complete_models
from oea_cli.commands.options.panels import ENCODER, FAILURE, INPUT, OUTPUT, RARE
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


class ErrorsFormat(StrEnum):
    """How stderr says what happens: a line for a person, or a JSON object for a program."""

    text = "text"
    json = "json"


class TableFormat(StrEnum):
    """How a report is written: for a person, or for a program."""

    table = "table"
    json = "json"


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """Where and how an encoder runs, from the options of the command line."""

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


ModelOption = Annotated[
    str,
    ENCODER.option(
        "--model",
        "-m",
        metavar="NAME",
        help="The encoder: mini, a released OEA, a folder, or KIND:PLACE such as "
        "clap:laion/clap-htsat-unfused or http://HOST/v1?model=NAME; `oea models list` has all.",
        autocompletion=complete_models,
    ),
]
EncoderArgument = Annotated[
    str,
    INPUT.argument(
        metavar="NAME",
        help="The encoder, as -m takes it in other verbs.",
        autocompletion=complete_models,
    ),
]
DeviceOption = Annotated[
    str,
    ENCODER.option(metavar="auto|cpu|cuda|cuda:1|mps", help="Where the encoder runs."),
]
DtypeOption = Annotated[Dtype, ENCODER.option(help="Number format of the backbone.")]
RareDtypeOption = Annotated[Dtype, RARE.option(help="Number format of the backbone.")]
QuantizeOption = Annotated[
    Quantize,
    ENCODER.option(help="Load the backbone in 8 or 4 bits (needs oea[quant])."),
]
RevisionOption = Annotated[
    str | None,
    RARE.option(
        metavar="COMMIT",
        help="Commit, tag or branch of the encoder's repository.",
    ),
]
PoolingOption = Annotated[
    str | None,
    RARE.option(
        metavar="mean|last",
        help="How an omni: backbone pools its last hidden layer.",
    ),
]
TextPromptOption = Annotated[
    str | None,
    RARE.option(
        metavar="TEXT",
        help="Put before each text, or around it where TEXT holds {}.",
    ),
]
AudioPromptOption = Annotated[str | None, RARE.option(metavar="TEXT", help="The same for sounds.")]
TrustRemoteCodeOption = Annotated[
    bool,
    RARE.option(
        "--trust-remote-code",
        help="Allow Python code from the encoder's repository to run; needs a pinned COMMIT.",
    ),
]
BatchSizeOption = Annotated[
    str,
    ENCODER.option(
        "--batch-size",
        "-b",
        metavar="auto|N",
        help="Sounds or texts encoded at a time.",
    ),
]
WorkersOption = Annotated[
    int | None,
    RARE.option(
        "--workers",
        "-j",
        min=1,
        metavar="N",
        help="Threads that decode sounds ahead [default: one per core].",
    ),
]
OutputOption = Annotated[
    str,
    OUTPUT.option(
        "--output",
        "-o",
        metavar="PATH",
        help="Where the result goes; - is stdout.",
    ),
]
FolderOption = Annotated[
    Path,
    OUTPUT.option("--output", "-o", metavar="DIR", help="The folder to write."),
]
ChannelOption = Annotated[
    str,
    RARE.option(
        "--channel",
        metavar="mix|left|right|N",
        help="Which channel of a sound is heard, if its record does not say: their mean, or one.",
    ),
]
OverridesOption = Annotated[
    list[str] | None,
    INPUT.option("--set", metavar="KEY=VALUE", help="Replace a value of the recipe (repeatable)."),
]
ColumnOption = Annotated[
    str | None,
    RARE.option(
        "--column",
        metavar="NAME",
        help="The column (of Parquet) or key (of JSONL) that holds the vectors "
        "[default: embedding].",
    ),
]
SeedOption = Annotated[int, RARE.option(metavar="N", help="Seed of every random choice.")]
LimitOption = Annotated[int | None, INPUT.option(min=1, metavar="N", help="Stop after N inputs.")]
TableFormatOption = Annotated[
    TableFormat, OUTPUT.option("--format", "-f", help="How the answer is written on stdout.")
]
OnErrorOption = Annotated[
    OnError,
    FAILURE.option(help="When an input fails: name it and go on (exit code 3), or stop."),
]
ErrorsOption = Annotated[
    Path | None,
    FAILURE.option(
        "--errors",
        metavar="FILE",
        help="Also list the failed inputs in this file, as JSONL.",
    ),
]
ErrorsFormatOption = Annotated[
    ErrorsFormat,
    FAILURE.option(
        "--errors-format",
        help="How stderr is written; json: an object per line, with verb, code, item, reason and "
        "hint.",
    ),
]
AllowEmptyOption = Annotated[
    bool,
    FAILURE.option("--allow-empty", help="Having no input is not a failure."),
]
QuietOption = Annotated[
    bool,
    OUTPUT.option("--quiet", "-q", help="Show no progress and no summary."),
]
VerboseOption = Annotated[
    bool,
    FAILURE.option("--verbose", "-v", help="Show tracebacks and what libraries print."),
]


def check_channel(channel: str) -> None:
    """Raise UsageError where --channel names none."""
    from oea_cli.records.sections import parse_channel

    try:
        parse_channel(channel)
    except ValueError as error:
        raise UsageError(f"--channel {error}") from error


def in_column(names: list[str], column: str | None) -> list[str]:
    """The names of sources, their vectors in `column` where one is given."""
    if column is None:
        return names
    from oea_cli.vectors.opening import InColumn

    return [InColumn(name, column) for name in names]


def number_of(batch_size: str) -> int | None:
    """The number that --batch-size gives; None for auto. Raises UsageError for anything else."""
    if batch_size == "auto":
        return None
    if batch_size.isdecimal() and int(batch_size) > 0:
        return int(batch_size)
    raise UsageError(f"--batch-size must be auto or a number of 1 or more; got '{batch_size}'")


def of_every_verb(errors_format: ErrorsFormatOption = ErrorsFormat.text) -> None:
    """Declares the options that every verb has and none looks at: they are the boundary's."""
