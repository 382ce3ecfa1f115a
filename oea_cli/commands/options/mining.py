"""The options of `oea mine-negatives` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.options.completion import complete_models
from oea_cli.commands.options.panels import ENCODER, INPUT, OUTPUT, RARE

COUNTS = "How many pairs"
STAGES = "Which pairs are kept"


class Purpose(StrEnum):
    """What the pairs are for."""

    eval = "eval"
    train = "train"


class SamplingStrategy(StrEnum):
    """Which of the negatives that pass are taken."""

    top = "top"
    random = "random"


InputsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUTS",
        help="Clips with captions: vectors from `oea embed`, an index, or records whose "
        "sounds are then encoded; - is stdin.",
        rich_help_panel=INPUT,
    ),
]
VectorsOption = Annotated[
    str | None,
    typer.Option(
        "--vectors",
        metavar="FILE",
        help="Vectors of those records, made elsewhere.",
        rich_help_panel=INPUT,
    ),
]
CaptionVectorsOption = Annotated[
    str | None,
    typer.Option(
        "--caption-vectors",
        metavar="FILE",
        help="Vectors of the captions (`oea embed --text CLIPS`), instead of --text-model.",
        rich_help_panel=INPUT,
    ),
]
VerdictsOption = Annotated[
    str | None,
    typer.Option(
        "--verdicts",
        metavar="FILE",
        help="Verdicts from `oea review`: keep only pairs that people found valid.",
        rich_help_panel=INPUT,
    ),
]
PurposeOption = Annotated[
    Purpose,
    typer.Option(
        "--for",
        help="One row per pair (eval), or one per clip with all its negatives (train).",
        rich_help_panel=COUNTS,
    ),
]
NumNegativesOption = Annotated[
    int | None,
    typer.Option(
        "--num-negatives",
        "-n",
        min=1,
        metavar="N",
        help="Wanted per clip [default: 1; with --pairs any number; for training 4].",
        rich_help_panel=COUNTS,
    ),
]
PairsOption = Annotated[
    int | None,
    typer.Option(
        "--pairs",
        min=1,
        metavar="N",
        help="Wanted in all.",
        rich_help_panel=COUNTS,
    ),
]
AllOption = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Write every pair that passes, even beyond the number wanted, for people to verify.",
        rich_help_panel=COUNTS,
    ),
]
NeighboursOption = Annotated[
    int | None,
    typer.Option(
        "--top-k",
        "-k",
        "--range-max",
        min=1,
        metavar="K",
        help="Nearest clips looked at per clip [default: 20; for training at least 10 per "
        "negative].",
        rich_help_panel=STAGES,
    ),
]
KeepRatioOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="R",
        help="Set the acoustic threshold so that R times the wanted pairs are left [default: "
        "3; for training none].",
        rich_help_panel=STAGES,
    ),
]
MaxTextOption = Annotated[
    float,
    typer.Option(
        "--max-text-similarity",
        metavar="S",
        help="Keep pairs whose captions are less similar than S.",
        rich_help_panel=STAGES,
    ),
]
OutputQrelsOption = Annotated[
    Path | None,
    typer.Option(
        "--qrels",
        metavar="FILE",
        help="Also write judgments for the targets' captions: TREC qrels, or X.jsonl with "
        "queries for `oea eval`.",
        rich_help_panel=OUTPUT,
    ),
]
StatsOption = Annotated[
    Path | None,
    typer.Option(
        "--stats",
        metavar="FILE",
        help="Where the counts of all stages go, as JSON [default: with -o X.jsonl, X.stats.json].",
        rich_help_panel=OUTPUT,
    ),
]
ExplainOption = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="TARGET HARD_NEGATIVE",
        help="Only say why this pair was kept or dropped.",
        rich_help_panel=OUTPUT,
    ),
]
TextModelOption = Annotated[
    str,
    typer.Option(
        "--text-model",
        envvar="OEA_TEXT_MODEL",
        metavar="NAME",
        help="The encoder that compares captions; the paper's is st:BAAI/bge-large-en-v1.5.",
        autocompletion=complete_models,
        rich_help_panel=ENCODER,
    ),
]
RangeMinOption = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Skip the N nearest of the clips that pass.",
        rich_help_panel=RARE,
    ),
]
MinAcousticOption = Annotated[
    float | None,
    typer.Option(
        "--min-acoustic-similarity",
        metavar="S",
        help="Set the acoustic threshold to S, instead of by --keep-ratio.",
        rich_help_panel=RARE,
    ),
]
MaxAcousticOption = Annotated[
    float | None,
    typer.Option(
        "--max-acoustic-similarity",
        metavar="S",
        help="Drop pairs that sound more similar than S.",
        rich_help_panel=RARE,
    ),
]
AbsoluteMarginOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="M",
        help="Captions must be at least M less similar than the target's own captions are to "
        "each other.",
        rich_help_panel=RARE,
    ),
]
RelativeMarginOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="M",
        help="The same as a share: 0.05 means 5 % less similar.",
        rich_help_panel=RARE,
    ),
]
SamplingOption = Annotated[
    SamplingStrategy,
    typer.Option(
        "--sampling-strategy",
        help="Take the nearest of the clips that pass, or random ones.",
        rich_help_panel=RARE,
    ),
]
CompareSoundsOption = Annotated[
    bool,
    typer.Option(
        help="Decode similar sounds to find one sound that was encoded twice.",
        rich_help_panel=RARE,
    ),
]
