"""Lists of paths in a file or a pipe: one a line, or ended by NUL as `find -print0` writes them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from oea_cli.records.text import CHUNK_BYTES, UTF8_BOM, check_mark, ends_in_returns, with_line_feeds

NUL, LINE_FEED = b"\0", b"\n"


def listed_paths(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, path); blank lines are left out, empty names between NULs are not.

    Bytes that are not UTF-8 stay surrogate escapes, as in the system's own names. Raises OeaError
    for what is no list of paths.
    """
    # read1 returns what has arrived, so that the output of a slow `find` is used at once.
    read = getattr(stream, "read1", stream.read)
    start = b""
    while not re.search(rb"[\0\r\n]", start) and (more := read(CHUNK_BYTES)):
        start += more
    check_mark(start, name)
    start = start.removeprefix(UTF8_BOM)
    mark = NUL if NUL in start else LINE_FEED
    has_returns = mark == LINE_FEED and ends_in_returns(start)
    number, rest = 0, b""
    while start:
        *names, rest = (rest + (with_line_feeds(start) if has_returns else start)).split(mark)
        for path in names:
            number += 1
            if mark == NUL or path.strip():
                yield number, _path(path)
        start = read(CHUNK_BYTES)
    if rest.strip():
        yield number + 1, _path(rest)


def _path(name: bytes) -> str:
    return name.removesuffix(b"\r").decode("utf-8", "surrogateescape")
