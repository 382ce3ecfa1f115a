"""Links from a report to sounds: relative, so that the folder can be moved or sent as a whole."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from oea_cli.records.addresses import is_remote
from oea_cli.records.ids import section_id
from oea_cli.records.rows import Record


@dataclass(frozen=True)
class Link:
    """A link to a sound, or the reason why there is none."""

    href: str = ""
    problem: str = ""


def link_to(record: Record, folder: Path) -> Link:
    """Link a record's sound, or its part from `start` to `end`, from a page in `folder`."""
    path = record.get("path")
    if not isinstance(path, str) or not path:
        return Link(problem="no path is recorded")
    if is_remote(path):
        return Link(problem=f"not linked, because it is not on this disk: {path}")
    try:
        if not Path(path).is_file():
            return Link(problem=f"missing: {path}")
    except (OSError, ValueError):
        return Link(problem=f"not a file name: {path}")
    return Link(href=_with_section(relative_link(Path(path), folder), record))


def relative_link(path: Path, folder: Path) -> str:
    """A URL reference to a file from a page in `folder`; absolute only where none is possible.

    It begins with `./` or `../`, so that no name (`javascript:x.wav`) is taken for a scheme.
    """
    try:
        relative = os.path.relpath(path.absolute(), folder.resolve())
    except ValueError:  # another drive
        return path.absolute().as_uri()
    parts = Path(relative).parts
    # Bytes: a file name need not be UTF-8.
    quoted = "/".join(quote(os.fsencode(part), safe="") for part in parts)
    return quoted if parts[0] == os.pardir else f"./{quoted}"


def _with_section(link: str, record: Record) -> str:
    """The link to a window, by W3C's media fragment; to the whole file where there is none."""
    start, end = record.get("start"), record.get("end")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return link
    return section_id(link, start, end)
