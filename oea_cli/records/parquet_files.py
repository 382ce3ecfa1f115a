"""Parquet files opened so that damage is an error: never a panic, an abort, or missing rows."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from oea_cli.errors import OeaError, missing
from oea_cli.records.addresses import is_remote, open_remote
from oea_cli.records.parquet_structure import BytesSource, check_structure, opened

PARQUET_KEY = "oea"
"""The key-value that holds what oea writes about a file's rows, as JSON."""
_SYSTEM_ERROR = re.compile(r"(?:os error|Errno) (\d+)")


@contextmanager
def parquet_errors(name: str | Path) -> Iterator[None]:
    """Turn what goes wrong while a Parquet file is read into an OeaError that names it."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise OeaError(
            f"{name}: not a readable Parquet file ({_first_line(error)}); "
            "write or download it again"
        ) from error


def write_parquet(table: pl.DataFrame, path: Path, key_values: dict[str, str]) -> None:
    """Write a Parquet file with key-values; raises OSError where the disk is full and such."""
    with writing_parquet(path):
        table.write_parquet(path, metadata=key_values)


@contextmanager
def writing_parquet(path: Path) -> Iterator[None]:
    """Raise polars' errors of the system (a full disk) as the OSError that they were."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        number = _SYSTEM_ERROR.search(str(error))
        if number is None:
            text = _first_line(error)
            raise OeaError(f"{path}: cannot be written as Parquet ({text})") from error
        code = int(number[1])
        raise OSError(code, os.strerror(code), str(path)) from error


def checked_rows(path: str | Path, leave_out: Sequence[str] = ()) -> int:
    """The number of rows of a local file whose structure holds; raises OeaError otherwise."""
    try:
        with opened(path) as source:
            return check_structure(source, str(path), leave_out)
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise OeaError(f"{path}: cannot be read ({error.strerror})") from error


def checked_source(name: str, leave_out: Sequence[str]) -> tuple[Any, int]:
    """What polars can open, of a file or an address, and its number of rows by its footer."""
    if not is_remote(name):
        return name, checked_rows(name, leave_out)
    try:
        with open_remote(name) as stream:
            content = stream.read()  # as polars would
    except OSError as error:
        raise OeaError(f"{name}: cannot be read ({_first_line(error)})") from error
    return content, check_structure(BytesSource(content), name, leave_out)


def own_metadata(text: str | None, name: str) -> dict[str, Any]:
    """What oea wrote into a file about its rows; nothing in anyone else's."""
    try:
        metadata = orjson.loads(text) if text is not None else {}
    except orjson.JSONDecodeError as error:
        raise OeaError(f"{name}: its key {PARQUET_KEY!r} is damaged ({error})") from error
    if not isinstance(metadata, dict) or not isinstance(metadata.get("columns", {}), dict):
        raise OeaError(f"{name}: its key {PARQUET_KEY!r} is damaged; write the file again")
    return metadata


def all_frames(lazy: pl.LazyFrame, name: str, batch_rows: int, rows: int) -> Iterator[pl.DataFrame]:
    """Every row of the file: polars ends early, without a word, at a part that it cannot decode."""
    found = 0
    with parquet_errors(name):
        for frame in lazy.collect_batches(chunk_size=batch_rows, maintain_order=True):
            found += frame.height
            yield from frame.iter_slices(batch_rows)
    if found != rows:
        raise OeaError(
            f"{name}: a damaged Parquet file ({found} of its {rows} rows can be read); "
            "write or download it again"
        )


def _first_line(error: BaseException) -> str:
    if isinstance(error, pl.exceptions.PanicException):
        return "it cannot be decoded"
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
