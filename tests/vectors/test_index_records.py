"""The records of an index: back byte for byte, and columns for whoever opens its files."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oea_cli.records.json_columns import MOST_COLUMNS
from oea_cli.records.json_lines import JsonRecords
from oea_cli.records.rows import Record
from oea_cli.records.where.evaluation import Condition
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index, compact_index, extend_index
from oea_cli.vectors.index.index import VectorIndex


def built(folder: Path, records: list[Record]) -> VectorIndex:
    vectors = np.eye(len(records), dtype=np.float32)
    build_index(folder, [Batch(records, vectors)], dim=len(records), encoder=None)
    return VectorIndex.open(folder)


def chosen(index: VectorIndex, condition: str) -> list[int]:
    return np.flatnonzero(index.where(Condition.parse(condition))).tolist()


def files(index: VectorIndex) -> list[Path]:
    return sorted(index.folder.glob("records-*.parquet"))


PLAIN: list[Record] = [
    {"id": "a.wav", "path": "x/a.wav", "duration": 2.5, "take": 1, "ok": True, "tags": ["a dog"]},
    {"id": "b.wav", "path": "x/b.wav", "duration": 7.0, "take": 2, "ok": False, "tags": []},
]
ODD: list[Record] = [
    {"id": "a", "mixed": 1, "meta": {"place": {"city": "Ulm"}}, "none": None, "n": 2**64 - 1},
    {"n": -(2**63), "id": "b", "mixed": ["x", None, {"y": 2.5}], "record": "mine", "record_": 5},
    {"id": "c", "mixed": "one", "": 3, "unnamed": 4, "a.b": 5, "meta": {"place": None}, "f": 1e-7},
    {"id": "d", "list": [1, 2.5], "f": 3, "none": 5, "ok": True, "text": '😀\x00\n"\\'},
]


def test_columns_of_records_that_are_alike(tmp_path: Path) -> None:
    index = built(tmp_path / "x.oea", PLAIN)
    table = pl.read_parquet(files(index)[0])
    assert table.drop("record").to_dicts() == PLAIN
    schema = pq.read_schema(files(index)[0])
    types = {field.name: str(field.type) for field in schema}
    assert types == {
        "id": "string",
        "path": "string",
        "duration": "double",
        "take": "int64",
        "ok": "bool",
        "tags": "list<element: string>",
        "record": "string",
    }
    assert pq.read_table(files(index)[0]).drop_columns("record").to_pylist() == PLAIN


def test_odd_records_come_back_and_can_be_asked_about(tmp_path: Path) -> None:
    odd = [orjson.loads(orjson.dumps(record)) for record in ODD]
    index = built(tmp_path / "x.oea", odd)
    assert index.record_files.texts() == [orjson.dumps(record).decode() for record in odd]
    assert index.records(np.array([3, 0])) == [odd[3], odd[0]]
    assert chosen(index, "mixed = 1 OR mixed = 'x'") == [0, 1]
    assert chosen(index, "meta.place.city = 'Ulm'") == [0]
    assert chosen(index, f"n = {2**64 - 1}") == [0]
    assert chosen(index, "\"record\" = 'mine' AND record_ = 5") == [1]
    assert chosen(index, '"" = 3 AND unnamed = 4 AND a.b = 5') == [2]
    assert chosen(index, "none IS NULL") == [0, 1, 2]
    assert chosen(index, "list > 2 AND ok") == [3]
    assert pq.read_table(files(index)[0]).num_rows == 4
    table = pl.read_parquet(files(index)[0])
    assert table["f"].to_list() == [None, None, 1e-7, 3.0]
    assert orjson.loads(table["meta"][0]) == ODD[0]["meta"]


def test_keys_beyond_the_columns_are_found_too(tmp_path: Path) -> None:
    many = [{"id": str(row), f"key{row}": row, "all": 1} for row in range(MOST_COLUMNS + 50)]
    index = built(tmp_path / "x.oea", many)
    assert len(pl.read_parquet_schema(files(index)[0])) == MOST_COLUMNS + 1
    assert chosen(index, f"key3 = 3 OR key{MOST_COLUMNS + 40} > 5") == [3, MOST_COLUMNS + 40]
    wide = {"id": "w", **{f"k{number}": number for number in range(MOST_COLUMNS + 50)}}
    index = built(tmp_path / "y.oea", [wide])
    assert chosen(index, f"k1 = 1 AND k{MOST_COLUMNS + 40} = {MOST_COLUMNS + 40}") == [0]
    assert index.records(np.array([0])) == [wide]


def test_texts_that_are_written_in_another_way(tmp_path: Path) -> None:
    """As Python writes JSON, with keys that occur twice, numbers with exponents, escapes."""
    texts = [
        '{"id": "a", "x": 1e2, "s": "\\u00e4"}',
        '{"id":"b","x":1,"x":2,"s":"ä"}',
        '{"x":12345678901234567890123,"id":"c"}',
    ]
    batch = Batch(JsonRecords(["a", "b", "c"], texts), np.eye(3, dtype=np.float32))
    build_index(tmp_path / "x.oea", [batch], dim=3, encoder=None)
    index = VectorIndex.open(tmp_path / "x.oea")
    assert index.record_files.texts() == texts
    assert index.records(np.array([2]))[0]["x"] == "12345678901234567890123"
    assert chosen(index, "x = 100") == [0] and chosen(index, "x = 2") == [1]
    assert chosen(index, "x > 1e22") == [2]
    assert chosen(index, "s = 'ä'") == [0, 1]


def test_segments_whose_keys_differ_and_an_index_of_an_older_version(tmp_path: Path) -> None:
    folder = tmp_path / "x.oea"
    first = built(folder, PLAIN)
    texts = first.record_files.texts()
    old = pl.DataFrame({"id": ["a.wav", "b.wav"], "record": texts})
    old.write_parquet(files(first)[0], compression="lz4", statistics=False)
    head = orjson.loads((folder / "index.json").read_bytes()) | {"format": "oea-index/1"}
    for segment in head["segments"]:
        del segment["sums"]
    (folder / "index.json").write_bytes(orjson.dumps(head))
    assert chosen(VectorIndex.open(folder), "duration < 5 AND tags = 'a dog'") == [0]
    more = [{"id": "c.wav", "duration": "long", "kind": "dog"}]
    extend_index(folder, [Batch(more, np.array([[0.6, 0.8]], np.float32))], dim=2, encoder=None)
    both = VectorIndex.open(folder)
    for index in (both, compacted(folder)):
        assert index.records(np.arange(3)) == [*PLAIN, *more]
        assert chosen(index, "duration < 5 OR duration = 'long'") == [0, 2]
        assert chosen(index, "kind IS NULL AND NOT ok") == [1]


def compacted(folder: Path) -> VectorIndex:
    compact_index(folder)
    return VectorIndex.open(folder)


NAMES = st.sampled_from(["k", "", "record"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(["", "record", "unnamed", "x", "y", "a.b", "é"])
RECORDS = st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=6)


@given(RECORDS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_record_comes_back_byte_for_byte(tmp_path: Path, drawn: list[dict[str, Any]]) -> None:
    records = [{**record, "id": str(row)} for row, record in enumerate(drawn)]
    index = built(tmp_path / "x.oea", records)
    assert index.record_files.texts() == [orjson.dumps(record).decode() for record in records]
    for name in index.record_files.names:
        pieces = index.record_files.pieces(name)
        values = [value for piece in pieces for value in piece]
        for record, value in zip(records, values, strict=True):
            found = value.to_list() if isinstance(value, pl.Series) else value
            assert found == record.get(name), name
