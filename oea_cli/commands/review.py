"""`oea review`: a local page for people who verify pairs and queries by ear."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oea_cli.commands.console.terminal import say
from oea_cli.commands.options.panels import INPUT, OUTPUT
from oea_cli.commands.options.shared import (
    AllowEmptyOption,
    QuietOption,
    SeedOption,
    TableFormat,
    VerboseOption,
)
from oea_cli.errors import OeaError, UsageError

if TYPE_CHECKING:
    from oea_cli.web.review.clip_sounds import ClipSounds
    from oea_cli.web.review.items import Item
    from oea_cli.web.review.progress import Progress


PAGE = "The page"


def review(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Hard-negative pairs, or queries with their clips; with --summary: verdicts.",
            rich_help_panel=INPUT,
        ),
    ],
    clips: Annotated[
        list[str] | None,
        typer.Option(
            "--clips",
            metavar="FILE",
            help="Find the sounds by these records, or in this folder (repeatable).",
            rich_help_panel=INPUT,
        ),
    ] = None,
    index: Annotated[
        Path | None,
        typer.Option(
            "--index",
            "-i",
            metavar="X.oea",
            help="Find the sounds by the records of this index.",
            rich_help_panel=INPUT,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Verdicts as JSONL; what is in the file already need not be judged again.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    summary: Annotated[
        bool,
        typer.Option(
            "--summary",
            help="Report on verdicts: counts, means, agreement.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    format: Annotated[
        TableFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="How --summary is written [default: table on a terminal, else json].",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    quiet: QuietOption = False,
    annotator: Annotated[
        str | None,
        typer.Option(
            envvar="OEA_ANNOTATOR",
            metavar="NAME",
            help="Who judges [default: the page asks].",
            rich_help_panel=PAGE,
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            envvar="OEA_PORT",
            min=0,
            max=65535,
            metavar="N",
            help="Port of the page; 0 takes any that is free.",
            rich_help_panel=PAGE,
        ),
    ] = 0,
    browser: Annotated[
        bool,
        typer.Option(
            "--browser/--no-browser", help="Open the page in a browser.", rich_help_panel=PAGE
        ),
    ] = True,
    allow_empty: AllowEmptyOption = False,
    verbose: VerboseOption = False,
    seed: SeedOption = 0,
) -> None:
    """Judge pairs and queries by ear, in a browser.

    A pair is a valid hard negative, the same sound, or unsure; a query gets 1 to 5. Each verdict is
    stored at once, and the same command goes on where an annotator stopped. Only this machine can
    open the page, and its link works in one browser. Ctrl-C ends it: the exit code is 0 if
    everything has been judged, else 130.

    \b
    Examples:
      oea review pairs.jsonl -o verdicts.jsonl
      oea review uiq.jsonl -o ratings.jsonl --clips clips.jsonl --annotator Ada
      oea review --summary ada.jsonl ben.jsonl -f json
    """
    if summary:
        _check_summary(output, clips, index)
        _summarise(inputs, format, allow_empty)
        return
    if format is not None:
        raise UsageError("-f is the format of --summary")
    if output is None:
        raise UsageError("where do the verdicts go? -o verdicts.jsonl")
    if str(output) in inputs:
        raise UsageError(f"{output}: is what is reviewed; verdicts need a file of their own")
    from oea_cli.web.installed import check_installed

    check_installed("oea review")
    items = _read(inputs, clips, index)
    if not items:
        if allow_empty:
            return
        raise OeaError(f"{', '.join(inputs)}: nothing to review in it (--allow-empty permits that)")
    _run(items, output, annotator, seed, port, browser, quiet)


def _check_summary(output: Path | None, clips: list[str] | None, index: Path | None) -> None:
    given = {"-o": output, "--clips": clips, "-i": index}
    if wrong := [name for name, value in given.items() if value]:
        raise UsageError(f"{' and '.join(wrong)}: not with --summary, which writes to stdout")


def _summarise(files: list[str], format: TableFormat | None, allow_empty: bool) -> None:
    from oea_cli.clips.verdicts import read_verdicts
    from oea_cli.web.review.summary import summarise, to_table

    entries = read_verdicts(files)
    if not entries and not allow_empty:
        raise OeaError(f"{', '.join(files)}: no verdicts in it (--allow-empty permits that)")
    document = summarise(entries)
    if format is None:
        format = TableFormat.table if sys.stdout.isatty() else TableFormat.json
    if format == TableFormat.table:
        typer.echo(to_table(document), nl=False)
        return
    import orjson

    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()


def _read(inputs: list[str], clips: list[str] | None, index: Path | None) -> "list[Item]":
    from oea_cli.web.review.items import read_items

    return read_items(inputs, _sounds(clips, index))


def _sounds(clips: list[str] | None, index: Path | None) -> "ClipSounds":
    """Where sounds are looked for, beside what the rows themselves name."""
    from oea_cli.errors import raise_failure
    from oea_cli.records.inputs import read_records
    from oea_cli.web.review.clip_sounds import ClipSounds

    records = read_records(clips or [], report=raise_failure)
    if index is None:
        return ClipSounds(records)
    from oea_cli.clips.lookup import lookup
    from oea_cli.vectors.index.index import VectorIndex

    opened = VectorIndex.open(index)
    return ClipSounds(records, lookup(opened.row_of, opened.records_of))


def _run(
    items: "list[Item]",
    output: Path,
    annotator: str | None,
    seed: int,
    port: int,
    browser: bool,
    quiet: bool,
) -> None:
    """Open the log and show the page until Ctrl-C."""
    from contextlib import closing

    from oea_cli.clips.verdicts import VerdictLog
    from oea_cli.web.review.progress import Progress, annotator_name

    try:
        name = None if annotator is None else annotator_name(annotator)
    except ValueError as error:
        raise UsageError(f"--annotator {annotator!r}: {error}") from error
    with closing(VerdictLog(output)) as log:
        progress = Progress(items, log, seed)
        try:
            _show(progress, name, output, port, browser, quiet)
        except KeyboardInterrupt:
            if not quiet:
                say(f"oea review: {progress.num_stored()} verdicts in {output}")
            if not progress.is_complete():
                raise


def _show(
    progress: "Progress", name: str | None, output: Path, port: int, browser: bool, quiet: bool
) -> None:
    from tempfile import TemporaryDirectory

    from oea_cli.web.access import Tokens
    from oea_cli.web.app import make_app
    from oea_cli.web.review.app import ReviewRoutes, review_page, sounds_of
    from oea_cli.web.server import listening, open_browser, serve
    from oea_cli.web.sounds import SoundShelf

    with listening(port) as server, TemporaryDirectory(prefix="oea-review-") as folder:
        port = server.getsockname()[1]

        def link(token: str) -> str:
            return f"http://127.0.0.1:{port}/?token={token}"

        tokens = Tokens(lambda token: say(f"oea review: for one more browser: {link(token)}"))
        shelf = SoundShelf(sounds_of(progress.items), Path(folder))
        routes = ReviewRoutes(progress, name, str(output)).routes()
        app = make_app(
            review_page(), shelf, routes, tokens, f"oea-{port}", lambda p: say(f"oea review: {p}")
        )
        first = link(tokens.current)
        missing = sum(side.found.sound is None for item in progress.items for side in item.sides)
        if missing and not quiet:
            say(f"oea review: {missing} sounds are not there; the page says which")
        # The link is the only way in, so it is no chatter that -q silences.
        say(f"oea review: {len(progress.items)} to judge, Ctrl-C ends: {first}")
        if browser:
            open_browser(first)
        serve(app, server)
