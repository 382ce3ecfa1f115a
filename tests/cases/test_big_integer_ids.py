"""Ids that are whole numbers keep all their digits, wherever they are read."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from oea_cli.clips.leaks import load_blacklist
from oea_cli.clips.queries import read_queries
from oea_cli.evaluation.inputs.qrels import read_qrels
from oea_cli.evaluation.inputs.runs import read_run
from oea_cli.records.fields import RowError, id_of
from oea_cli.records.inputs import read_records
from oea_cli.records.json_values import parse_json
from oea_cli.vectors.opening import read_vectors

IDS = ["20261127120000000001", "20261127120000000002", "9" * 60]
PLACES = ["18446744073709551615", "18446744073709551616", "-9223372036854775809", "7"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lines(rows: list[str]) -> bytes:
    return "".join(row + "\n" for row in rows).encode()


@pytest.mark.parametrize("ids", [IDS, PLACES])
def test_records_and_vectors(ids: list[str]) -> None:
    Path("t.jsonl").write_bytes(lines([f'{{"id":{id_},"text":"rain"}}' for id_ in ids]))
    assert [record["id"] for record in read_records(["t.jsonl"])] == ids
    Path("t.csv").write_bytes(lines(["id,text", *(f"{id_},rain" for id_ in ids)]))
    assert [record["id"] for record in read_records(["t.csv"])] == ids
    rows = [f'{{"id":{id_},"embedding":[1,{n}]}}' for n, id_ in enumerate(ids)]
    Path("v.jsonl").write_bytes(lines(rows))
    assert [id_ for batch in read_vectors("v.jsonl") for id_ in batch.ids] == ids


def test_beside_a_matrix() -> None:
    np.save("v.npy", np.eye(3, dtype=np.float32))
    Path("v.jsonl").write_bytes(lines([f'{{"id":{id_}}}' for id_ in IDS]))
    meta = {"format": "oea-embeddings/1", "encoder": None, "count": 3, "dim": 3}
    Path("v.meta.json").write_bytes(orjson.dumps(meta))
    source = read_vectors("v.npy")
    assert [id_ for batch in source for id_ in batch.ids] == IDS
    assert source.candidates().ids == IDS


@pytest.mark.parametrize("dtype", [pl.Decimal(38, 0), pl.Int128])
def test_columns_wider_than_64_bits(dtype: Any) -> None:
    ids = ["20261127120000000001", "20261127120000000002"]
    values = [Decimal(id_) if dtype != pl.Int128 else int(id_) for id_ in ids]
    frame = pl.DataFrame([pl.Series("id", values, dtype=dtype), pl.Series("text", ["a", "b"])])
    frame.write_parquet("t.parquet")
    assert [record["id"] for record in read_records(["t.parquet"])] == ids
    pl.DataFrame([frame["id"], pl.Series("embedding", [[1.0, 0.0], [0.0, 1.0]])]).write_parquet(
        "v.parquet"
    )
    assert [id_ for batch in read_vectors("v.parquet") for id_ in batch.ids] == ids


def test_judgments_and_runs() -> None:
    row = f'{{"id":{IDS[0]},"text":"x","target":[{IDS[1]},{IDS[2]}],"hard_negative":{PLACES[1]}}}'
    Path("q.jsonl").write_text(row)
    (query,) = read_queries(["q.jsonl"])
    assert (query.id, list(query.targets), query.hard_negative) == (IDS[0], IDS[1:], PLACES[1])
    Path("qrels").write_text(f"{IDS[0]} 0 {IDS[1]} 1\n{IDS[0]} 0 {IDS[2]} 1\n")
    assert list(read_qrels("qrels")[0].targets) == IDS[1:]
    hits = [f'{{"query_id":{IDS[0]},"id":{id_},"score":0.5}}' for id_ in IDS[1:]]
    Path("run.jsonl").write_bytes(lines(hits))
    run = read_run("run.jsonl")
    assert list(run.queries) == IDS[:1]
    assert sorted(name.decode() for name in run.documents) == sorted(IDS[1:])
    Path("b.json").write_text(f'{{"FreeSound":[{", ".join(IDS)}]}}')
    assert [record["id"] for record in load_blacklist("b.json")] == IDS


def test_digits_outside_ids_stay_too() -> None:
    value = parse_json(b'{"a":18446744073709551616,"c":[18446744073709551615]}')
    assert value == {"a": "18446744073709551616", "c": [18446744073709551615]}
    assert parse_json(b"[1e25,3]") == [1e25, 3]
    deep = b"[" * 900 + b"1e30" + b"]" * 900
    assert orjson.dumps(parse_json(b"[1e30,1]")) == b"[1e+30,1]" and parse_json(deep)


@pytest.mark.parametrize(
    ("value", "id_"),
    [
        (7, "7"),
        (1.0, "1"),
        (1e3, "1000"),
        (-0.0, "0"),
        (0.5, "0.5"),
        ("007", "007"),
        ("1e3", "1e3"),
    ],
)
def test_a_fraction_that_is_whole_is_the_whole_number(value: object, id_: str) -> None:
    assert id_of(value, "id") == id_


@pytest.mark.parametrize("value", [1e25, 2.0**53, float("nan"), True, [1], None])
def test_what_is_no_id(value: object) -> None:
    with pytest.raises(RowError, match=r"^'id' must be text or a"):
        id_of(value, "id")
