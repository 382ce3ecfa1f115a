"""Ours beside the paper's figures, for people, pages and programs."""

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from oea_cli.evaluation.published import Comparison as Beside
from oea_cli.evaluation.published import paper_table, source
from oea_cli.evaluation.rendering import Row, aligned, escaped, markdown_table


def comparison_table(rows: Sequence[Beside]) -> str:
    """The paper's tables with ours beside, for a terminal."""
    blocks = ["\n".join([title, *aligned(cells)]) for title, cells in _comparison_blocks(rows)]
    return "\n\n".join([*blocks, f"Paper's figures: {source()}"]) + "\n"


def comparison_markdown(rows: Sequence[Beside]) -> str:
    """The same for a page."""
    blocks = [
        f"### {escaped(title)}\n\n{markdown_table(cells)}"
        for title, cells in _comparison_blocks(rows)
    ]
    return "\n\n".join([*blocks, f"Paper's figures: {escaped(source())}"]) + "\n"


def comparison_json(rows: Sequence[Beside]) -> str:
    """The same for programs: percent, and `unit` where it is another one."""
    content = {"source": source(), "rows": [asdict(row) for row in rows]}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n"


COMPARISON_HEADER = ["encoder", "dataset", "metric", "ours", "paper", "difference"]


def _comparison_blocks(rows: Sequence[Beside]) -> list[tuple[str, list[Row]]]:
    numbers = dict.fromkeys(row.table for row in rows)
    return [
        (
            f"Table {number}: {paper_table(number).title}",
            [COMPARISON_HEADER, *(_beside(row) for row in rows if row.table == number)],
        )
        for number in numbers
    ]


def _beside(row: Beside) -> Row:
    unit = "" if row.unit == "%" else f" ({row.unit})"
    paper = "" if row.paper is None else f"{row.paper:.2f}"
    difference = "" if row.difference is None else f"{row.difference:+.2f}"
    label = f"{row.metric}{unit}"
    return [row.encoder, row.dataset, label, f"{row.ours:.2f}", paper, difference]
