"""Which encoder a query for an index is encoded with, and which is refused before it is fetched."""

import json
import shutil
import socket
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from oea_cli.encoder.protocol import Encoder
from oea_cli.encoder.streaming.stream import embed_texts
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import read_embeddings
from oea_cli.vectors.index.building import build_index
from oea_cli.vectors.opening import same_encoder
from tests.commands.in_process import run

TEXTS = ["rain falls", "a dog barks", "a user"]


def index_of(folder: Path, encoder: Encoder, encoder_id: str | None) -> Path:
    """An index of three texts that says it was made by this encoder."""
    records = [{"id": text, "captions": [text]} for text in TEXTS]
    batch = Batch(records, embed_texts(encoder, TEXTS))
    build_index(folder, [batch], dim=encoder.dim, encoder=encoder_id)
    return folder


@pytest.fixture
def unnamed(tmp_path: Path, encoder: Encoder) -> Path:
    return index_of(tmp_path / "unnamed.oea", encoder, None)


def test_vectors_that_name_no_encoder_are_searched_with_the_one_that_is_named(
    unnamed: Path, encoder: Encoder, tmp_path: Path
) -> None:
    model = ["-m", encoder.name]
    done = run(["search", "a dog barks", "-i", unnamed, "-k", "1", "-f", "jsonl", *model])
    hit = json.loads(done.stdout)
    assert (hit["id"], hit["score"]) == ("a dog barks", pytest.approx(1, abs=1e-5))
    (tmp_path / "q.jsonl").write_text('{"id": "q", "text": "a user", "target": "a user"}\n')
    measured = ["eval", "-i", unnamed, "--queries", tmp_path / "q.jsonl", "-M", "r@1", *model]
    results = json.loads(run([*measured, "-f", "json"]).stdout)
    assert results["metrics"]["r@1"] == 1.0


def test_they_must_have_its_dimension(encoder: Encoder, tmp_path: Path) -> None:
    vectors = np.eye(3, 5, dtype=np.float32)
    batch = Batch([{"id": str(row)} for row in range(3)], vectors)
    build_index(tmp_path / "x.oea", [batch], dim=5, encoder=None)
    done = run(["search", "rain", "-i", tmp_path / "x.oea", "-m", encoder.name])
    assert (done.returncode, done.stdout) == (1, "")
    assert f"holds 5-dimensional vectors, those of {encoder.name} have {encoder.dim}" in done.stderr


def test_without_a_name_the_line_says_how(unnamed: Path) -> None:
    done = run(["search", "rain", "-i", unnamed])
    assert done.returncode == 1 and "its vectors name no encoder" in done.stderr
    assert "name it with -m" in done.stderr


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        ("mini", "oea-qwen3b"),
        ("oea-qwen3b", "mini"),
        ("oea-qwen3b", "oea-qwen3b-cl"),
        ("mini", "clap:laion/clap-htsat-unfused"),
        ("clap:laion/clap-htsat-unfused", "clap:laion/clap-htsat-fused"),
        ("clap:laion/a?revision=1111", "clap:laion/a?revision=2222"),
        ("st:some/model", "omni:some/model"),
        ("runs/mine", "http://127.0.0.1:9/v1?model=x"),
        ("http://127.0.0.1:9/v1?model=x", "mini"),
    ],
)
@pytest.mark.parametrize("verb", ["search", "eval"])
def test_another_encoder_is_refused_by_its_name(
    encoder: Encoder,
    tmp_path: Path,
    own: str,
    asked: str,
    verb: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is connected to, and no model loaded: those named here are not on this machine."""

    def connect(*_: object) -> None:
        pytest.fail("asked for a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)
    index = index_of(tmp_path / "x.oea", encoder, f"{own}:0123456789abcdef")
    arguments = ["search", "rain"] if verb == "search" else ["eval"]
    done = run([*arguments, "-i", index, "-m", asked])
    assert (done.returncode, done.stdout) == (1, "")
    assert f"x.oea: made with {own}, not with {asked}; leave -m (or OEA_MODEL) out" in done.stderr


def test_its_own_encoder_is_found_where_it_is_now(
    encoder: Encoder, tiny_encoder: Path, tmp_path: Path
) -> None:
    index = index_of(tmp_path / "x.oea", encoder, f"runs/gone:{encoder.fingerprint}")
    shutil.copytree(tiny_encoder, tmp_path / "moved")
    done = run(
        ["search", "a user", "-i", index, "-m", tmp_path / "moved", "-k", "1", "-f", "jsonl"]
    )
    assert json.loads(done.stdout)["id"] == "a user"


def test_a_folder_with_another_encoder_is_refused_by_its_fingerprint(
    encoder: Encoder, tiny_encoder: Path, tmp_path: Path
) -> None:
    index = index_of(tmp_path / "x.oea", encoder, "runs/gone:0123456789abcdef")
    done = run(["search", "a user", "-i", index, "-m", tiny_encoder])
    assert done.returncode == 1 and "made with runs/gone:0123456789abcdef" in done.stderr


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("mini:ab12", "elsewhere:ab12", True),
        ("mini:ab12", "mini:ab13", False),
        ("mini:ab12", None, True),
        ("mini", "mini:ab12", True),
        ("clap:laion/clap", "clap:laion/clap:ab12", True),
        ("mini", "clap:laion/clap:ab12", False),
        ("my encoder", "my encoder", True),
    ],
)
def test_ids_with_and_without_a_fingerprint(one: str, other: str | None, same: bool) -> None:
    assert same_encoder(one, other) is same and same_encoder(other, one) is same


def test_the_encoder_in_anyones_parquet_file(tmp_path: Path, encoder: Encoder) -> None:
    vectors = embed_texts(encoder, TEXTS)
    embedding = pl.Series("embedding", vectors, dtype=pl.Array(pl.Float32, encoder.dim))
    rows = pl.DataFrame([pl.Series("id", TEXTS), embedding])
    rows.write_parquet(tmp_path / "key.parquet", metadata={"encoder": encoder.encoder_id})
    named = rows.with_columns(encoder=pl.lit(encoder.encoder_id))
    named.write_parquet(tmp_path / "column.parquet")
    label = rows.with_columns(encoder=pl.lit(encoder.name))
    label.write_parquet(tmp_path / "label.parquet")
    for name in ("key", "column", "label"):
        reader = read_embeddings(str(tmp_path / f"{name}.parquet"))
        assert reader.encoder == (encoder.name if name == "label" else encoder.encoder_id)
        assert (
            run(["index", tmp_path / f"{name}.parquet", "-o", tmp_path / "x.oea"]).returncode == 0
        )
        done = run(["search", "rain falls", "-i", tmp_path / "x.oea", "-k", "1", "-f", "jsonl"])
        assert json.loads(done.stdout)["id"] == "rain falls", done.stderr
    both = label.with_columns(encoder=pl.Series(["a", "b", "a"]))
    both.write_parquet(tmp_path / "both.parquet")
    done = run(["index", tmp_path / "both.parquet", "-o", tmp_path / "y.oea"])
    assert done.returncode == 1 and "vectors of several encoders" in done.stderr
