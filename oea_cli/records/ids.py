"""Ids made from other ids; only this module makes and reads them.

wavs/rain.wav#t=10,20    a window of a long clip, or the part of a file that a row names
wavs/rain.wav#2          the second caption of a clip
wavs/my%20rain.wav       an id in a TREC run, which cannot contain blanks
"""

import re
from urllib.parse import quote

from oea_cli.records.visible import COMMANDING

WINDOW_MARK = "#t="
"""W3C's media fragment, in seconds."""
_SPAN = re.compile(r"(?P<start>\d+(?:\.\d+)?)(?:,(?P<end>\d+(?:\.\d+)?))?")
_NOT_IN_TREC = re.compile(rf"[\s%{COMMANDING}]")
_CAPTION = re.compile(r"(?P<clip>.+)#(?P<number>[1-9][0-9]*)", re.DOTALL)


def window_id(clip_id: str, start: float, end: float) -> str:
    """`ID#t=START,END`, a window of a clip; at most three decimals."""
    return f"{clip_id}{WINDOW_MARK}{_seconds(start)},{_seconds(end)}"


def section_id(path: str, start: float, end: float | None = None) -> str:
    """`PATH#t=START,END`, a row's part of a file; `PATH#t=START` to the file's end."""
    return f"{path}{WINDOW_MARK}{_seconds(start)}" + ("" if end is None else f",{_seconds(end)}")


def is_window(row_id: str) -> bool:
    """True for the id of a part of a clip or of a file."""
    return section_of(row_id) is not None


def clip_of(row_id: str) -> str:
    """The clip that a row belongs to: a window's id without its `#t=START,END`."""
    clip, _, span = row_id.rpartition(WINDOW_MARK)
    return clip if clip and _SPAN.fullmatch(span) else row_id


def wholes_of(row_id: str) -> list[str]:
    """The id, then that of the clip which it is a window of, and of the file if that is a part."""
    found = [row_id]
    while (clip := clip_of(found[-1])) != found[-1]:
        found.append(clip)
    return found


def section_of(row_id: str) -> tuple[float, float | None] | None:
    """Start and end in seconds from an id; the end is None where it is the file's end.

    None for an id that is none of a window, such as that of a file called `rain#t=1.wav`.
    """
    clip, _, span = row_id.rpartition(WINDOW_MARK)
    found = _SPAN.fullmatch(span) if clip else None
    if found is None:
        return None
    return float(found["start"]), None if found["end"] is None else float(found["end"])


def caption_id(clip_id: str, number: int) -> str:
    """`ID#NUMBER`, a clip's caption; numbers count from 1."""
    return f"{clip_id}#{number}"


def caption_of(row_id: str) -> tuple[str, int] | None:
    """The clip and the number of a caption, from the caption's id; None for any other id."""
    found = _CAPTION.fullmatch(row_id)
    return None if found is None else (found["clip"], int(found["number"]))


def trec_id(row_id: str) -> str:
    """An id without blanks: white space, `%` and control characters as %XX, else as it is."""
    return _NOT_IN_TREC.sub(lambda found: quote(found[0], errors="surrogateescape"), row_id)


def _seconds(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
