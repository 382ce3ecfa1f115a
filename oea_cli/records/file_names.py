"""Which file a written name means: `./a`, `x/../a`, `a//b`, absolute names, Windows' backslashes.

A name is written in a table or a list, perhaps on another system; a file has one name, by which a
walk of its folder finds it. Every verb asks here.
"""

import os
import posixpath
import re
from pathlib import Path

from oea_cli.records.addresses import is_remote, join
from oea_cli.records.text import forms_of

NO_FILE = "no such file"
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


def exists(name: str) -> bool:
    """True for a local file that exists; remote addresses count as existing until opened."""
    # Names by the million come here: a Path of each would take most of the time.
    return is_remote(name) or os.path.exists(name)  # noqa: PTH110


def is_stream(name: str) -> bool:
    """True for "-" and for what can be read only once: a pipe, a socket, a terminal."""
    path = Path(name)
    return name == "-" or (
        exists(name) and not is_remote(name) and not (path.is_file() or path.is_dir())
    )


def existing(name: str) -> str | None:
    """The name in the form of Unicode in which it exists; None where it does not."""
    return next(filter(exists, forms_of(name)), None)


def resolved(path: str, folder: str) -> str:
    """A path as written in a table of `folder`: relative to it, or else to the working directory;
    in the form of Unicode in which it exists.

    Backslashes count as `/` where no file has them in its name. Where nothing exists, the path
    within the folder is returned.
    """
    inside = join(folder, path)
    names = [inside, path]
    if "\\" in path:
        names += [join(folder, _slashes(path)), _slashes(path)]
    return next(filter(None, map(existing, names)), inside)


def not_there(path: str) -> str:
    """Why a file that a record names cannot be used, with the folder it was looked for in."""
    if is_absolute(path) or is_remote(path):
        return NO_FILE
    return f"{NO_FILE} in {Path.cwd()}, where it was looked for"


def plain_name(name: str) -> str:
    """The name as a walk would write it: `/` between its parts, and no `./`, `//` or `x/..`."""
    # Names by the million come here, and nearly all are plain.
    if "./" not in name and "//" not in name and "\\" not in name:
        return name
    if is_remote(name):
        return name
    return posixpath.normpath(_slashes(name))


def is_absolute(name: str) -> bool:
    """True for `/data/a.wav` and, on whatever system, for `C:/data/a.wav`."""
    return _ABSOLUTE.match(name) is not None


def name_within(folder: str, below: str, written: str) -> str:
    """The name, relative to `folder`, of a file that a table in its subfolder `below` names.

    A file that lies elsewhere keeps its absolute name.
    """
    literal = "\\" in written and exists(join(join(folder, below), written))
    name = written if literal else plain_name(written)
    if not is_absolute(name):
        name = f"{below}/{name}" if below else name
        return name if literal else plain_name(name)
    for base in (os.path.abspath(folder), os.path.realpath(folder)):  # noqa: PTH100
        if name.startswith(f"{base}/"):
            return name[len(base) + 1 :]
    return name


def _slashes(name: str) -> str:
    return name.replace("\\", "/")
