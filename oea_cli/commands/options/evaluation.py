"""The options of `oea eval` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oea_cli.commands.options.completion import complete_metrics, complete_models
from oea_cli.commands.options.panels import ENCODER, INPUT, OUTPUT, RARE

METRICS = "What is measured"
GATES = "When to fail a build"


class EvalTask(StrEnum):
    """What searches for what."""

    text_to_audio = "text-to-audio"
    audio_to_text = "audio-to-text"
    text_to_text = "text-to-text"
    audio_to_audio = "audio-to-audio"


class CaptionsAsked(StrEnum):
    """Which captions of a clip are queries."""

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
        metavar="RECIPE",
        help="The paper's evaluation instead: a YAML file; -o then names a folder.",
        rich_help_panel=INPUT,
    ),
]
QueriesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--queries",
        metavar="FILE",
        help="Queries with their targets: records (repeatable), or vectors; - is stdin.",
        rich_help_panel=INPUT,
    ),
]
IndexOption = Annotated[
    str | None,
    typer.Option(
        "--index",
        "-i",
        metavar="X.oea",
        help="The index to rank [env var: OEA_INDEX; default: index.oea].",
        rich_help_panel=INPUT,
    ),
]
CorpusOption = Annotated[
    str | None,
    typer.Option(
        "--corpus",
        metavar="FILE",
        help="Vectors to rank instead of an index.",
        rich_help_panel=INPUT,
    ),
]
RunOption = Annotated[
    str | None,
    typer.Option(
        "--run",
        metavar="FILE",
        help="A ranking made elsewhere: a TREC run or JSONL hits.",
        rich_help_panel=INPUT,
    ),
]
QrelsOption = Annotated[
    str | None,
    typer.Option(
        "--qrels",
        metavar="FILE",
        help="What is relevant: TREC qrels or BEIR's TSV.",
        rich_help_panel=INPUT,
    ),
]
MetricOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        "-M",
        metavar="NAME@K",
        help="A metric, such as r@10 (repeatable) [default: those that fit the queries].",
        autocompletion=complete_metrics,
        rich_help_panel=METRICS,
    ),
]
ListMetricsOption = Annotated[
    bool,
    typer.Option(
        "--list-metrics",
        help="List the metrics and stop.",
        rich_help_panel=METRICS,
    ),
]
TaskOption = Annotated[
    EvalTask,
    typer.Option(
        "--task",
        help="What searches for what.",
        rich_help_panel=METRICS,
    ),
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="FILE",
        help="Compare with earlier results (JSON) or another run.",
        rich_help_panel=GATES,
    ),
]
FailUnderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-under",
        metavar="M=V",
        help="Fail if metric M is under V (repeatable).",
        rich_help_panel=GATES,
    ),
]
MaxDropOption = Annotated[
    list[str] | None,
    typer.Option(
        "--max-drop",
        metavar="M=D",
        help="Fail if M is more than D worse than in the baseline (repeatable).",
        rich_help_panel=GATES,
    ),
]
AlphaOption = Annotated[
    float | None,
    typer.Option(
        "--alpha",
        min=0.0,
        max=1.0,
        metavar="A",
        help="A drop fails only if its Holm-corrected p-value is under A.",
        rich_help_panel=GATES,
    ),
]
CheckLeaksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--check-leaks",
        metavar="[content:]FILE",
        help="Look for clips that these training records hold too; content: compares the "
        "sounds (repeatable).",
        rich_help_panel=GATES,
    ),
]
GateExitCodeOption = Annotated[
    int,
    typer.Option(
        "--gate-exit-code",
        min=0,
        max=255,
        metavar="N",
        help="Exit code when a gate is not met.",
        rich_help_panel=GATES,
    ),
]
OutputsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Also write the results to X.json, X.md, X.xml (JUnit) or X.txt (repeatable).",
        rich_help_panel=OUTPUT,
    ),
]
ReportOption = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="X.html",
        help="Also write a page with figures and examples to listen to.",
        rich_help_panel=OUTPUT,
    ),
]
ResultFormatOption = Annotated[
    ResultFormat | None,
    typer.Option(
        "--format",
        "-f",
        help="How results are written on stdout [default: table on a terminal or with -o, "
        "else json].",
        rich_help_panel=OUTPUT,
    ),
]
IndexModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        envvar="OEA_MODEL",
        metavar="NAME",
        help="Where the index's own encoder is now, if it has moved.",
        autocompletion=complete_models,
        rich_help_panel=ENCODER,
    ),
]
CaptionsOption = Annotated[
    CaptionsAsked,
    typer.Option(
        "--captions",
        help="Every caption of a clip is a query, or one at random.",
        rich_help_panel=RARE,
    ),
]
WithinOption = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Rank only clips that share the target's value of KEY, such as dataset.",
        rich_help_panel=RARE,
    ),
]
TiesOption = Annotated[
    TieRule,
    typer.Option(
        "--ties",
        help="Equal scores share the better rank (strict), or rank as in trec_eval (trec).",
        rich_help_panel=RARE,
    ),
]
AllowMissingOption = Annotated[
    bool,
    typer.Option(
        "--allow-missing",
        help="Count a target that is not in the corpus as not found.",
        rich_help_panel=RARE,
    ),
]
