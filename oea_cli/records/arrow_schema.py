"""The Arrow schema inside our Parquet files, as other libraries like to find it.

polars writes text as `large_string` and lists as `large_list`. Readers obey, and some (the Audio
column of Hugging Face's datasets) then fail. In the file itself nothing differs: so the schema that
polars would write is kept, but with the names of the ordinary types in it.
"""

import base64
import io
import struct

import polars as pl

KEY = "ARROW:schema"
# Arrow's format: https://github.com/apache/arrow/blob/main/format/Schema.fbs
ORDINARY = {19: 4, 20: 5, 21: 12}  # LargeBinary, LargeUtf8, LargeList
HEADER_SLOT, FIELDS_SLOT, TYPE_SLOT, CHILDREN_SLOT = 2, 1, 2, 5
PREFIX_BYTES = 8  # a mark and the length, before the message itself


def plain_types(schema: pl.Schema) -> dict[str, str]:
    """The Parquet key-value that makes readers see `string` and `list` in these columns."""
    file = io.BytesIO()
    pl.DataFrame(schema=schema).write_parquet(file)
    file.seek(0)
    content = bytearray(base64.b64decode(pl.read_parquet_metadata(file)[KEY]))
    message = _indirect(content, PREFIX_BYTES)
    header = _indirect(content, _slot(content, message, HEADER_SLOT))
    waiting = _tables(content, _slot(content, header, FIELDS_SLOT))
    while waiting:
        field = waiting.pop()
        kind = _slot(content, field, TYPE_SLOT)
        content[kind] = ORDINARY.get(content[kind], content[kind])
        waiting += _tables(content, _slot(content, field, CHILDREN_SLOT))
    return {KEY: base64.b64encode(content).decode()}


def _slot(content: bytearray, table: int, slot: int) -> int:
    """Where a table of the flat buffer keeps a member; 0 where it has none."""
    virtual = table - struct.unpack_from("<i", content, table)[0]
    size = struct.unpack_from("<H", content, virtual)[0]
    place = 4 + 2 * slot
    offset = struct.unpack_from("<H", content, virtual + place)[0] if place < size else 0
    return table + offset if offset else 0


def _indirect(content: bytearray, place: int) -> int:
    return place + int(struct.unpack_from("<I", content, place)[0])


def _tables(content: bytearray, place: int) -> list[int]:
    """The tables of a vector; none without one."""
    if not place:
        return []
    vector = _indirect(content, place)
    count = struct.unpack_from("<I", content, vector)[0]
    return [_indirect(content, vector + 4 + 4 * number) for number in range(count)]
