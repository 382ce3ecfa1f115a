"""Columns of bytes in Parquet that are text: ClickHouse, Impala and older Spark write it so."""

import re
from collections.abc import Iterator
from typing import Any

import polars as pl

BYTE_TYPES = (pl.Binary, pl.List(pl.Binary))
TRIED_VALUES = 16
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
"""What no text holds."""


def with_texts(frames: Iterator[pl.DataFrame], names: list[str]) -> Iterator[pl.DataFrame]:
    """The frames with these columns of bytes as text."""
    for frame in frames:
        yield frame.with_columns(_as_text(frame[name]) for name in names) if names else frame


def byte_columns(lazy: pl.LazyFrame) -> tuple[list[str], list[str]]:
    """The columns of bytes that are text, as programs without a type for text write it, and the
    others, by their first values."""
    names = [key for key, dtype in lazy.collect_schema().items() if dtype in BYTE_TYPES]
    texts = []
    for key in names:
        first = lazy.select(pl.col(key).drop_nulls().head(TRIED_VALUES)).collect()[key]
        if all(map(_is_text, first.explode() if isinstance(first.dtype, pl.List) else first)):
            texts.append(key)
    return texts, [key for key in names if key not in texts]


def _is_text(value: bytes | None) -> bool:
    try:
        return value is None or not CONTROLS.search(value.decode())
    except UnicodeDecodeError:
        return False


def _as_text(column: pl.Series) -> pl.Series:
    """Bytes as text; as they are where a value is not UTF-8."""
    dtype = pl.List(pl.String) if isinstance(column.dtype, pl.List) else pl.String
    try:
        return column.cast(dtype)
    except pl.exceptions.PolarsError:
        return column


def with_stray_bytes(value: Any) -> Any:
    """Bytes that are not UTF-8 as text with surrogates, which the reader of the row names."""
    if isinstance(value, list):
        return list(map(with_stray_bytes, value))
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
