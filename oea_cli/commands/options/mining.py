"""The options of `oea mine-negatives` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
        help="Clips with captions: vectors that `oea embed` wrote, an index, or records, whose "
        "sounds are encoded; - is stdin.",
    ),
]
VectorsOption = Annotated[
    str | None,
    typer.Option("--vectors", metavar="FILE", help="Vectors of the records, made elsewhere."),
]
TextModelOption = Annotated[
    str,
    typer.Option(
        "--text-model",
        envvar="OEA_TEXT_MODEL",
        metavar="NAME",
        help="Encoder whose text side compares captions; the paper's is st:BAAI/bge-large-en-v1.5.",
    ),
]
CaptionVectorsOption = Annotated[
    str | None,
    typer.Option(
        "--caption-vectors", metavar="FILE", help="Instead: what `oea embed --text CLIPS` wrote."
    ),
]
PurposeOption = Annotated[
    Purpose, typer.Option("--for", help="One row per pair, or one per clip with its negatives.")
]
NumNegativesOption = Annotated[
    int | None,
    typer.Option(
        "--num-negatives",
        "-n",
        min=1,
        metavar="N",
        help="Wanted per clip [default: 1; with --pairs any number; for training 4].",
    ),
]
PairsOption = Annotated[
    int | None, typer.Option("--pairs", min=1, metavar="N", help="Wanted in all.")
]
AllOption = Annotated[
    bool,
    typer.Option("--all", help="More than wanted, too: all that pass, for people to verify."),
]
NeighboursOption = Annotated[
    int | None,
    typer.Option(
        "--top-k",
        "-k",
        "--range-max",
        min=1,
        metavar="K",
        help="Acoustic neighbours looked at [default: 20; for training at least 10 per negative].",
    ),
]
RangeMinOption = Annotated[
    int, typer.Option(min=0, metavar="N", help="Skip the N nearest of those that pass.")
]
KeepRatioOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="R",
        help="Acoustic threshold that leaves R times the wanted [default: 3; for training none].",
    ),
]
MinAcousticOption = Annotated[
    float | None,
    typer.Option("--min-acoustic-similarity", metavar="S", help="Acoustic threshold, given."),
]
MaxAcousticOption = Annotated[
    float | None,
    typer.Option("--max-acoustic-similarity", metavar="S", help="Drop what is more similar."),
]
MaxTextOption = Annotated[
    float,
    typer.Option("--max-text-similarity", metavar="S", help="Keep what is less similar in text."),
]
AbsoluteMarginOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="M",
        help="At least M less similar in text than the target's own captions are.",
    ),
]
RelativeMarginOption = Annotated[
    float | None,
    typer.Option(min=0.0, metavar="M", help="The same, as a share: 0.05 is 5 % less."),
]
SamplingOption = Annotated[
    SamplingStrategy,
    typer.Option("--sampling-strategy", help="The nearest of those that pass, or any of them."),
]
CompareSoundsOption = Annotated[
    bool, typer.Option(help="Decode similar sounds to find one sound encoded twice.")
]
VerdictsOption = Annotated[
    str | None,
    typer.Option(
        "--verdicts", metavar="FILE", help="What people heard (`oea review`): keep what is valid."
    ),
]
ExplainOption = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="TARGET HARD_NEGATIVE", help="Only say why this pair was kept or dropped."
    ),
]
QrelsOption = Annotated[
    Path | None,
    typer.Option(
        "--qrels",
        metavar="FILE",
        help="Also write judgments of the targets' captions: TREC qrels, or X.jsonl, queries for "
        "`oea eval`.",
    ),
]
StatsOption = Annotated[
    Path | None,
    typer.Option(
        "--stats",
        metavar="FILE",
        help="Where the counts of all stages go, as JSON [default: with -o X.jsonl, X.stats.json].",
    ),
]
