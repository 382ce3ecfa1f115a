"""Vectors that somebody else made: beside records or ids, in any column, in several files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from oea_cli.errors import OeaError
from oea_cli.vectors.opening import InColumn, open_vectors, read_vectors
from tests.commands.in_process import run

EYE = np.eye(4, dtype=np.float32)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lines(name: str, rows: list[dict[str, Any]]) -> None:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def found(*sources: str) -> list[tuple[str, list[float]]]:
    source = open_vectors(*sources)
    assert source is not None
    return [
        (record["id"], vector.tolist())
        for batch in source
        for record, vector in zip(batch.records, batch.vectors, strict=True)
    ]


def parquet(name: str, vectors: Any, column: str = "embedding", **others: Any) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    pl.DataFrame({**others, column: vectors}).write_parquet(name)


def test_records_beside_a_matrix_need_no_meta_file() -> None:
    np.save("x.npy", EYE[:2])
    lines("x.jsonl", [{"id": "a.wav", "captions": ["rain"]}, {"path": "b.wav"}])
    assert found("x.npy") == [("a.wav", EYE[0].tolist()), ("1", EYE[1].tolist())]
    source = read_vectors("x.npy")
    assert source.encoder is None and source.candidates().ids == ["a.wav", "1"]
    lines("x.jsonl", [{"id": "a.wav"}])
    with pytest.raises(OeaError, match=r"x\.npy: 2 vectors, but 1 record"):
        found("x.npy")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ids.txt", "a.wav\nsea shore.wav\n"),
        ("ids.csv", "id,kind\na.wav,x\nsea shore.wav,y\n"),
        ("ids.jsonl", '{"id": "a.wav"}\n{"path": "sea shore.wav"}\n'),
    ],
)
def test_an_index_takes_ids_from_a_file(name: str, content: str) -> None:
    np.save("x.npy", EYE[:2])
    Path(name).write_text(content)
    assert run(["index", "x.npy", "--ids", name, "-o", "x.oea"]).returncode == 0
    assert [id_ for id_, _ in found("x.oea")] == ["a.wav", "sea shore.wav"]
    done = run(["index", "x.npy", "--ids", "-", "-o", "y.oea"], input="a\n")
    assert done.returncode == 1 and not Path("y.oea/index.json").exists()
    assert "index: stdin: 1 id, but more vectors; give one id for each vector" in done.stderr
    done = run(["index", "x.npy", "--ids", "-", "-o", "y.oea"], input="a\nb\nc\n")
    assert "index: stdin: 3 ids, but only 2 of them have vectors" in done.stderr


def test_vectors_in_a_column_of_another_name() -> None:
    parquet("x.parquet", EYE[:2].tolist(), "emb", id=["a", "b"])
    lines("y.jsonl", [{"id": "a", "emb": [1, 0, 0, 0]}, {"id": "b", "emb": [0, 1, 0, 0]}])
    expected = [("a", EYE[0].tolist()), ("b", EYE[1].tolist())]
    assert found(InColumn("x.parquet", "emb")) == found(InColumn("y.jsonl", "emb")) == expected
    assert open_vectors("x.parquet") is None and open_vectors("y.jsonl") is None
    for name in ("x.parquet", "y.jsonl"):
        assert run(["index", name, "--column", "emb", "-o", "x.oea"]).returncode == 0
        assert found("x.oea") == expected
        done = run(["index", name, "-o", "x.oea"])
        assert done.returncode == 1 and "It has 'id', 'emb', and --column names" in done.stderr


def test_every_verb_that_reads_vectors_takes_the_column() -> None:
    corpus = [{"id": f"c{row}", "emb": EYE[row].tolist()} for row in range(4)]
    lines("c.jsonl", corpus)
    # What oea wrote names its encoder, and has its vectors where it always has them.
    ours = {"id": "q", "target": "c1", "embedding": [0, 1, 0, 0], "encoder": None}
    lines("q.jsonl", [ours])
    judged = ["eval", "--queries", "q.jsonl", "--corpus", "c.jsonl", "-M", "r@1", "-f", "json"]
    done = run([*judged, "--column", "emb"])
    assert json.loads(done.stdout)["metrics"]["r@1"] == 1.0
    assert run(["index", "c.jsonl", "--column", "emb", "-o", "c.oea"]).returncode == 0
    lines("e.jsonl", [{"id": "q", "emb": [0, 0, 1, 0.1]}])
    done = run(["search", "--queries", "e.jsonl", "--column", "emb", "-i", "c.oea", "-k", "1"])
    assert json.loads(done.stdout)["id"] == "c2"
    clips = [{**row, "captions": [f"sound {row['id']}"]} for row in corpus]
    lines("m.jsonl", clips)
    done = run(["mine-negatives", "m.jsonl", "--column", "emb", "--no-compare-sounds", "--all"])
    assert "no pair is left" in done.stderr or done.returncode == 0, done.stderr


@pytest.mark.parametrize("source", ["parts", "parts/", "parts/*.parquet", "parts/part-*"])
def test_a_folder_and_a_pattern_are_one_set(source: str) -> None:
    for part in (0, 1):
        parquet(f"parts/part-{part}.parquet", EYE[2 * part : 2 * part + 2].tolist())
    assert found(source) == [(str(row), EYE[row].tolist()) for row in range(4)]
    assert run(["index", source, "-o", "x.oea"]).returncode == 0
    assert [id_ for id_, _ in found("x.oea")] == ["0", "1", "2", "3"]


def test_a_folder_of_sounds_with_metadata_holds_no_vectors() -> None:
    Path("wavs").mkdir()
    pl.DataFrame({"file_name": ["a.wav"], "caption": ["x"]}).write_parquet("wavs/metadata.parquet")
    assert open_vectors("wavs") is None


@pytest.mark.parametrize(
    ("vectors", "line"),
    [
        ([[1.0, 0.0], None, [0.0, 1.0]], "row 2: no vector; leave the row out"),
        ([[1.0, 0.0], [1.0, 0.0], [1.0]], "row 3: a vector of 1 dimension; the rows before have 2"),
        ([[1.0, 0.0], [], [1.0, 0.0]], "row 2: an empty vector; leave the row out"),
    ],
)
def test_a_row_that_is_no_vector_is_named(vectors: Any, line: str) -> None:
    parquet("x.parquet", vectors)
    with pytest.raises(OeaError) as caught:
        found("x.parquet")
    assert str(caught.value) == f"x.parquet: {line}"
    many = [[1.0, 0.0]] * 5000
    parquet("x.parquet", [*many, *vectors])
    with pytest.raises(OeaError, match=rf"x\.parquet: row 500[234]: {line.partition(': ')[2]}"):
        found("x.parquet")


def test_whole_numbers_are_vectors_too() -> None:
    parquet("x.parquet", [[3, 0], [0, 5]], id=["a", "b"])
    assert found("x.parquet") == [("a", [1.0, 0.0]), ("b", [0.0, 1.0])]
