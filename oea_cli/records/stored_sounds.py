"""Sounds that lie inside a Parquet file, as bytes: recognised, so that nothing else is taken for
them."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from oea_cli.errors import OeaError
from oea_cli.records.addresses import parent
from oea_cli.records.fields import PATH_NAMES
from oea_cli.records.file_names import exists, resolved
from oea_cli.records.parquet_files import checked_source, parquet_errors

ROWS_LOOKED_AT = 16
LONGEST_PATH = 4096  # bytes
STARTS = (b"RIFF", b"RF64", b"OggS", b"fLaC", b"ID3", b"FORM", b".snd", b"caff")
"""How a sound file begins; an mp3 without tags begins with eleven set bits."""


def refuse_stored_sounds(name: str) -> None:
    """Raise OeaError for a Parquet file whose sounds are stored in it, as data sets of Hugging Face
    are; not where its rows name files that exist."""
    source, _ = checked_source(name, ())
    with parquet_errors(name):
        lazy = pl.scan_parquet(source, glob=False)
        schema = lazy.collect_schema()
        columns = [key for key, dtype in schema.items() if _holds_bytes(dtype)]
        if not columns:
            return
        names = [key for key in PATH_NAMES if schema.get(key) == pl.String]
        rows = lazy.select(columns + names).head(ROWS_LOOKED_AT).collect().to_dicts()
    column = next((key for key in columns for row in rows if _has_sound(key, row[key])), None)
    if column is not None and not any(_names_a_file(row, name) for row in rows):
        raise OeaError(
            f"{name}: the sounds are stored inside it, as bytes in the column {column!r}, and "
            "are not read in place; write them to files first: docs/formats.md, 'Sounds inside "
            "Parquet files', has the lines for that"
        )


def _holds_bytes(dtype: Any) -> bool:
    """Bytes, a struct of bytes and a path, or lists of either."""
    if isinstance(dtype, pl.List | pl.Array):
        return _holds_bytes(dtype.inner)
    if isinstance(dtype, pl.Struct):
        return any(part.name == "bytes" and part.dtype == pl.Binary for part in dtype.fields)
    return bool(dtype == pl.Binary)


def _has_sound(key: str, value: Any) -> bool:
    """Whether a value holds a sound; whatever a column called `audio` holds is one."""
    return any(
        content and (_starts_a_sound(content) or (key in PATH_NAMES and is_struct))
        for content, is_struct in _contents(value)
    )


def _contents(value: Any) -> Iterator[tuple[bytes | None, bool]]:
    if isinstance(value, list):
        for one in value:
            yield from _contents(one)
    elif isinstance(value, dict):
        yield value["bytes"], True
    else:
        yield value, False


def _starts_a_sound(content: bytes) -> bool:
    is_mp3 = content[:1] == b"\xff" and content[1:2] >= b"\xe0"
    return content.startswith(STARTS) or is_mp3 or content[4:8] == b"ftyp"


def _names_a_file(row: dict[str, Any], table: str) -> bool:
    values = (value.get("path") if isinstance(value, dict) else value for value in row.values())
    paths = map(_as_path, values)
    return any(path and exists(resolved(path, parent(table))) for path in paths)


def _as_path(value: Any) -> str | None:
    """A text, also one that was stored as bytes; None for what is neither."""
    if isinstance(value, bytes) and len(value) <= LONGEST_PATH:
        return value.decode(errors="replace")
    return value if isinstance(value, str) else None
