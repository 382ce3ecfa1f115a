"""Our figures beside the paper's, as a table, Markdown and JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from textwrap import wrap

import orjson

from oea_cli.evaluation.output.rendering import Row, aligned, escaped, markdown_table
from oea_cli.evaluation.paper.published import PaperComparison, paper_table, source


def comparison_table(rows: Sequence[PaperComparison]) -> str:
    """The paper's tables with ours beside, for a terminal."""
    blocks = [
        "\n".join([title, *aligned(cells), *wrap(note, NOTE_WIDTH)])
        for title, cells, note in _comparison_blocks(rows)
    ]
    return "\n\n".join([*blocks, f"Paper's figures: {source()}"]) + "\n"


def comparison_markdown(rows: Sequence[PaperComparison]) -> str:
    """The same in Markdown."""
    blocks = [
        f"### {escaped(title)}\n\n{markdown_table(cells)}"
        + (f"\n\n{escaped(note)}" if note else "")
        for title, cells, note in _comparison_blocks(rows)
    ]
    return "\n\n".join([*blocks, f"Paper's figures: {escaped(source())}"]) + "\n"


def comparison_json(rows: Sequence[PaperComparison]) -> str:
    """The same as JSON: per cent, or the unit named by `unit`."""
    content = {"source": source(), "rows": [asdict(row) for row in rows]}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"


NOTE_WIDTH = 100
COMPARISON_HEADER = ["encoder", "dataset", "metric", "ours", "paper", "difference"]


def _comparison_blocks(rows: Sequence[PaperComparison]) -> list[tuple[str, list[Row], str]]:
    """Title, rows and note of each table."""
    tables = [paper_table(number) for number in dict.fromkeys(row.table for row in rows)]
    return [
        (
            f"Table {table.number}: {table.title}",
            [COMPARISON_HEADER, *(_beside(row) for row in rows if row.table == table.number)],
            table.note,
        )
        for table in tables
    ]


def _beside(row: PaperComparison) -> Row:
    unit = "" if row.unit == "%" else f" ({row.unit})"
    paper = "" if row.paper is None else f"{row.paper:.2f}"
    difference = "" if row.difference is None else f"{row.difference:+.2f}"
    label = f"{row.metric}{unit}"
    return [row.encoder, row.dataset, label, f"{row.ours:.2f}", paper, difference]
