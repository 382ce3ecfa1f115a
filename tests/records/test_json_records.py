"""Records that stay the JSON text they came as: same records, same ids, same complaints.

Run: pytest tests/test_json_records.py
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oea_cli.errors import OeaError
from oea_cli.records.json_lines import (
    JsonRecords,
    ids_of,
    numbered_records,
    read_json_records,
    texts_of,
)
from oea_cli.records.where.evaluation import Condition
from oea_cli.vectors.files.formats import read_embeddings
from oea_cli.vectors.index.building import build_index, extend_index
from oea_cli.vectors.index.index import VectorIndex
from tests.vectors.batches import named, read, unit, write

# As other programs write it: spaced, escaped, keys twice, numbers in many spellings.
ODD_LINES = [
    b'{"id": "a", "x": 1.50, "caf\\u00e9": "\\u00e9"}',
    b'{ "z" : 1 , "id" : "b" , "a" : [ 1e5 , -0.0 , { } ] }',
    b'{"id":"no","n":1,"n":null,"id":"c"}',
    b'{"id":"d","big":123456789012345678901234567890,"long":9007199254740993}',
    '{"id":"e ü","captions":["Häuschen\\n\\"x\\"",""],"":0}'.encode(),
]
WITHOUT_NAMES = [
    (b'{"path":"x.wav"}', "0"),
    (b'{"id":7,"path":"x.wav"}', "7"),
    (b'{"id":null}', "2"),
    (b'{"id":1.0,"a":[]}', "1"),
    (b'{"id":0.5}', "0.5"),
    (b"{}", "5"),
]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs inside its own empty folder."""
    monkeypatch.chdir(tmp_path)


def read_all(content: bytes, batch_rows: int = 3) -> list[JsonRecords]:
    return list(read_json_records(io.BytesIO(content), "r.jsonl", batch_rows))


def test_the_text_is_the_line() -> None:
    batches = read_all(b"\xef\xbb\xbf" + b"\r\n\n".join(ODD_LINES) + b" ")
    assert [len(batch) for batch in batches] == [2, 1, 2], "of three lines each, blank ones too"
    texts = [text.encode() for batch in batches for text in batch.texts]
    assert texts == ODD_LINES
    assert [id_ for batch in batches for id_ in batch.ids] == ["a", "b", "c", "d", "e ü"]
    records = [record for batch in batches for record in batch]
    assert records == [orjson.loads(line) for line in ODD_LINES]
    assert [list(record) for record in records] == [list(orjson.loads(x)) for x in ODD_LINES]


def test_records_without_a_name_are_numbered_and_say_so() -> None:
    lines, ids = zip(*WITHOUT_NAMES, strict=True)
    batches = read_all(b"\n".join(lines))
    assert [id_ for batch in batches for id_ in batch.ids] == list(ids)
    for batch in batches:
        assert [record["id"] for record in batch] == batch.ids
    assert batches[0].texts[:2] == ['{"path":"x.wav","id":"0"}', '{"id":"7","path":"x.wav"}']


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    # A lone surrogate is no UTF-8 text.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abé", max_size=2), inner),
    max_leaves=5,
).filter(lambda value: "inf" not in repr(value))


ids = (
    st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(codec="utf-8"), min_size=1)
)
rows = st.fixed_dictionaries({}, optional={"id": ids, "path": values, "x": values, "": values})


@given(st.lists(rows, max_size=9))
def test_they_read_like_the_dictionaries(records: list[dict[str, Any]]) -> None:
    content = b"\n".join(orjson.dumps(record) for record in records)
    for number, record in enumerate(records):
        name = record.get("id")
        if not isinstance(name, str):
            record["id"] = str(number if name is None else name)
    found = [record for batch in read_all(content) for record in batch]
    assert repr(found) == repr(records)
    texts = [text for batch in read_all(content) for text in texts_of(batch)]
    assert texts == texts_of(records)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b"{'id': 1}", "not JSON"),
        (b'{"id": "a", "x": NaN}', "not JSON"),
        (b'{"id": "a", "x": "\\ud800"}', "not JSON"),
        (b'{"id": "a"} {"id": "b"}', "not JSON"),
        (b'["a"]', "not a JSON object"),
        (b'{"id": ["a"]}', "'id' must be text or a number"),
        (b'{"id": 1e25}', "'id' must be text or a whole number"),
        (b'{"id": "caf\xe9"}', "not UTF-8"),
        (b'{"id": "a"', "not JSON"),
    ],
)
def test_a_bad_line_is_named(bad: bytes, problem: str) -> None:
    with pytest.raises(OeaError, match=rf"^r\.jsonl:3: {problem}"):
        read_all(b'{"id":"x"}\n\n' + bad)


