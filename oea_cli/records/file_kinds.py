"""What a path may be instead of a file or a folder; nothing here opens anything."""

import errno
import os
import stat

_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def not_a_file(mode: int) -> str | None:
    """Why something of this mode (`st_mode`) is never opened, such as "is a FIFO, not a file".

    None for a file and for a folder.
    """
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), None)
    return None if kind is None else f"is {kind}, not a file"


def why_unreadable(error: OSError | ValueError) -> str:
    """The system's reason in words, after a path and a colon."""
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "is a link that leads back to itself"
    return getattr(error, "strerror", None) or str(error)


def problem_of(entry: os.DirEntry[str]) -> str | None:
    """Why an entry of a folder can be neither read nor walked; None where it can."""
    try:
        if entry.is_file() or entry.is_dir():
            return None
        return not_a_file(entry.stat().st_mode)
    except FileNotFoundError:
        return "is a link to nothing"
    except OSError as error:
        return why_unreadable(error)
