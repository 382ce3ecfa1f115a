"""Text that a program wrote into Parquet as plain bytes is text; other bytes stay away."""

from pathlib import Path

import polars as pl
import pytest

from oea_cli.errors import Failure
from oea_cli.records.inputs import read_records
from oea_cli.vectors.opening import read_vectors


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_paths_captions_and_ids() -> None:
    Path("a.wav").touch()
    rows = {
        "path": [b"a.wav", b"b.wav"],
        "captions": [["Zug fährt".encode(), b"a train"], [b"rain"]],
        "license": [b"CC0", None],
        "waveform": [b"RIFF\x00\x01", b"RIFF\x00\x02"],
        "cover": [b"\x89PNG", None],
        "nothing": pl.Series([None, None], dtype=pl.Binary),
    }
    pl.DataFrame(rows).write_parquet("c.parquet")
    assert list(read_records(["c.parquet"])) == [
        {
            "id": "a.wav",
            "path": "a.wav",
            "captions": ["Zug fährt", "a train"],
            "license": "CC0",
        },
        {"id": "b.wav", "path": "b.wav", "captions": ["rain"]},
    ]


def test_vectors_keep_their_ids() -> None:
    rows = {"id": [b"rain", b"dog"], "embedding": [[1.0, 0.0], [0.0, 1.0]]}
    pl.DataFrame(rows).write_parquet("v.parquet")
    assert [id_ for batch in read_vectors("v.parquet") for id_ in batch.ids] == ["rain", "dog"]


def test_a_struct_whose_path_is_bytes() -> None:
    Path("a.wav").touch()
    sounds = [{"bytes": b"RIFF\0", "path": b"a.wav"}]
    pl.DataFrame({"audio": sounds}).write_parquet("c.parquet")
    (record,) = read_records(["c.parquet"])
    assert record["id"] == "a.wav"


def test_a_value_that_is_not_utf8_costs_its_row() -> None:
    paths = [f"{n}.wav".encode() for n in range(20)]
    captions = [b"rain"] * 19 + ["café".encode("cp1252")]
    pl.DataFrame({"path": paths, "author": captions}).write_parquet("c.parquet")
    said: list[Failure] = []
    found = list(read_records(["c.parquet"], report=said.append))
    assert [record["path"] for record in found] == [f"{n}.wav" for n in range(19)]
    assert list(map(str, said)) == [
        "c.parquet: row 20: 'author' is not UTF-8, but probably CP1252; "
        "convert the file with `iconv -f CP1252 -t UTF-8`"
    ]
