"""Records out of columns as JSON text: what their dictionaries would be written as, or not at all.

Run: pytest tests/records/test_record_columns.py
"""

from typing import Any

import orjson
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from oea_cli.records.columns import json_records_of, plan_columns, records_of

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "yes": st.booleans(),
    "texts": st.lists(st.none() | st.text(), max_size=3),
    "flags": st.lists(st.booleans(), max_size=3),
    "null": st.none() | st.text(max_size=2),
    "": st.text(max_size=2),
    "mixed": st.text(max_size=2) | st.integers(0, 3),
}


@given(st.data())
def test_the_same_bytes_as_dictionaries_or_none(data: st.DataObject) -> None:
    keys = data.draw(st.lists(st.sampled_from(list(VALUES)), unique=True))
    row = st.fixed_dictionaries({"id": st.text(), **{key: VALUES[key] for key in keys}})
    records = data.draw(st.lists(row, min_size=1, max_size=5))
    if data.draw(st.integers(0, 3)) == 0 and keys:
        del records[0][keys[0]]
    plan = plan_columns(records)
    frame = plan.frame(records)
    texts = json_records_of(frame, plan.description)
    expected = records_of(frame, plan.description)
    if texts is not None:
        assert texts.texts == [orjson.dumps(record).decode() for record in expected]
        assert texts.ids == [record["id"] for record in expected]
        assert list(texts) == expected
    elif not {"", "mixed"} & set(keys):
        assert plan.json or any(set(record) != set(records[-1]) for record in records)


def test_columns_of_other_programs_that_need_a_closer_look() -> None:
    ids = ["a", "b"]
    for values in (
        pl.Series([0.1, 0.2], dtype=pl.Float32),
        pl.Series([1.0, float("nan")]),
        pl.Series(["2020-01-01", None]).str.to_date(),
        pl.Series([{"x": 1}, {"x": 2}]),
        pl.Series([[0.5], [float("inf")]]),
        pl.Series([None, "x"]),
    ):
        assert json_records_of(pl.DataFrame({"id": ids, "value": values}), {}) is None
    assert json_records_of(pl.DataFrame({"value": ids}), {}) is None
    assert json_records_of(pl.DataFrame({"id": [1, 2]}), {}) is None
