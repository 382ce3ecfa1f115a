"""The ids that are made from other ids: a clip's windows, its captions, and ids in a TREC run."""

import re
from urllib.parse import quote

WINDOW_MARK = "#t="


def clip_of(row_id: str) -> str:
    """The clip that a row belongs to: a window's id without its `#t=START,END`."""
    return row_id.rpartition(WINDOW_MARK)[0] or row_id


SECTION = re.compile(r"(?P<clip>.+)#t=(?P<start>[0-9.]+),(?P<end>[0-9.]+)", re.DOTALL)
"""The id of a long clip's window, as `oea embed` makes it."""


def trec_id(id: str) -> str:
    """Return an id without blanks: white space and `%` as %XX, all else as it is."""
    return re.sub(r"[\s%]", lambda found: quote(found[0]), id)


CAPTION_ID = re.compile(r"(?P<clip>.+)#(?P<number>[1-9][0-9]*)", re.DOTALL)


def window_id(record_id: str, start: float, end: float) -> str:
    """`ID#t=START,END` in seconds: a W3C media fragment, at most three decimals."""
    return f"{record_id}#t={_seconds(start)},{_seconds(end)}"


def _seconds(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
