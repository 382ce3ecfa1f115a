"""The options of `oea eval` and their choices."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from oea_cli.commands.options.completion import complete_metrics, complete_models
from oea_cli.commands.options.panels import ENCODER, INPUT, OUTPUT, RARE, Panel

METRICS = Panel("What is measured")
GATES = Panel("When to fail a build")


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
    INPUT.argument(
        metavar="RECIPE",
        help="The paper's evaluation instead: a YAML file; -o then names a folder.",
    ),
]
QueriesOption = Annotated[
    list[str] | None,
    INPUT.option(
        "--queries",
        metavar="FILE",
        help="Queries with their targets: records (repeatable), or vectors; - is stdin.",
    ),
]
IndexOption = Annotated[
    str | None,
    INPUT.option(
        "--index",
        "-i",
        metavar="X.oea",
        help="The index to rank [env var: OEA_INDEX; default: index.oea].",
    ),
]
CorpusOption = Annotated[
    str | None,
    INPUT.option("--corpus", metavar="FILE", help="Vectors to rank instead of an index."),
]
RunOption = Annotated[
    str | None,
    INPUT.option(
        "--run", metavar="FILE", help="A ranking made elsewhere: a TREC run or JSONL hits."
    ),
]
QrelsOption = Annotated[
    str | None,
    INPUT.option("--qrels", metavar="FILE", help="What is relevant: TREC qrels or BEIR's TSV."),
]
MetricOption = Annotated[
    list[str] | None,
    METRICS.option(
        "--metric",
        "-M",
        metavar="NAME@K",
        help="A metric, such as r@10 (repeatable) [default: those that fit the queries].",
        autocompletion=complete_metrics,
    ),
]
ListMetricsOption = Annotated[
    bool, METRICS.option("--list-metrics", help="List the metrics and stop.")
]
TaskOption = Annotated[EvalTask, METRICS.option("--task", help="What searches for what.")]
BaselineOption = Annotated[
    str | None,
    GATES.option(
        "--baseline", metavar="FILE", help="Compare with earlier results (JSON) or another run."
    ),
]
FailUnderOption = Annotated[
    list[str] | None,
    GATES.option("--fail-under", metavar="M=V", help="Fail if metric M is under V (repeatable)."),
]
MaxDropOption = Annotated[
    list[str] | None,
    GATES.option(
        "--max-drop",
        metavar="M=D",
        help="Fail if M is more than D worse than in the baseline (repeatable).",
    ),
]
AlphaOption = Annotated[
    float | None,
    GATES.option(
        "--alpha",
        min=0.0,
        max=1.0,
        metavar="A",
        help="A drop fails only if its Holm-corrected p-value is under A.",
    ),
]
CheckLeaksOption = Annotated[
    list[str] | None,
    GATES.option(
        "--check-leaks",
        metavar="[content:]FILE",
        help="Look for clips that these training records hold too; content: compares the "
        "sounds (repeatable).",
    ),
]
GateExitCodeOption = Annotated[
    int,
    GATES.option(
        "--gate-exit-code", min=0, max=255, metavar="N", help="Exit code when a gate is not met."
    ),
]
OutputsOption = Annotated[
    list[str] | None,
    OUTPUT.option(
        "--output",
        "-o",
        metavar="FILE",
        help="Also write the results to X.json, X.md, X.xml (JUnit) or X.txt (repeatable).",
    ),
]
ReportOption = Annotated[
    str | None,
    OUTPUT.option(
        "--report",
        metavar="X.html",
        help="Also write a page with figures and examples to listen to.",
    ),
]
ResultFormatOption = Annotated[
    ResultFormat | None,
    OUTPUT.option(
        "--format",
        "-f",
        help="How results are written on stdout [default: table on a terminal or with -o, "
        "else json].",
    ),
]
IndexModelOption = Annotated[
    str | None,
    ENCODER.option(
        "--model",
        "-m",
        metavar="NAME",
        help="The index's encoder: where it is now, or its name, if the index names none.",
        autocompletion=complete_models,
    ),
]
CaptionsOption = Annotated[
    CaptionsAsked,
    RARE.option("--captions", help="Every caption of a clip is a query, or one at random."),
]
WithinOption = Annotated[
    str | None,
    RARE.option(
        metavar="KEY", help="Rank only clips that share the target's value of KEY, such as dataset."
    ),
]
TiesOption = Annotated[
    TieRule,
    RARE.option(
        "--ties",
        help="Equal scores share the better rank (strict), or rank as in trec_eval (trec).",
    ),
]
AllowMissingOption = Annotated[
    bool,
    RARE.option(
        "--allow-missing",
        help="Count a target that is not in the corpus as not found; leave out queries that have "
        "none.",
    ),
]
