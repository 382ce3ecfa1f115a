"""Columns of white-space separated text (TREC runs, qrels), split in C and not line by line."""

from collections.abc import Iterator
from typing import BinaryIO

from oea_cli.errors import OeaError

CHUNK_BYTES = 1 << 24
LINE_END = b"\x00"
Columns = list[list[bytes]]


def columns_of(content: bytes, name: str, width: int, layout: str, first_line: int = 1) -> Columns:
    """Return `width` columns of tokens; words after them on a line are left out, as trec_eval does.

    Blank lines are passed over. Raises OeaError naming the first line that has fewer words;
    `layout` says what they should have been.
    """
    if LINE_END in content:
        raise OeaError(f"{name}: is not text; expected lines of `{layout}`")
    # A mark at every line's end shows, after one split of everything, that all lines are alike.
    tokens = content.rstrip().replace(b"\n", b" \x00 ").split()
    if not tokens:
        return [[] for _ in range(width)]
    tokens.append(LINE_END)
    period = tokens.index(LINE_END) + 1
    ends = tokens[period - 1 :: period]
    num_ends = tokens.count(LINE_END)
    if period > width and num_ends * period == len(tokens) and ends.count(LINE_END) == num_ends:
        return [tokens[column::period] for column in range(width)]
    return _line_by_line(content, name, width, layout, first_line)


def _line_by_line(content: bytes, name: str, width: int, layout: str, first_line: int) -> Columns:
    rows = []
    for number, line in enumerate(content.splitlines(), first_line):
        words = line.split()
        if len(words) >= width:
            rows.append(words[:width])
        elif words:
            shown = line.decode(errors="replace").strip()
            raise OeaError(f"{name}:{number}: {shown!r:.60} is not `{layout}`")
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the content in large pieces that end where a line ends."""
    rest = b""
    while chunk := stream.read(CHUNK_BYTES):
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield rest + chunk[:cut]
            rest = chunk[cut:]
        else:
            rest += chunk
    if rest:
        yield rest