def test_as_a_sequence() -> None:
    records = numbered_records(3, 6)
    assert list(records) == records[:] == [{"id": "3"}, {"id": "4"}, {"id": "5"}]
    assert records[-1] == {"id": "5"} and len(records) == 3
    assert ids_of(records) == ids_of(records[:]) == ["3", "4", "5"]
    assert texts_of(records) == texts_of(records[:])
    assert not JsonRecords([], [])


@pytest.mark.parametrize("names", [[], list(range(8, 12)), list(range(8, 13))])
def test_more_or_fewer_records_than_vectors(names: list[int]) -> None:
    write("v.npy", named(9), unit(9))
    lines = Path("v.jsonl").read_bytes().splitlines(keepends=True)[:8]
    lines += [b'{"id":"%d"}\n' % name for name in names]
    Path("v.jsonl").write_bytes(b"".join(lines))
    said = "more records than the 9 vectors" if names else "9 vectors, but 8 records"
    for batch_rows in (4, 9, 100):
        with pytest.raises(OeaError, match=f"^v.npy: {said}"):
            read("v.npy", batch_rows=batch_rows)


def index_of(lines: list[bytes], **options: Any) -> VectorIndex:
    """An index of a matrix whose X.jsonl has these lines."""
    write("v.npy", named(len(lines)), unit(len(lines), 4))
    Path("v.jsonl").write_bytes(b"\n".join(lines))
    reader = read_embeddings("v.npy", batch_rows=3)
    build = extend_index if options else build_index
    build(Path("x.oea"), reader, dim=4, encoder=reader.encoder, **options)
    return VectorIndex.open(Path("x.oea"))


def test_an_index_gives_back_what_stood_in_the_lines() -> None:
    index = index_of([*ODD_LINES, b'{"path":"x.wav"}'])
    found = index.records(np.arange(6))
    expected = [orjson.loads(line) for line in ODD_LINES]
    expected[3]["big"] = "123456789012345678901234567890"  # as text: a float would lose digits
    assert repr(found[:5]) == repr(expected)
    assert found[5] == {"path": "x.wav", "id": "5"}
    assert list(index.row_of) == ["a", "b", "c", "d", "e ü", "5"]
    assert index.where(Condition.parse("x >= 1.5")).tolist() == [True] + 5 * [False]


def test_a_record_spelt_in_another_way_is_the_same_record() -> None:
    index_of(ODD_LINES)
    spelt = [orjson.dumps(orjson.loads(line)) for line in ODD_LINES]
    assert all(new != old for new, old in zip(spelt[:4], ODD_LINES[:4], strict=True))
    index = index_of(spelt, newer_wins=True)
    assert index.num_rows == 5, "nothing was replaced"
    turned = [b'{"x":1.5,"id":"a","caf\xc3\xa9":"\xc3\xa9"}', *spelt[1:4], b'{"id":"e \xc3\xbc"}']
    index = index_of(turned, newer_wins=True)
    assert (index.num_rows, len(index)) == (7, 5)
    assert list(index.records(np.array([index.find("a")]))[0]) == ["x", "id", "café"]


def test_an_id_of_two_vectors_is_named() -> None:
    with pytest.raises(OeaError, match=r"^id 'a' occurs twice with different vectors"):
        index_of([b'{"id":"a"}', b'{"id": "b"}', b'{"id":"c"}', b'{ "id" : "a" }'])
    assert not Path("x.oea").exists()
