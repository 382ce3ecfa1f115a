"""The options of `oea eval` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class EvalTask(StrEnum):
    """What is ranked by what."""

    text_to_audio = "text-to-audio"
    audio_to_text = "audio-to-text"
    text_to_text = "text-to-text"
    audio_to_audio = "audio-to-audio"


class CaptionsAsked(StrEnum):
    """Which captions of a clip ask."""

    all = "all"
    one = "one"


class TieRule(StrEnum):
    """How equal scores are ordered."""

    strict = "strict"
    trec = "trec"


class ResultFormat(StrEnum):
    """How results are written."""

    table = "table"
    json = "json"
    markdown = "markdown"
    junit = "junit"
    mteb = "mteb"


RecipeArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="RECIPE", help="The paper's evaluation: a YAML file; -o is then a folder."
    ),
]
OverridesOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replaces a recipe's value; repeatable."),
]
QueriesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--queries",
        metavar="FILE",
        help="Queries with targets: records (repeatable), or vectors; - is stdin.",
    ),
]
IndexOption = Annotated[
    str | None,
    typer.Option(
        "--index",
        "-i",
        metavar="X.oea",
        help="Index to rank  [env var: OEA_INDEX; default: index.oea].",
    ),
]
CorpusOption = Annotated[
    str | None,
    typer.Option("--corpus", metavar="FILE", help="Vectors to rank, instead of an index."),
]
RunOption = Annotated[
    str | None,
    typer.Option("--run", metavar="FILE", help="A ranking that was made: TREC run or JSONL hits."),
]
QrelsOption = Annotated[
    str | None,
    typer.Option("--qrels", metavar="FILE", help="What is relevant: TREC qrels, BEIR's tsv."),
]
MetricOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric", "-M", metavar="NAME@K", help="What to measure, such as r@10 (repeatable)."
    ),
]
ListMetricsOption = Annotated[
    bool, typer.Option("--list-metrics", help="List the metrics and stop.")
]
TaskOption = Annotated[EvalTask, typer.Option("--task", help="What ranks what.")]
CaptionsOption = Annotated[
    CaptionsAsked,
    typer.Option("--captions", help="All of a clip's captions ask, or one at random."),
]
WithinOption = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Rank among the clips that share the target's KEY, such as dataset.",
    ),
]
TiesOption = Annotated[
    TieRule,
    typer.Option("--ties", help="Equal scores share the better rank, or as trec_eval."),
]
AllowMissingOption = Annotated[
    bool,
    typer.Option("--allow-missing", help="A target that is not in the corpus is not found."),
]
BaselineOption = Annotated[
    str | None,
    typer.Option("--baseline", metavar="FILE", help="Compare with results (JSON) or another run."),
]
FailUnderOption = Annotated[
    list[str] | None,
    typer.Option("--fail-under", metavar="M=V", help="Gate: metric M is at least V (repeatable)."),
]
MaxDropOption = Annotated[
    list[str] | None,
    typer.Option(
        "--max-drop",
        metavar="M=D",
        help="Gate: M is at most D worse than the baseline (repeatable).",
    ),
]
AlphaOption = Annotated[
    float | None,
    typer.Option(
        "--alpha",
        min=0.0,
        max=1.0,
        metavar="A",
        help="A drop fails only if its Holm-corrected p is under A.",
    ),
]
GateExitCodeOption = Annotated[
    int,
    typer.Option("--gate-exit-code", min=0, max=255, metavar="N", help="When a gate is not met."),
]
CheckLeaksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--check-leaks",
        metavar="[content:]FILE",
        help="Training records: find clips in both; content: compares sounds (repeatable).",
    ),
]
OutputsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Also write X.json, X.md or X.xml, JUnit (repeatable).",
    ),
]
ReportOption = Annotated[
    str | None,
    typer.Option("--report", metavar="X.html", help="Also write a page to look at and listen to."),
]
ResultFormatOption = Annotated[
    ResultFormat | None,
    typer.Option(
        "--format", "-f", help="On stdout [default: table on a terminal or with -o, else json]."
    ),
]
IndexModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        envvar="OEA_MODEL",
        metavar="NAME",
        help="The index's encoder, where it lies elsewhere now.",
    ),
]
