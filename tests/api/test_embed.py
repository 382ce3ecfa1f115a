"""Embedding whatever a program holds: the vectors are those of `oea embed`, bit by bit."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

import oea_cli as oea
from oea_cli.encoder.protocol import Encoder
from tests.commands.in_process import run


def test_a_folder_gives_what_the_verb_writes(
    encoder: Encoder, wavs: Path, tiny_encoder: Path
) -> None:
    batch = oea.embed(encoder, wavs)
    done = run(["embed", "wavs", "-m", tiny_encoder, "-o", "v.parquet"])
    assert done.returncode == 0, done.stderr
    source = oea.open_vectors("v.parquet")
    assert source is not None and source.encoder == batch.encoder
    (written,) = source
    assert list(written.records) == list(batch.records)
    assert np.array_equal(written.vectors, batch.vectors)


def test_every_form_of_the_same_sounds(
    encoder: Encoder, batch: oea.Batch, records: list[dict[str, object]]
) -> None:
    paths = [str(record["path"]) for record in records]
    arrays = [soundfile.read(path, dtype="float32")[0] for path in paths]
    whole = [soundfile.read(path, dtype="int16")[0] for path in paths]
    stereo = [np.stack([samples, samples], axis=1) for samples in arrays]
    forms = [
        oea.embed(encoder, list(map(Path, paths))),
        oea.embed(encoder, iter(records)),
        oea.embed(encoder, pl.DataFrame(records)),
        oea.embed(encoder, oea.read_records(paths)),
        oea.embed(encoder, arrays, rate=16_000),
        oea.embed(encoder, whole, rate=16_000),
        oea.embed(encoder, stereo, rate=16_000),
    ]
    for form in forms:
        assert np.abs(form.vectors - batch.vectors).max() < 2e-6
        assert form.encoder == encoder.encoder_id
    assert forms[4].ids == ["0", "1", "2", "3"]


def test_arrays_are_resampled_and_cut_as_files_are(encoder: Encoder, tmp_path: Path) -> None:
    time = np.arange(round(44_100 * encoder.max_seconds * 1.5)) / 44_100
    samples = np.float32(0.3) * np.sin(2 * np.pi * 300 * time).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", samples, 44_100, subtype="FLOAT")
    array = oea.embed(encoder, samples, rate=44_100, ids=["long"])
    file = oea.embed(encoder, tmp_path / "long.wav")
    assert [record["start"] for record in array.records] == [r["start"] for r in file.records]
    assert len(array) == 2 and array.ids[0].startswith("long#t=0,")
    assert np.array_equal(array.vectors, file.vectors)


def test_texts(encoder: Encoder) -> None:
    batch = oea.embed(encoder, ["rain falls", "a dog.wav"], text=True)
    assert batch.records == [{"id": "1", "text": "rain falls"}, {"id": "2", "text": "a dog.wav"}]
    assert np.array_equal(batch.vectors, encoder.encode_text(["rain falls", "a dog.wav"]))
    named = oea.embed(encoder, "rain falls", text=True, ids=["q"])
    assert named.ids == ["q"]


def test_captions_of_records(encoder: Encoder, records: list[dict[str, object]]) -> None:
    batch = oea.embed(encoder, records[:1], text=True)
    assert batch.ids == ["low.wav#1", "low.wav#2"]
    assert batch.records[0]["clip"] == "low.wav"


def test_nothing_gives_no_rows(encoder: Encoder) -> None:
    batch = oea.embed(encoder, [])
    assert len(batch) == 0 and batch.vectors.shape == (0, encoder.dim)
    assert batch.frame.columns == ["embedding"]


def test_a_frame_has_records_and_vectors(batch: oea.Batch) -> None:
    assert repr(batch) == f"Batch(4 records, vectors of 32 dimensions by {batch.encoder})"
    frame = batch.frame
    assert frame.columns == ["id", "path", "captions", "duration", "embedding"]
    assert np.array_equal(frame["embedding"].to_numpy(), batch.vectors)


def test_failures_are_raised_or_reported(encoder: Encoder, wavs: Path) -> None:
    Path("wavs/broken.wav").write_bytes(b"RIFF")
    with pytest.raises(oea.OeaError, match=r"^wavs/broken\.wav: "):
        oea.embed(encoder, wavs)
    failures: list[oea.Failure] = []
    batch = oea.embed(encoder, wavs, report=failures.append)
    assert len(batch) == 4 and [failure.where for failure in failures] == ["wavs/broken.wav"]
    arrays = [np.zeros(0, np.float32), np.full(8000, np.nan), np.ones(8000, np.float32)]
    batch = oea.embed(encoder, arrays, rate=16_000, report=failures.append)
    assert batch.ids == ["2"]
    assert list(map(str, failures[1:])) == [
        "array 0: no sound in it (0 frames)",
        "array 1: holds NaN or infinity",
    ]
    oea.embed(encoder, [{"id": "x"}], report=failures.append)
    assert (
        str(failures[3])
        == "record 1: no 'path' and no 'text'; every record needs one (it has 'id')"
    )


def test_what_makes_no_sense(encoder: Encoder) -> None:
    sound = np.ones(8000, np.float32)
    for sources, options, message in [
        (sound, {}, "arrays need their samples per second"),
        ([sound], {"rate": 16_000, "ids": ["a", "b"]}, "2 ids for 1 inputs"),
        (
            np.ones((2, 8000)),
            {"rate": 16_000},
            r"an array of shape \(2, 8000\) and type float64 is",
        ),
        (np.ones(9, complex), {"rate": 16_000}, "type complex128 is no sound"),
        (["a.wav"], {"ids": ["a"]}, "the ids of sounds are their paths"),
        ([3], {}, "^cannot embed a int; give paths, records, a frame, arrays or texts"),
        (None, {}, "^cannot embed a NoneType"),
        (["rain", 3], {"text": True}, "^cannot embed a int"),
    ]:
        with pytest.raises(oea.OeaError, match=message):
            oea.embed(encoder, sources, **options)


def test_written_batches_come_back(batch: oea.Batch, tmp_path: Path) -> None:
    for name in ("v.npy", "v.parquet", "lines.jsonl", "shards/"):
        for _ in range(2):  # in place of what was there
            assert oea.write([batch, oea.Batch([], batch.vectors[:0], batch.encoder)], name) == 4
        source = oea.open_vectors(name)
        assert source is not None
        assert (source.encoder, source.dim) == (batch.encoder, batch.vectors.shape[1])
        (back,) = source
        assert list(back.records) == batch.records and back.encoder == batch.encoder
        assert np.array_equal(back.vectors, batch.vectors)
    other = oea.Batch(batch.records, batch.vectors, "other:1")
    with pytest.raises(oea.OeaError, match=r"^w\.npy: vectors of .* and of other:1; embed them"):
        oea.write([batch, other], "w.npy")
    assert not Path("w.npy").exists()
    with pytest.raises(oea.UsageError, match=r"^vectors: the name must be X\.npy"):
        oea.write(batch, "vectors")
