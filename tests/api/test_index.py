"""An index from Python: filled, changed, and searched with the hits of `oea search`."""

import json
from pathlib import Path

import numpy as np
import pytest

import oea_cli as oea
from oea_cli.encoder.protocol import Encoder
from tests.commands.in_process import run


@pytest.fixture
def index(batch: oea.Batch) -> oea.Index:
    return oea.build_index("x.oea", batch)


def test_it_is_filled_and_changed(index: oea.Index, batch: oea.Batch, encoder: Encoder) -> None:
    assert (len(index), index.ids, index.encoder) == (4, batch.ids, encoder.encoder_id)
    assert np.array_equal(index.vectors(), batch.vectors)
    assert index.add(batch).unchanged == 4
    texts = oea.embed(encoder, ["rain", "dog"], text=True)
    assert index.add([texts]).added == 2 and "2" in index and len(index) == 6
    changed = oea.Batch([{"id": "2"}], texts.vectors[:1], encoder.encoder_id)
    with pytest.raises(oea.OeaError, match=r"id '2' is in x\.oea with another vector"):
        index.add(changed)
    assert index.add(changed, replace=True).replaced == 1
    assert index.remove(["1", "2"]).deleted == 2
    assert oea.open_index("x.oea").ids == index.ids == batch.ids
    assert index.records(["high.wav"]) == [batch.records[2]]
    assert index.compact(storage="f16").total == 4 and index.info()["storage"] == "f16"
    assert repr(index) == f"Index('x.oea': 4 vectors of {encoder.encoder_id})"


def test_what_it_refuses(index: oea.Index, batch: oea.Batch) -> None:
    with pytest.raises(oea.OeaError, match=r"^x\.oea: made with .*, the new vectors with other:1"):
        index.add(oea.Batch(batch.records, batch.vectors, "other:1"))
    with pytest.raises(oea.OeaError, match=r"^x\.oea: no record with id 'gone'"):
        index.remove("gone")
    with pytest.raises(oea.OeaError, match=r"^nowhere: "):
        oea.open_index("nowhere")
    assert len(oea.build_index("empty.oea", [])) == 0


def test_hits_are_those_of_the_verb(index: oea.Index, encoder: Encoder) -> None:
    options = ["-k", "3", "--not", "rain", "--where", "duration < 9", "-f", "jsonl"]
    done = run(["search", "a dog", "-i", "x.oea", *options])
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    found = oea.search_index(index, "a dog", k=3, exclude="rain", where="duration < 9")
    assert done.returncode == 0 and found == [expected]
    given = oea.search_index("x.oea", ["a dog"], k=3, exclude=["rain"], encoder=encoder)
    assert given == [expected]


def test_every_form_of_a_query(index: oea.Index, batch: oea.Batch, encoder: Encoder) -> None:
    path = Path("wavs/high.wav")
    asked = oea.search_index(index, [path, {"id": "q", "text": "rain"}, "rain"], k=1)
    assert [hits[0]["query_id"] for hits in asked] == [str(path), "q", "rain"]
    assert asked[0][0]["id"] == "high.wav" and asked[1][0]["id"] == asked[2][0]["id"]
    by_vectors = oea.search_index(index, batch.vectors[2], k=1)
    by_batch = oea.search_index(index, batch, k=1)
    assert [hits[0]["id"] for hits in by_batch] == batch.ids
    assert [hits[0]["id"] for hits in by_vectors] == ["high.wav"]
    assert oea.search_index(index, []) == []
    assert oea.search_index(index, batch, k=4, min_score=2) == [[]] * 4


def test_hits_make_a_frame(index: oea.Index, batch: oea.Batch) -> None:
    hits = oea.search_index(index, batch, k=2)
    frame = oea.frame(hits)
    assert frame.columns[:4] == ["query_id", "rank", "id", "score"] and len(frame) == 8
    assert frame["captions"].to_list()[0] == hits[0][0]["captions"]
    assert oea.frame([{"a": 1}, {"b": None}]).to_dicts() == [{"a": 1}, {"a": None}]


def test_what_a_search_refuses(index: oea.Index, batch: oea.Batch, encoder: Encoder) -> None:
    other = oea.Batch(batch.records, batch.vectors, "other:1")
    for queries, message in [
        (other, r"^x\.oea: made with .*, but the query was made with other:1"),
        (np.ones((1, 3), np.float32), r"holds 32-dimensional vectors, the query has 3"),
        (np.zeros((1, 32), np.float32), r"^queries: the vector of '0' is all zeros"),
        ([Path("gone.wav")], r"^gone\.wav: no such file"),
        ([3], "query 1 is a int; it must be a text, a Path, or a record"),
    ]:
        with pytest.raises(oea.OeaError, match=message):
            oea.search_index(index, queries)  # type: ignore[arg-type]
    with pytest.raises(oea.UsageError, match=r"^k must be 1 or more; got 0$"):
        oea.search_index(index, batch, k=0)
    unnamed = oea.build_index("y.oea", oea.Batch(batch.records, batch.vectors))
    with pytest.raises(oea.OeaError, match=r"^y\.oea: its vectors name no encoder"):
        oea.search_index(unnamed, "rain")
