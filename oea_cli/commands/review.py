"""`oea review`: a local page for people who verify pairs and queries by ear."""

from pathlib import Path

from oea_cli.commands.console.documents import write_document
from oea_cli.commands.console.terminal import notices, say_link
from oea_cli.commands.options import reviewing, shared
from oea_cli.errors import OeaError, UsageError


def review(
    inputs: reviewing.InputsArgument,
    clips: reviewing.ClipsOption = None,
    index: reviewing.SoundsIndexOption = None,
    output: reviewing.VerdictsOutputOption = None,
    summary: reviewing.SummaryOption = False,
    format: reviewing.SummaryFormatOption = None,
    quiet: shared.QuietOption = False,
    annotator: reviewing.AnnotatorOption = None,
    port: reviewing.PortOption = 0,
    browser: reviewing.BrowserOption = True,
    allow_empty: shared.AllowEmptyOption = False,
    verbose: shared.VerboseOption = False,
    seed: shared.SeedOption = 0,
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
        raise UsageError("-f goes with --summary only")
    if output is None:
        raise UsageError("the verdicts need a file; give -o verdicts.jsonl")
    if str(output) in inputs:
        raise UsageError(f"{output}: is under review itself; the verdicts need a file of their own")
    from oea_cli.web.installed import check_installed

    check_installed("oea review")
    from oea_cli.records.tables import lone_headers
    from oea_cli.web.review.clip_sounds import find_sounds
    from oea_cli.web.review.items import read_items
    from oea_cli.web.review.session import Session

    items = read_items(inputs, find_sounds(clips or [], index))
    if not items:
        if allow_empty:
            return
        nothing = f"{', '.join(inputs)}: nothing to review in it{lone_headers(inputs)}"
        raise OeaError(f"{nothing}; --allow-empty permits that")
    session = Session(items, output, annotator, seed)
    notice = notices("review", quiet)
    try:
        session.show(port, in_browser=browser, say=say_link("review"), notice=notice)
    except KeyboardInterrupt:
        notice(f"{session.num_stored} verdicts in {output}")
        if not session.is_complete:
            raise


def _check_summary(output: Path | None, clips: list[str] | None, index: Path | None) -> None:
    given = {"-o": output, "--clips": clips, "-i": index}
    if wrong := [name for name, value in given.items() if value]:
        raise UsageError(f"{' and '.join(wrong)}: not with --summary, which writes to stdout")


def _summarise(files: list[str], format: shared.TableFormat | None, allow_empty: bool) -> None:
    from oea_cli.clips.verdicts import read_verdicts
    from oea_cli.web.review.summary import summarise, to_table

    entries = read_verdicts(files)
    if not entries and not allow_empty:
        raise OeaError(f"{', '.join(files)}: no verdicts in it (--allow-empty permits that)")
    write_document(summarise(entries), format, to_table)
