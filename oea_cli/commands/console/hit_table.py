"""Hits as a table for a person."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from oea_cli.search.hits import Hit

BAR_CELLS = 10
_EIGHTHS = " ▏▎▍▌▋▊▉"


def write_table(results: "Iterable[list[Hit]]", _: BinaryIO, *, with_index: bool = False) -> None:
    """A table per query that fits the terminal: rank, score bar, index, path, moment, captions."""
    from rich.console import Console

    console = Console(highlight=False)
    several = False
    for hits in results:
        if hits:
            with console.capture() as drawn:  # rich itself ends the process where a pipe is closed
                console.print(_table(hits, with_index))
            sys.stdout.write("\n" * several + drawn.get())
            several = True


def _table(hits: "list[Hit]", with_index: bool) -> Any:
    from rich.table import Table
    from rich.text import Text

    from oea_cli.records.visible import visible

    rows = [_cells(hit, with_index) for hit in hits]
    shown = [name for name in rows[0] if any(row[name] for row in rows)]
    table = Table(
        box=None, title=visible(hits[0]["query_id"]), title_justify="left", pad_edge=False
    )
    layouts: dict[str, dict[str, Any]] = {
        "": {"justify": "right", "no_wrap": True},
        "score": {"no_wrap": True},
        "index": {"overflow": "fold"},
        "path": {"overflow": "fold", "ratio": 2 if "captions" in shown else None},
        "at": {"no_wrap": True},
        "captions": {"overflow": "fold", "ratio": 3},
    }
    for name in shown:
        table.add_column(name, **layouts[name])
    for row in rows:
        table.add_row(*(Text(visible(row[name])) for name in shown))
    return table


def _cells(hit: "Hit", with_index: bool) -> dict[str, str]:
    """What a row may show; a column that is empty in all of them is left out."""
    from oea_cli.clips.captions import captions_in, cleaned
    from oea_cli.commands.console.moments import moment_of

    words = captions_in(hit) or cleaned(hit.get("text"))
    more = f" (+{len(words) - 1})" if len(words) > 1 else ""
    return {
        "": str(hit["rank"]),
        "score": f"{score_bar(hit['score'])} {hit['score']:.3f}",
        "index": hit["index"] if with_index else "",
        "path": str(hit.get("path") or hit["id"]),
        "at": moment_of(hit),
        "captions": (words[0] if words else "") + more,
    }


def score_bar(score: float) -> str:
    """Return a bar of ten cells for a score from 0 to 1."""
    eighths = round(min(max(score, 0.0), 1.0) * BAR_CELLS * 8)
    bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return bar.ljust(BAR_CELLS)
