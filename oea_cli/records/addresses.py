"""Opens a path, an address or standard input in one way, with one set of errors."""

import gzip
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from oea_cli.errors import OeaError, missing

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S")


def is_remote(source: str) -> bool:
    """True for an address such as s3://bucket/a.wav, which fsspec opens."""
    return ADDRESS.match(source) is not None


def in_container(name: str) -> str:
    """The part of an address that names the file: tar://a.wav of tar://a.wav::sounds.tar."""
    return name.partition("::")[0] if "::" in name and is_remote(name) else name


@contextmanager
def open_bytes(source: str | Path) -> Iterator[BinaryIO]:
    """Open a file, an address or "-" (stdin) for reading bytes; gzip by its suffix.

    Raises OeaError when it does not exist or cannot be read.
    """
    name = str(source)
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = open_remote(name) if is_remote(name) else Path(name).open("rb")  # noqa: SIM115
    except FileNotFoundError as error:
        raise missing(name) from error
    except (OSError, ValueError, ImportError) as error:
        raise OeaError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
    with stream:
        if not name.lower().endswith(".gz"):
            yield stream
            return
        try:
            with gzip.open(stream) as unzipped:
                yield cast(BinaryIO, unzipped)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise OeaError(f"{name}: not a complete gzip file ({error})") from error


def open_remote(address: str) -> BinaryIO:
    """Open an address for reading, if not of the web through fsspec; every storage has exceptions
    of its own."""
    if address.lower().startswith(("http://", "https://")):
        from oea_cli.records.web_files import open_web

        return open_web(address)
    import fsspec

    file_system, path = fsspec.core.url_to_fs(address)
    file = file_system.open(path, "rb")
    with suppress(AttributeError):
        file.file_system = file_system  # an archive is closed with the last reference to it
    return cast(BinaryIO, file)


def join(folder: str, name: str) -> str:
    """`name` within a local or remote folder; an absolute name or address stays as it is."""
    if name.startswith("/") or is_remote(name):
        return name
    if is_remote(folder):
        return f"{folder.rstrip('/')}/{name}"
    return (Path(folder) / name).as_posix()


def parent(name: str) -> str:
    """The folder of a local file or of a remote address."""
    return name.rpartition("/")[0] if is_remote(name) else Path(name).parent.as_posix()
