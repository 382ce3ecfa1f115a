"""The options of `oea mine-negatives` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from oea_cli.commands.options.completion import complete_models
from oea_cli.commands.options.panels import ENCODER, INPUT, OUTPUT, RARE, Panel

COUNTS = Panel("How many pairs")
STAGES = Panel("Which pairs are kept")


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
    INPUT.argument(
        metavar="INPUTS",
        help="Clips with captions: vectors from `oea embed`, an index, or records whose "
        "sounds are then encoded; - is stdin.",
    ),
]
VectorsOption = Annotated[
    str | None,
    INPUT.option("--vectors", metavar="FILE", help="Vectors of those records, made elsewhere."),
]
CaptionVectorsOption = Annotated[
    str | None,
    INPUT.option(
        "--caption-vectors",
        metavar="FILE",
        help="Vectors of the captions (`oea embed --text CLIPS`), instead of --text-model.",
    ),
]
VerdictsOption = Annotated[
    str | None,
    INPUT.option(
        "--verdicts",
        metavar="FILE",
        help="Verdicts from `oea review`: keep only pairs that people found valid.",
    ),
]
PurposeOption = Annotated[
    Purpose,
    COUNTS.option(
        "--for", help="One row per pair (eval), or one per clip with all its negatives (train)."
    ),
]
NumNegativesOption = Annotated[
    int | None,
    COUNTS.option(
        "--num-negatives",
        "-n",
        min=1,
        metavar="N",
        help="Wanted per clip [default: 1; with --pairs any number; for training 4].",
    ),
]
PairsOption = Annotated[
    int | None, COUNTS.option("--pairs", min=1, metavar="N", help="Wanted in all.")
]
AllOption = Annotated[
    bool,
    COUNTS.option(
        "--all",
        help="Write every pair that passes, even beyond the number wanted, for people to verify.",
    ),
]
NeighboursOption = Annotated[
    int | None,
    STAGES.option(
        "--top-k",
        "-k",
        "--range-max",
        min=1,
        metavar="K",
        help="Nearest clips looked at per clip [default: 20; for training at least 10 per "
        "negative].",
    ),
]
KeepRatioOption = Annotated[
    float | None,
    STAGES.option(
        min=0.0,
        metavar="R",
        help="Set the acoustic threshold so that R times the wanted pairs are left [default: "
        "3; for training none].",
    ),
]
MaxTextOption = Annotated[
    float,
    STAGES.option(
        "--max-text-similarity",
        metavar="S",
        help="Keep pairs whose captions are less similar than S.",
    ),
]
OutputQrelsOption = Annotated[
    Path | None,
    OUTPUT.option(
        "--qrels",
        metavar="FILE",
        help="Also write judgments for the targets' captions: TREC qrels, or X.jsonl with "
        "queries for `oea eval`.",
    ),
]
StatsOption = Annotated[
    Path | None,
    OUTPUT.option(
        "--stats",
        metavar="FILE",
        help="Where the counts of all stages go, as JSON [default: with -o X.jsonl, X.stats.json].",
    ),
]
ExplainOption = Annotated[
    tuple[str, str] | None,
    OUTPUT.option(
        metavar="TARGET HARD_NEGATIVE", help="Only say why this pair was kept or dropped."
    ),
]
TextModelOption = Annotated[
    str,
    ENCODER.option(
        "--text-model",
        metavar="NAME",
        help="The encoder that compares captions; the paper's is st:BAAI/bge-large-en-v1.5.",
        autocompletion=complete_models,
    ),
]
RangeMinOption = Annotated[
    int, RARE.option(min=0, metavar="N", help="Skip the N nearest of the clips that pass.")
]
MinAcousticOption = Annotated[
    float | None,
    RARE.option(
        "--min-acoustic-similarity",
        metavar="S",
        help="Set the acoustic threshold to S, instead of by --keep-ratio.",
    ),
]
MaxAcousticOption = Annotated[
    float | None,
    RARE.option(
        "--max-acoustic-similarity", metavar="S", help="Drop pairs that sound more similar than S."
    ),
]
AbsoluteMarginOption = Annotated[
    float | None,
    RARE.option(
        min=0.0,
        metavar="M",
        help="Captions must be at least M less similar than the target's own captions are to "
        "each other.",
    ),
]
RelativeMarginOption = Annotated[
    float | None,
    RARE.option(min=0.0, metavar="M", help="The same as a share: 0.05 means 5 % less similar."),
]
SamplingOption = Annotated[
    SamplingStrategy,
    RARE.option(
        "--sampling-strategy", help="Take the nearest of the clips that pass, or random ones."
    ),
]
CompareSoundsOption = Annotated[
    bool, RARE.option(help="Decode similar sounds to find one sound that was encoded twice.")
]
