"""Other libraries see `string` and `list` in our Parquet files, not polars' large ones."""

import io
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from oea_cli.records.arrow_schema import plain_types
from tests.commands.in_process import run

TYPES: dict[str, Any] = {
    "text": (pl.String, "string"),
    "bytes": (pl.Binary, "binary"),
    "number": (pl.Int64, "int64"),
    "list": (pl.List(pl.String), "list<element: string>"),
    "lists": (pl.List(pl.List(pl.Binary)), "list<element: list<element: binary>>"),
    "object": (
        pl.Struct({"bytes": pl.Binary, "path": pl.String}),
        "struct<bytes: binary, path: string>",
    ),
    "vector": (pl.Array(pl.Float32, 3), "fixed_size_list<element: float>[3]"),
    "half": (pl.Array(pl.Float16, 2), "fixed_size_list<element: halffloat>[2]"),
}


def test_types_as_other_libraries_name_them() -> None:
    schema = pl.Schema({name: dtype for name, (dtype, _) in TYPES.items()})
    frame = pl.DataFrame(schema=schema)
    file = io.BytesIO()
    frame.write_parquet(file, metadata=plain_types(schema))
    found = {field.name: str(field.type) for field in pq.read_schema(file)}
    assert found == {name: seen for name, (_, seen) in TYPES.items()}
    assert pl.read_parquet(file.getvalue()).schema == schema


def test_an_empty_schema() -> None:
    assert set(plain_types(pl.Schema({}))) == {"ARROW:schema"}


@pytest.mark.parametrize("output", ["out.parquet", "out/", "out.oea"])
def test_what_the_verbs_write(tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    row = '{"id":"a","text":"x","tags":["p"],"embedding":[0.6,0.8]}'
    Path("v.jsonl").write_text(row)
    if output == "out.oea":
        done = run(["index", "v.jsonl", "-o", output])
    else:
        done = run(["embed", "v.jsonl", "-o", output, "--text"])
    assert done.returncode == 0, done.stderr
    path = Path(output) if output == "out.parquet" else next(Path(output).rglob("*.parquet"))
    schema = pq.read_schema(path)
    assert str(schema.field("id").type) == "string"
    assert str(schema.field("tags").type) == "list<element: string>"
    assert not any("large" in str(field.type) for field in schema)
