"""Other libraries see `string` and `list` in our Parquet files, not polars' large ones."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from oea_cli.records.arrow_schema import plain_types
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer
from oea_cli.vectors.index.building import build_index

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
def test_what_is_written(tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    batch = Batch([{"id": "a", "tags": ["p"]}], np.array([[0.6, 0.8]], np.float32))
    if output == "out.oea":
        build_index(Path(output), [batch], dim=2, encoder=None)
    else:
        with open_writer(output, encoder="mini:0123456789ab") as writer:
            writer.write(batch)
    path = Path(output) if output == "out.parquet" else next(Path(output).rglob("*.parquet"))
    schema = pq.read_schema(path)
    assert str(schema.field("id").type) == "string"
    assert str(schema.field("tags").type) == "list<element: string>"
    assert not any("large" in str(field.type) for field in schema)
