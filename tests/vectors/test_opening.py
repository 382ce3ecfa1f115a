"""What a source is, asked once: vectors in any form, an index, or records without vectors."""

import gzip
import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from oea_cli.errors import OeaError, UsageError
from oea_cli.records.lines import PeekableStream
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.folder import build_index
from oea_cli.vectors.opening import IndexSource, VectorSource, open_vectors, read_vectors
from oea_cli.vectors.writing import write

FORMS = ("lines.jsonl", "v.npy", "v.parquet", "v/")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def batch() -> Batch:
    rows = np.random.default_rng(3).standard_normal((5, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    records = [{"id": name, "clip": "whole"} for name in "abcde"]
    write(Batch(records, rows, "some:1"), "unit.npy")
    (whole,) = read_vectors("unit.npy")
    return whole


def opened(*sources: str | Path | Batch, stdin: bytes | None = None) -> VectorSource:
    stream = None if stdin is None else PeekableStream(io.BytesIO(stdin))
    found = open_vectors(*sources, stdin=stream)
    assert found is not None
    return found


def same(found: VectorSource, batch: Batch) -> bool:
    assert (found.encoder, found.dim) == (batch.encoder, 8)
    parts = list(found)
    vectors = np.concatenate([part.vectors for part in parts])
    records = [record for part in parts for record in part.records]
    return records == list(batch.records) and np.array_equal(vectors, batch.vectors)


def test_every_form_gives_the_same_batches_and_candidates(batch: Batch) -> None:
    for name in FORMS:
        write(batch, name)
        assert same(opened(name), batch)
    assert same(opened(batch), batch)
    build_index("x.oea", batch)
    assert same(opened("x.oea"), batch) and isinstance(opened("x.oea"), IndexSource)
    for name in (*FORMS, "x.oea"):
        corpus = read_vectors(name).candidates()
        assert corpus.ids == list("abcde") and corpus.encoder == "some:1"
        assert np.array_equal(corpus.rows.take(np.array([3, 0])), batch.vectors[[3, 0]])
        if name != "x.oea":
            assert corpus.clips == ["whole"] * 5


def test_a_pipe_is_looked_at_and_stays_whole(batch: Batch) -> None:
    write(batch, "v.jsonl")
    lines = Path("v.jsonl").read_bytes()
    assert same(opened("-", stdin=b"\n \n" + lines), batch)
    np.save("bare.npy", batch.vectors)
    bare = opened("-", stdin=Path("bare.npy").read_bytes())
    assert bare.encoder is None and [len(part) for part in bare] == [5]
    for content in (b"\n\na.wav\nb.wav\n", b'{"path": "a.wav"}\n', b"path,captions\na.wav,x\n"):
        stream = PeekableStream(io.BytesIO(content))
        assert open_vectors("-", stdin=stream) is None
        assert stream.read() == content
    long = b'{"path": "%s"}\n' % (b"x" * 3_000_000)
    stream = PeekableStream(io.BytesIO(long + b"rest"))
    assert open_vectors("-", stdin=stream) is None and stream.read() == long + b"rest"


def test_records_and_sounds_hold_no_vectors(batch: Batch) -> None:
    Path("clips.jsonl").write_text('{"path": "a.wav"}\n{"path": "b.wav", "embedding": [1.0]}\n')
    Path("clips.csv").write_text("path,caption\na.wav,rain\n")
    Path("texts.txt").write_text("rain\n")
    Path("a.wav").write_bytes(b"RIFF")
    Path("sounds/inner").mkdir(parents=True)
    pl.DataFrame({"path": ["a.wav"]}).write_parquet("clips.parquet")
    Path("odd.parquet").write_bytes(b"PAR1 and no more")
    with gzip.open("clips.jsonl.gz", "wb") as stream:
        stream.write(b'{"path": "a.wav"}\n')
    for name in (*map(str, Path().glob("*[!y]")), "*.wav", "s3://bucket/clips.jsonl"):
        assert open_vectors(name) is None, name


def test_vectors_in_a_gzipped_file(batch: Batch) -> None:
    write(batch, "v.jsonl")
    with gzip.open("v.jsonl.gz", "wb") as stream:
        stream.write(Path("v.jsonl").read_bytes())
    assert same(opened("v.jsonl.gz"), batch)


def test_an_empty_source_holds_no_vectors_of_dimension_0() -> None:
    Path("empty.jsonl").write_text("\n")
    for found in (opened("empty.jsonl"), opened("-", stdin=b"")):
        assert (found.dim, found.encoder, list(found)) == (0, None, [])


def test_several_are_read_as_one(batch: Batch) -> None:
    write(batch, "a.npy")
    Path("empty.jsonl").touch()
    other = Batch([{"id": "f"}], batch.vectors[:1], batch.encoder)
    write(other, "b.jsonl")
    both = opened("empty.jsonl", "a.npy", "b.jsonl")
    assert (both.encoder, both.dim) == ("some:1", 8)
    assert [id_ for part in both for id_ in part.ids] == list("abcdef")
    assert opened("a.npy", "b.jsonl").candidates().ids == list("abcdef")
    assert opened("a.npy", "-", stdin=Path("b.jsonl").read_bytes()).candidates().ids[-1] == "f"
    write(Batch([{"id": "f"}], batch.vectors[:1], "other:2"), "b.jsonl")
    with pytest.raises(OeaError, match=r"^b\.jsonl: made by other:2, a\.npy by"):
        list(opened("a.npy", "b.jsonl"))
    np.save("c.npy", np.ones((1, 3), np.float32))
    np.save("d.npy", np.ones((1, 4), np.float32))
    with pytest.raises(OeaError, match=r"^d\.npy: vectors of 4 dimensions, c\.npy has 3"):
        list(opened("c.npy", "d.npy"))
    build_index("x.oea", batch)
    with pytest.raises(UsageError, match=r"^x\.oea: an index must be the only input"):
        opened("a.npy", "x.oea").candidates()


def test_what_is_not_whole_is_named(batch: Batch) -> None:
    with pytest.raises(OeaError, match=r"^gone: no such file or folder$"):
        open_vectors("gone")
    write(batch, "v/")
    Path("v/manifest.json").unlink()
    with pytest.raises(OeaError, match=r"`oea embed` did not finish"):
        open_vectors("v")
    Path("clips.jsonl").write_text('{"path": "a.wav"}\n')
    with pytest.raises(OeaError, match=r"^clips\.jsonl:1: no 'embedding'"):
        read_vectors("clips.jsonl")
