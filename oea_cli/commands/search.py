"""`oea search`: the clips of an index that sound like a text, a file, or each other."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from oea_cli.commands.console.player import find_player, play_hits
from oea_cli.commands.console.terminal import FailureLog, notices, say
from oea_cli.commands.options import searching, shared
from oea_cli.errors import OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.search.hits import Hit
    from oea_cli.search.several import SeveralIndexes


def search(
    text: searching.TextArgument = None,
    audio: searching.AudioOption = None,
    like: searching.LikeOption = None,
    queries: searching.QueriesOption = None,
    column: shared.ColumnOption = None,
    index: searching.IndexOption = searching.INDEXES,
    top_k: searching.TopKOption = 10,
    exclude: searching.NotOption = None,
    where: searching.WhereOption = None,
    min_score: searching.MinScoreOption = None,
    format: searching.FormatOption = None,
    null: searching.NullOption = False,
    windows: searching.WindowsOption = None,
    play: searching.PlayOption = False,
    quiet: shared.QuietOption = False,
    model: searching.IndexModelOption = None,
    device: shared.DeviceOption = "auto",
    on_error: shared.OnErrorOption = shared.OnError.skip,
    errors: shared.ErrorsOption = None,
    allow_empty: shared.AllowEmptyOption = False,
    verbose: shared.VerboseOption = False,
    dtype: shared.RareDtypeOption = shared.Dtype.auto,
    trust_remote_code: shared.TrustRemoteCodeOption = False,
    channel: shared.ChannelOption = "mix",
) -> None:
    """Find clips in an index by text or by sound.

    Queries are encoded by the encoder that made the index. With --not, a clip loses score if it
    resembles the unwanted text more than most of the index does.

    \b
    Examples:
      oea search "rain on a tin roof" -k 5
      oea search "rain" --not thunder --where "duration < 10"
      oea search --queries queries.jsonl -i sounds.oea -f trec > run.trec
    """
    from oea_cli.vectors.scan.threads import leave_threads_to_us

    leave_threads_to_us()
    from oea_cli.records.where.parsing import parse_condition
    from oea_cli.search.question import Question, answered

    if queries is not None:
        (queries,) = shared.in_column([queries], column)
    question = Question(text, audio, like, queries)
    question.check()
    _check_output(play, null, format, queries)
    shared.check_channel(channel)
    root = None if where is None else parse_condition(where)
    from oea_cli.encoder.streaming.hearing import hearing
    from oea_cli.records.tables import lone_headers
    from oea_cli.records.where.evaluation import Condition
    from oea_cli.search.retrieval import Conditions

    placed = shared.DeviceOptions(device, dtype, trust_remote_code=trust_remote_code)
    form = _format(format, null)
    if windows is None:
        windows = form in (searching.HitFormat.jsonl, searching.HitFormat.json)
    condition = None if root is None else Condition(root)
    conditions = Conditions(exclude or [], condition, min_score, top_k, windows)
    played: list[Hit] = []
    with FailureLog("search", on_error, errors) as log:
        with (
            hearing(channel, notices("search", quiet)),
            answered(
                question,
                index,
                conditions,
                model=model,
                placement=placed.keywords,
                report=log.report,
            ) as (retrieval, results),
        ):
            _write(_noted(results, played) if play else results, form, null, retrieval)
        if not retrieval.num_queries and not log.count and not allow_empty:
            nothing = f"{queries}: no queries in it{lone_headers([queries or '-'])}"
            raise OeaError(f"{nothing}; --allow-empty permits that")
        if retrieval.num_queries and not retrieval.num_hits and not quiet:
            say("oea search: no hits")
        if play:
            play_hits(find_player(), played, log, quiet)
        log.finish(len(played) - log.count if play else retrieval.num_queries)


def _check_output(
    play: bool, null: bool, format: searching.HitFormat | None, queries: str | None
) -> None:
    """Refuse what makes no sense together, before anything is loaded."""
    if null and format not in (None, searching.HitFormat.paths):
        raise UsageError(f"-0 ends paths; it does not go with -f {format}")
    if play and queries:
        raise UsageError("--play plays the hits of one query; leave --queries out")


def _format(asked: searching.HitFormat | None, null: bool) -> searching.HitFormat:
    """The format asked for; by default what suits stdout."""
    if null:
        return searching.HitFormat.paths
    suits = searching.HitFormat.table if sys.stdout.isatty() else searching.HitFormat.jsonl
    return asked or suits


def _write(
    results: "Iterator[list[Hit]]",
    format: searching.HitFormat,
    null: bool,
    retrieval: "SeveralIndexes",
) -> None:
    """Write the hits to stdout."""
    from oea_cli.commands.console.hit_table import write_table
    from oea_cli.records.visible import visible
    from oea_cli.search import hits

    stream = sys.stdout.buffer
    if format == searching.HitFormat.paths:
        shown = visible if sys.stdout.isatty() else str  # programs read the names as they are
        hits.write_paths(results, stream, b"\0" if null else b"\n", shown)
    elif format == searching.HitFormat.csv:
        hits.write_csv(results, stream, hits.csv_columns(retrieval.keys))
    else:
        writers: dict[searching.HitFormat, Callable[..., None]] = {
            searching.HitFormat.jsonl: hits.write_jsonl,
            searching.HitFormat.json: hits.write_json,
            searching.HitFormat.trec: hits.write_trec,
            searching.HitFormat.table: partial(write_table, with_index=retrieval.names_index),
        }
        writers[format](results, stream)
    sys.stdout.flush()


def _noted(results: "Iterator[list[Hit]]", played: "list[Hit]") -> "Iterator[list[Hit]]":
    """Pass the results on and keep the hits, to be played afterwards."""
    for hits in results:
        played.extend(hits)
        yield hits
