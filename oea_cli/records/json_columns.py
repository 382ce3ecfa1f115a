"""Records that are kept as JSON text, as typed columns beside it.

The text is the truth: it keeps every key and every digit. The columns are for those who ask about
some keys of many records: conditions, polars, DuckDB.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import orjson
import polars as pl

from oea_cli.records.columns import plan_columns
from oea_cli.records.rows import Record

MOST_COLUMNS = 200
"""Keys in more records come first; the values of all others are in the text only."""
SAMPLE_ROWS = 100
ROWS_AT_ONCE = 1 << 15


@dataclass(frozen=True)
class JsonColumns:
    """Typed columns of JSON texts, row by row.

    `keys` are the columns' keys, by the columns' names; a column in `json` holds its values as JSON
    text; `others` are keys without a column.
    """

    frame: pl.DataFrame
    keys: dict[str, str]
    json: list[str]
    others: list[str]

    @property
    def description(self) -> dict[str, Any]:
        """What `values_of` needs besides the columns, for a file's metadata."""
        named = {name: key for name, key in self.keys.items() if name != key}
        return {"renamed": named, "json": self.json, "others": self.others}


def json_columns(texts: Sequence[str], taken: str) -> JsonColumns:
    """The columns of JSON objects; none of them is called `taken`."""
    plan = plan_columns(map(orjson.loads, islice(texts, SAMPLE_ROWS)))
    if not plan.json and not {"", taken} & set(plan.dtypes) and len(plan.dtypes) <= MOST_COLUMNS:
        frame = _decoded(pl.Series(texts, dtype=pl.String), pl.Struct(plan.dtypes))
        if frame is not None:
            return JsonColumns(frame, {name: name for name in frame.columns}, [], [])
    return _planned(texts, taken)


def _decoded(texts: pl.Series, dtype: pl.Struct) -> pl.DataFrame | None:
    """The texts as columns of these types; None where that would not be all they say.

    Ten times as fast as by dictionaries, for records that have the same keys in the same order.
    """
    try:
        rows = texts.str.json_decode(dtype)
        same = (rows.struct.json_encode() == texts).all()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    return rows.struct.unnest() if same else None


def _planned(texts: Sequence[str], taken: str) -> JsonColumns:
    counts = Counter(chain.from_iterable(map(orjson.loads, texts)))
    chosen = dict.fromkeys(key for key, _ in counts.most_common(MOST_COLUMNS))

    def records(part: Sequence[str]) -> Iterator[Record]:
        for text in part:
            record = orjson.loads(text)
            yield {key: value for key, value in record.items() if key in chosen}

    plan = plan_columns(records(texts))
    parts = (texts[start : start + ROWS_AT_ONCE] for start in range(0, len(texts), ROWS_AT_ONCE))
    frame = pl.concat([plan.frame(list(records(part))) for part in parts])
    keys = {name: "" if name == plan.unnamed else name for name in frame.columns}
    free = taken
    while free in keys:
        free += "_"
    if taken in keys:
        keys = {free if name == taken else name: key for name, key in keys.items()}
        frame.columns = list(keys)
    json = [free if name == taken else name for name in plan.json]
    return JsonColumns(frame, keys, json, [key for key in counts if key not in chosen])
