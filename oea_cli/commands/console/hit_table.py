"""Hits as a table for a person."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from oea_cli.search.hits import Hit

BAR_CELLS = 10
_EIGHTHS = " ▏▎▍▌▋▊▉"


def write_table(results: "Iterable[list[Hit]]", _: BinaryIO) -> None:
    """A table per query that fits the terminal: rank, score bar, path, moment, captions."""
    from rich.console import Console

    console = Console(highlight=False)
    several = False
    for hits in results:
        if hits:
            with console.capture() as drawn:  # rich itself ends the process where a pipe is closed
                console.print(_table(hits))
            sys.stdout.write("\n" * several + drawn.get())
            several = True


def _table(hits: "list[Hit]") -> Any:
    from rich.table import Table
    from rich.text import Text

    from oea_cli.records.visible import visible

    rows = [_cells(hit) for hit in hits]
    has_moments = any(row[3] for row in rows)
    has_captions = any(row[4] for row in rows)
    table = Table(
        box=None, title=visible(hits[0]["query_id"]), title_justify="left", pad_edge=False
    )
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("score", no_wrap=True)
    table.add_column("path", overflow="fold", ratio=2 if has_captions else None)
    if has_moments:
        table.add_column("at", no_wrap=True)
    if has_captions:
        table.add_column("captions", overflow="fold", ratio=3)
    for row in rows:
        shown = [*row[:3], *row[3:4][:has_moments], *row[4:][:has_captions]]
        table.add_row(*(Text(visible(cell)) for cell in shown))
    return table


def _cells(hit: "Hit") -> tuple[str, str, str, str, str]:
    from oea_cli.clips.captions import captions_in, cleaned
    from oea_cli.commands.console.moments import moment_of

    words = captions_in(hit) or cleaned(hit.get("text"))
    more = f" (+{len(words) - 1})" if len(words) > 1 else ""
    place = str(hit.get("path") or hit["id"])
    return (
        str(hit["rank"]),
        f"{score_bar(hit['score'])} {hit['score']:.3f}",
        place,
        moment_of(hit),
        (words[0] if words else "") + more,
    )


def score_bar(score: float) -> str:
    """Return a bar of ten cells for a score from 0 to 1."""
    eighths = round(min(max(score, 0.0), 1.0) * BAR_CELLS * 8)
    bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return bar.ljust(BAR_CELLS)
