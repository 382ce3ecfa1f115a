"""`oea index` as a user runs it: pipes, files, every option, every refusal.

Run: pytest tests/test_index_verb.py
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer
from oea_cli.vectors.index.index import VectorIndex
from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment

STAMP = "mini:0123456789ab"


def some_batch(count: int = 12, dim: int = 8, seed: int = 0) -> Batch:
    vectors = np.random.default_rng(seed).standard_normal((count, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Batch([{"id": f"c{n}", "path": f"{n}.wav", "n": n} for n in range(count)], vectors)


def write(path: Path, batch: Batch, encoder: str | None = STAMP) -> Path:
    with open_writer(str(path), encoder=encoder) as writer:
        writer.write(batch)
    return path


def describe(folder: Path) -> dict[str, Any]:
    done = run(["index", "--info", folder])
    assert done.returncode == 0, done.stderr
    description: dict[str, Any] = json.loads(done.stdout)
    return description


@pytest.mark.parametrize("name", ["v.jsonl", "v.npy", "v.parquet", "v/"])
def test_every_format_gives_the_same_index(tmp_path: Path, name: str) -> None:
    batch = some_batch()
    source = str(tmp_path / name)
    with open_writer(f"{source}/" if name.endswith("/") else source, encoder=STAMP) as writer:
        writer.write(batch)
    done = run(["index", source, "-o", tmp_path / "x.oea"])
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and done.stderr.endswith("x.oea: 12 vectors (12 added)\n")
    index = VectorIndex.open(tmp_path / "x.oea")
    assert index.encoder == STAMP
    assert np.array_equal(index.vectors(np.arange(12)), batch.vectors), "bit-exact"
    assert index.records(np.arange(12)) == batch.records


@pytest.mark.parametrize("name", ["v.jsonl", "bare.npy"])
def test_pipes(oea: Callable[..., Completed], tmp_path: Path, name: str) -> None:
    batch = some_batch()
    if name == "bare.npy":
        np.save(tmp_path / name, batch.vectors)
    else:
        write(tmp_path / name, batch)
    content = (tmp_path / name).read_bytes()
    done = oea(["index", "-q"], input=content, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    index = VectorIndex.open(tmp_path / "index.oea")
    assert np.array_equal(index.vectors(np.arange(12)), batch.vectors)
    assert index.encoder == (STAMP if name == "v.jsonl" else None)


def test_several_sources_and_the_environment(tmp_path: Path) -> None:
    whole = some_batch(20)
    first = write(tmp_path / "a.npy", Batch(whole.records[:5], whole.vectors[:5]))
    second = write(tmp_path / "b.parquet", Batch(whole.records[5:], whole.vectors[5:]))
    done = run(["index", first, second], env={"OEA_INDEX": str(tmp_path / "e.oea")})
    assert done.returncode == 0, done.stderr
    assert np.array_equal(
        VectorIndex.open(tmp_path / "e.oea").vectors(np.arange(20)), whole.vectors
    )


def test_sources_of_two_encoders_are_refused(tmp_path: Path) -> None:
    first = write(tmp_path / "a.npy", some_batch())
    second = write(tmp_path / "b.npy", some_batch(), encoder="clap:ff")
    done = run(["index", first, second, "-o", tmp_path / "x.oea"])
    assert done.returncode == 1 and not (tmp_path / "x.oea").exists()
    assert "made by clap:ff" in done.stderr and STAMP in done.stderr


def test_append_replace_delete_compact(tmp_path: Path) -> None:
    index = tmp_path / "x.oea"
    batch = some_batch(10)
    source = write(tmp_path / "v.npy", batch)
    assert "10 vectors (10 added)" in run(["index", source, "-o", index, "--append"]).stderr
    assert "(10 already there)" in run(["index", source, "-o", index, "--append"]).stderr

    other = write(tmp_path / "w.npy", Batch(batch.records, -batch.vectors))
    refused = run(["index", other, "-o", index, "--append"])
    assert refused.returncode == 1
    assert "id 'c0' is in" in refused.stderr and "--replace" in refused.stderr
    assert "10 vectors (10 replaced)" in run(["index", other, "-o", index, "--replace"]).stderr
    assert np.array_equal(VectorIndex.open(index).vector_of("c3"), -batch.vectors[3])

    gone = run(["index", "--delete", "c1", "--delete", "c2", "-o", index])
    assert gone.stderr.endswith("8 vectors (2 deleted)\n")
    assert describe(index)["deleted"] > 0
    assert run(["index", "--compact", index, "--storage", "f16"]).returncode == 0
    described = describe(index)
    assert (described["count"], described["deleted"], described["storage"]) == (8, 0, "f16")


def test_building_again_replaces_the_index(tmp_path: Path) -> None:
    index = tmp_path / "x.oea"
    run(["index", write(tmp_path / "v.npy", some_batch(10)), "-o", index])
    run(["index", write(tmp_path / "w.npy", some_batch(3, dim=4)), "-o", index])
    described = describe(index)
    assert (described["count"], described["dim"]) == (3, 4)


def test_appending_vectors_of_another_encoder(tmp_path: Path) -> None:
    index = tmp_path / "x.oea"
    run(["index", write(tmp_path / "v.npy", some_batch()), "-o", index])
    other = write(tmp_path / "w.npy", some_batch(), encoder="clap:ff")
    done = run(["index", other, "-o", index, "--append"])
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert f"made with {STAMP}" in done.stderr and "clap:ff" in done.stderr


def test_info_for_people_and_programs(tmp_path: Path) -> None:
    index = tmp_path / "x.oea"
    source = write(tmp_path / "v.npy", some_batch(40, dim=64))
    run(["index", source, "-o", index, "--storage", "b1", "--kind", "exact"])
    described = describe(index)
    assert described["encoder"] == STAMP and described["dim"] == 64
    assert (described["kind"], described["storage"]) == ("exact", "b1")
    assert 0 < described["recall@10"] < 1, "what one bit per dimension loses is measured"
    assert described["bytes"] > 0 and described["oea"] and described["segments"][0]["count"] == 40
    table = run(["index", "--info", "-f", "table"], env={"OEA_INDEX": str(index)}).stdout
    assert STAMP in table and "recall@10" in table and "64" in table


def test_empty_input(tmp_path: Path) -> None:
    index = tmp_path / "x.oea"
    run(["index", write(tmp_path / "v.npy", some_batch()), "-o", index])
    done = run(["index", "-o", index], input="")
    assert done.returncode == 1 and "stdin: no vectors in it" in done.stderr
    assert describe(index)["count"] == 12, "a failed `oea embed` upstream spoils nothing"
    assert run(["index", "-o", index, "--append", "--allow-empty"], input="").returncode == 0
    assert describe(index)["count"] == 12
    assert run(["index", "-o", tmp_path / "e.oea", "--allow-empty"], input="").returncode == 0
    assert describe(tmp_path / "e.oea")["count"] == 0
    later = run(["index", tmp_path / "v.npy", "-o", tmp_path / "e.oea", "--append"])
    assert later.returncode == 0, later.stderr
    assert describe(tmp_path / "e.oea")["dim"] == 8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--append", "--replace"], "--append and --replace do not go together"),
        (["--info", "--delete", "x"], "--delete and --info do not go together"),
        (["--info", "a.oea", "b.oea"], "one index at a time"),
        (["--kind", "ivf"], "ivf"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run(["index", *arguments], cwd=tmp_path)
    assert done.returncode == 2 and words in done.stderr
    assert not list(tmp_path.iterdir())


def test_kind_and_storage_of_a_growing_index_stay(tmp_path: Path) -> None:
    source = write(tmp_path / "v.npy", some_batch())
    run(["index", source, "-o", tmp_path / "x.oea"])
    done = run(["index", source, "-o", tmp_path / "x.oea", "--append", "--storage", "i8"])
    assert done.returncode == 2 and "`oea index --compact --storage i8" in done.stderr


def test_refusals_are_one_line(tmp_path: Path) -> None:
    source = write(tmp_path / "v.npy", some_batch())
    (tmp_path / "wavs").mkdir()
    (tmp_path / "wavs" / "a.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    for arguments, words in [
        (["--info", "nope.oea"], "nope.oea: no such index"),
        (["--info", "wavs"], "wavs: not an index"),
        ([str(source), "-o", "wavs"], "contains other files (a.wav)"),
        ([str(source), "-o", "wavs/a.wav"], "a.wav: is a file, but an index is a folder"),
        (["--compact", "nope.oea"], "no such index"),
        (["wavs/a.wav", "-o", "x.oea"], "wavs/a.wav"),
    ]:
        done = run(["index", *arguments], cwd=tmp_path)
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.splitlines()) == 1 and words in done.stderr


def test_a_bad_row_in_the_pipe_builds_nothing(tmp_path: Path) -> None:
    rows = (write(tmp_path / "v.jsonl", some_batch()).read_text()).splitlines()
    rows[7] = '{"id": "c7", "path": "7.wav"}'
    done = run(["index", "-o", "x.oea"], input="\n".join(rows), cwd=tmp_path)
    assert done.returncode == 1 and "stdin:8: no 'embedding'" in done.stderr
    assert not (tmp_path / "x.oea").exists()


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    batch = some_batch(5000)
    content = write(tmp_path / "v.jsonl", batch).read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-m", "oea_cli", "index", "-o", "x.oea"],
        cwd=tmp_path, env=clean_environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(content)  # and no end of file: the writer waits for more
        process.stdin.flush()
        while not (tmp_path / "x.oea" / "vectors-0001.npy").exists():
            assert process.poll() is None
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read().decode().startswith("oea index: interrupted")
    assert not (tmp_path / "x.oea").exists()


def test_building_imports_no_torch(tmp_path: Path) -> None:
    source = write(tmp_path / "v.npy", some_batch())
    code = (
        "import sys\nfrom oea_cli.main import app\n"
        f"try:\n    app(['index', {str(source)!r}, '-o', {str(tmp_path / 'x.oea')!r}])\n"
        "except SystemExit as done:\n    assert not done.code\n"
        "assert not {'torch', 'transformers', 'soundfile'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env=clean_environment(), check=True)


@pytest.fixture
def cut_stream(tmp_path: Path) -> bytes:
    """A stream of `oea embed` that was killed before its last row."""
    return b"".join(write(tmp_path / "v.jsonl", some_batch()).read_bytes().splitlines(True)[:-1])


def test_a_cut_stream_does_not_replace_an_index(tmp_path: Path, cut_stream: bytes) -> None:
    index = tmp_path / "x.oea"
    assert run(["index", write(tmp_path / "w.npy", some_batch()), "-o", index]).returncode == 0
    done = run(["index", "-o", index], input=cut_stream)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not replaced, because the vectors end without the mark" in done.stderr
    assert "--accept-unfinished" in done.stderr
    assert describe(index)["count"] == 12
    done = run(["index", "-o", index, "--accept-unfinished"], input=cut_stream)
    assert done.returncode == 0, done.stderr
    assert describe(index)["count"] == 11


def test_a_cut_stream_makes_a_new_index_with_exit_code_3(tmp_path: Path, cut_stream: bytes) -> None:
    index = tmp_path / "x.oea"
    done = run(["index", "-o", index], input=cut_stream)
    assert (done.returncode, done.stderr.count("\n")) == (3, 2)
    assert "without the mark of a finished `oea embed`" in done.stderr
    assert describe(index)["count"] == 11
    done = run(["index", "-o", index, "--append"], input=cut_stream)
    assert done.returncode == 3, done.stderr
    whole = (tmp_path / "v.jsonl").read_bytes()
    for more in ([], ["--append"]):
        assert run(["index", "-o", index, *more], input=whole).returncode == 0
    assert describe(index)["count"] == 12
    assert not VectorIndex.open(index).record_files.texts()[-1].count("end")


def test_a_cut_stream_among_others(tmp_path: Path, cut_stream: bytes) -> None:
    (tmp_path / "cut.jsonl").write_bytes(cut_stream)
    more = write(tmp_path / "w.jsonl", Batch([{"id": "x"}], some_batch(1, seed=4).vectors))
    for sources in ([tmp_path / "cut.jsonl", more], [more, tmp_path / "cut.jsonl"]):
        index = tmp_path / f"{sources[0].stem}.oea"
        assert run(["index", *sources, "-o", index]).returncode == 3
        assert run(["index", *sources, "-o", index]).returncode == 1
