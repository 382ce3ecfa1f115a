"""`oea search`: the clips of an index that sound like a text, a file, or each other."""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oea_cli.commands.console.terminal import FailureLog, say
from oea_cli.commands.options.shared import (
    AllowEmptyOption,
    DeviceOption,
    Dtype,
    DtypeOption,
    ErrorsOption,
    OnError,
    OnErrorOption,
    Placed,
    QuietOption,
    TopKOption,
    TrustRemoteCodeOption,
    VerboseOption,
)
from oea_cli.errors import Failure, OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.encoder.protocol import Encoder
    from oea_cli.search.hits import Hit
    from oea_cli.search.retrieval import Retrieval
    from oea_cli.vectors.batch import Batch
    from oea_cli.vectors.index.index import VectorIndex


class HitFormat(StrEnum):
    """How hits are written."""

    jsonl = "jsonl"
    json = "json"
    table = "table"
    trec = "trec"
    paths = "paths"


@dataclass(frozen=True)
class Question:
    """What is looked for; exactly one of these."""

    text: str | None
    audio: str | None
    like: str | None
    queries: str | None


def search(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What it should sound like.")
    ] = None,
    audio: Annotated[
        str | None, typer.Option("--audio", metavar="FILE", help="Find what sounds like this file.")
    ] = None,
    like: Annotated[
        str | None, typer.Option("--like", metavar="ID", help="Find what is like this clip.")
    ] = None,
    queries: Annotated[
        str | None,
        typer.Option(
            "--queries",
            metavar="FILE",
            help="Many queries: lines, records with text or path, or vectors; - is stdin.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--not", metavar="TEXT", help="Push down what sounds like this (repeatable)."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="SQL", help="Only records that satisfy this condition."),
    ] = None,
    min_score: Annotated[
        float | None, typer.Option("--min-score", metavar="S", help="Only hits scored S or more.")
    ] = None,
    top_k: TopKOption = 10,
    index: Annotated[
        Path,
        typer.Option("--index", "-i", envvar="OEA_INDEX", metavar="X.oea", help="What to search."),
    ] = Path("index.oea"),
    format: Annotated[
        HitFormat | None,
        typer.Option("--format", "-f", help="[default: table on a terminal, else jsonl]"),
    ] = None,
    null: Annotated[
        bool, typer.Option("-0", "--null", help="Paths, each ended by NUL, for xargs -0.")
    ] = False,
    play: Annotated[bool, typer.Option("--play", help="Play the hits, best first.")] = False,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="The index's encoder, where it lies elsewhere now.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = Dtype.auto,
    trust_remote_code: TrustRemoteCodeOption = False,
    on_error: OnErrorOption = OnError.skip,
    errors: ErrorsOption = None,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Find the clips of an index by text, by sound, by likeness, or for many queries.

    The index's own encoder is used. With --not, a clip that resembles the unwanted text more than
    most of the index does loses score.

    \b
    Examples:
      oea search "rain on a tin roof" -k 5
      oea search "rain" --not thunder --where "duration < 10"
      oea search --audio door.wav -i sounds.oea
      oea search --queries queries.jsonl -i sounds.oea -f trec > run.trec
      oea search "a bell" -0 | xargs -0 ls -l
    """
    from oea_cli.vectors.scan.threads import leave_threads_to_us

    leave_threads_to_us()
    question = Question(text, audio, like, queries)
    _check(question, play, null, format)
    player = _player() if play else None
    with FailureLog("search", on_error, errors) as log:
        placed = Placed(device, dtype, trust_remote_code=trust_remote_code)
        retrieval, encoder = _open(index, exclude, where, min_score, top_k, model, placed)
        played: list[Hit] = []
        with closing(_queries(question, retrieval.index, encoder, log)) as batches:
            results = retrieval.answer(batches, like)
            _write(_noted(results, played) if player else results, format, null)
        _check_counts(retrieval, log, question, allow_empty, quiet)
        if player:
            _play(player, played, log, quiet)
        log.finish(len(played) - log.count if player else retrieval.num_queries)


def _check(question: Question, play: bool, null: bool, format: HitFormat | None) -> None:
    """Refuse what makes no sense together, before anything is loaded."""
    asked = {"TEXT": question.text, "--audio": question.audio, "--like": question.like}
    given = [name for name, value in {**asked, "--queries": question.queries}.items() if value]
    if len(given) != 1:
        raise UsageError(
            f"{' and '.join(given)} do not go together; one of them"
            if given
            else 'nothing to look for: `oea search "a dog barking"`, --audio, --like or --queries'
        )
    if null and format not in (None, HitFormat.paths):
        raise UsageError(f"-0 ends paths; it does not go with -f {format}")
    if play and question.queries:
        raise UsageError("--play plays the hits of one query; leave --queries out")


def _open(
    folder: Path,
    exclude: list[str] | None,
    where: str | None,
    min_score: float | None,
    top_k: int,
    model: str | None,
    placed: Placed,
) -> "tuple[Retrieval, Callable[[], Encoder]]":
    """Open the index; its encoder is loaded when something has to be encoded."""
    from functools import cache

    from oea_cli.encoder.matching import matching_encoder
    from oea_cli.search.retrieval import Conditions, Retrieval
    from oea_cli.vectors.index.index import VectorIndex

    index = VectorIndex.open(folder)

    @cache
    def encoder() -> "Encoder":
        return matching_encoder(index.encoder, str(index.folder), model, placed.keywords)

    conditions = Conditions(exclude or [], where, min_score, top_k)
    return Retrieval(index, conditions, encoder), encoder


def _queries(
    question: Question, index: "VectorIndex", encoder: "Callable[[], Encoder]", log: FailureLog
) -> "Generator[Batch, None, None]":
    from oea_cli.search import queries as search_queries

    if question.text:
        yield search_queries.text_query(encoder(), question.text)
    elif question.audio:
        yield from search_queries.audio_query(encoder(), question.audio)
    elif question.like:
        yield search_queries.like_query(index, question.like)
    elif question.queries:
        yield from search_queries.read_queries(question.queries, index, encoder, log.report)


def _write(results: "Iterator[list[Hit]]", format: HitFormat | None, null: bool) -> None:
    """Write the hits to stdout in the format asked for."""
    from oea_cli.commands.console.hit_table import write_table
    from oea_cli.search import hits

    if format is None:
        format = HitFormat.table if sys.stdout.isatty() else HitFormat.jsonl
    stream = sys.stdout.buffer
    if null or format == HitFormat.paths:
        hits.write_paths(results, stream, b"\0" if null else b"\n")
    else:
        writers: dict[HitFormat, Callable[..., None]] = {
            HitFormat.jsonl: hits.write_jsonl,
            HitFormat.json: hits.write_json,
            HitFormat.trec: hits.write_trec,
            HitFormat.table: write_table,
        }
        writers[format](results, stream)
    sys.stdout.flush()


def _check_counts(
    retrieval: "Retrieval", log: FailureLog, question: Question, allow_empty: bool, quiet: bool
) -> None:
    """A query file without queries is a failure; a query without hits is worth a line."""
    if not retrieval.num_queries and not log.count and not allow_empty:
        raise OeaError(f"{question.queries}: no queries in it (--allow-empty permits that)")
    if retrieval.num_queries and not retrieval.num_hits and not quiet:
        say("oea search: no hits")


def _noted(results: "Iterator[list[Hit]]", played: "list[Hit]") -> "Iterator[list[Hit]]":
    """Pass the results on and keep the hits, to be played afterwards."""
    for hits in results:
        played.extend(hits)
        yield hits


def _player() -> str:
    from oea_cli.commands.console.player import find_player

    return find_player()


def _play(player: str, hits: "list[Hit]", log: FailureLog, quiet: bool) -> None:
    """Play the hits one after the other; one that cannot be played is named and left out."""
    from oea_cli.commands.console.player import play
    from oea_cli.search.hits import hit_path

    for hit in hits:
        try:
            path = hit_path(hit)
            if not quiet:
                say(f"oea search: playing {hit['rank']} of {len(hits)}: {path}")
            play(player, path, hit.get("start"), hit.get("end"))
        except OeaError as error:
            where, _, reason = str(error).partition(": ")
            log.report(Failure(where, reason, hit["id"]))
