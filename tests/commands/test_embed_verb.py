"""`oea embed` as a user runs it: inputs, outputs, the same bits everywhere, failures, Ctrl-C.

Most runs are in this process; pipes, terminals and signals get real ones.
"""

import csv
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.places import BUILT_IN
from oea_cli.vectors.batch import EmbeddingReader
from oea_cli.vectors.files.formats import read_embeddings
from tests.commands.in_process import run
from tests.conftest import Completed, clean_environment

NUM_CLIPS = 12


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve sounds in three formats, in folders of their own."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    for i in range(NUM_CLIPS):
        suffix = ("wav", "flac", "ogg")[i % 3]
        path = folder / f"take {i // 4}" / f"{i:02}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, 0.1 * rng.standard_normal(int(22_050 * (0.2 + i / 10))), 22_050)
    return folder


@pytest.fixture
def embed(tiny_encoder: Path) -> Callable[..., Completed]:
    """Run `oea embed ARGS` with the tiny encoder, in this process."""

    def with_model(*args: str | Path, **options: object) -> Completed:
        return run(["embed", "-m", tiny_encoder, *args], **options)  # type: ignore[arg-type]

    return with_model


def rows(done: Completed) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def everything(reader: EmbeddingReader) -> tuple[list[str], np.ndarray]:
    batches = list(reader)
    ids = [record["id"] for batch in batches for record in batch.records]
    return ids, np.concatenate([batch.vectors for batch in batches])


def popen(args: list[str | Path], **streams: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "oea_cli", *map(str, args)]
    return subprocess.Popen(command, env=clean_environment(), **streams)  # type: ignore[call-overload, no-any-return]


# What goes in


def test_a_folder_comes_out_in_order(embed: Callable[..., Completed], clips: Path) -> None:
    done = embed(clips)
    assert done.returncode == 0 and done.stderr == ""
    records = rows(done)
    assert [record["id"] for record in records] == [
        path.relative_to(clips).as_posix() for path in sorted(clips.rglob("*.*"))
    ]
    assert records[0].keys() == {"id", "path", "duration", "embedding", "encoder"}
    assert len(records[0]["embedding"]) == 32  # type: ignore[arg-type]


def test_files_lists_globs_and_records_mean_the_same(
    embed: Callable[..., Completed], clips: Path, tmp_path: Path
) -> None:
    paths = [path.as_posix() for path in sorted(clips.rglob("*.wav"))]
    expected = [row["embedding"] for row in rows(embed(*paths))]
    assert len(expected) == 4
    (tmp_path / "list.txt").write_text("\n".join(paths))
    (tmp_path / "clips.jsonl").write_text("".join(json.dumps({"path": p}) + "\n" for p in paths))
    with (tmp_path / "clips.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "mood"], *([p, "calm"] for p in paths)])
    for arguments, options in (
        ([f"{clips}/**/*.wav"], {}),
        (["--files-from", tmp_path / "list.txt"], {}),
        (["--files-from", "-"], {"input": "\0".join(paths)}),
        (["-"], {"input": "\n".join(paths)}),
        ([], {"input": (tmp_path / "clips.jsonl").read_bytes()}),
        ([tmp_path / "clips.jsonl"], {}),
        ([tmp_path / "clips.csv"], {}),
    ):
        found = rows(embed(*arguments, **options))
        assert [row["embedding"] for row in found] == expected, arguments
    assert [row["mood"] for row in found] == ["calm"] * 4


def test_texts(embed: Callable[..., Completed], tiny_encoder: Path, tmp_path: Path) -> None:
    texts = ["a dog barks", "rain falls"]
    expected = load_encoder(str(tiny_encoder)).encode_text(texts)
    (tmp_path / "texts.txt").write_text("\n".join(texts))
    lines = "".join(json.dumps({"id": f"q{i}", "text": t}) + "\n" for i, t in enumerate(texts))
    for arguments, options in (
        (texts, {}),
        ([tmp_path / "texts.txt"], {}),
        (["-"], {"input": "\n".join(texts)}),
        (["-"], {"input": lines}),
    ):
        records = rows(embed("--text", *arguments, **options))
        assert [record["text"] for record in records] == texts
        vectors = np.array([record["embedding"] for record in records], np.float32)
        np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert [record["id"] for record in records] == ["q0", "q1"]


def test_limit_and_shards(embed: Callable[..., Completed], clips: Path) -> None:
    whole = rows(embed(clips))
    assert [r["id"] for r in rows(embed(clips, "--limit", "3"))] == [r["id"] for r in whole[:3]]
    parts = [rows(embed(clips, "--shard", f"{i}/3")) for i in (1, 2, 3)]
    assert all(parts), "no part is empty"
    assert sorted(str(r["id"]) for part in parts for r in part) == [r["id"] for r in whole]
    by_id = {row["id"]: row["embedding"] for row in whole}
    for row in (row for part in parts for row in part):
        np.testing.assert_allclose(row["embedding"], by_id[row["id"]], atol=1e-5)  # type: ignore[arg-type]
    assert rows(embed(clips, "--shard", "2/3")) == parts[1], "the same in every run"


def test_long_sounds_become_windows(embed: Callable[..., Completed], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.zeros(24 * 8000), 8000)
    records = rows(embed("long.wav", cwd=tmp_path))
    assert [(r["id"], r["start"], r["end"]) for r in records] == [
        ("long.wav#t=0,10", 0, 10),
        ("long.wav#t=10,20", 10, 20),
        ("long.wav#t=14,24", 14, 24),
    ]


# What comes out


def test_every_format_holds_the_same_bits(
    embed: Callable[..., Completed], clips: Path, tmp_path: Path
) -> None:
    pipe = embed(clips)
    (tmp_path / "pipe.jsonl").write_text(pipe.stdout)
    (tmp_path / "base64.jsonl").write_text(embed(clips, "--encoding", "base64").stdout)
    for name in ("x.npy", "x.parquet", "lines.jsonl", "shards/"):
        done = embed(clips, "-o", f"{tmp_path}/{name}")
        assert done.returncode == 0 and done.stdout == "", done.stderr
    ids, vectors = everything(read_embeddings(tmp_path / "pipe.jsonl"))
    assert vectors.dtype == np.float32 and len(ids) == NUM_CLIPS
    for name in ("base64.jsonl", "x.npy", "x.parquet", "lines.jsonl", "shards"):
        reader = read_embeddings(tmp_path / name)
        assert reader.encoder == rows(pipe)[0]["encoder"]
        assert everything(reader)[0] == ids, name
        found = everything(read_embeddings(tmp_path / name))[1]
        np.testing.assert_array_equal(found.view(np.uint32), vectors.view(np.uint32), err_msg=name)
    raw = np.load(tmp_path / "x.npy")
    np.testing.assert_array_equal(raw.view(np.uint32), vectors.view(np.uint32))


@pytest.mark.slow
def test_two_runs_are_identical(
    embed: Callable[..., Completed], oea: Callable[..., Completed], clips: Path, tiny_encoder: Path
) -> None:
    first = oea(["embed", clips, "-m", tiny_encoder])
    assert first.stdout == oea(["embed", clips, "-m", tiny_encoder]).stdout
    assert first.stdout == embed(clips).stdout and first.stdout.count("\n") == NUM_CLIPS


def test_batch_size_and_order_do_not_matter(embed: Callable[..., Completed], clips: Path) -> None:
    expected = {row["path"]: row["embedding"] for row in rows(embed(clips))}
    backwards = sorted(map(str, expected), reverse=True)
    for arguments in ([clips, "-b", "1"], [clips, "-b", "16"], backwards):
        for row in rows(embed(*arguments)):
            np.testing.assert_allclose(row["embedding"], expected[row["path"]], atol=1e-5)  # type: ignore[arg-type]


def test_an_interrupted_folder_of_shards_is_finished_by_the_next_run(
    embed: Callable[..., Completed], clips: Path, tmp_path: Path
) -> None:
    expected = everything(read_embeddings_of(embed, clips, tmp_path / "once"))
    done = embed(clips, "-o", f"{tmp_path}/twice/", "--limit", "5")
    assert done.returncode == 0
    (tmp_path / "twice" / "manifest.json").unlink()
    ids, vectors = everything(read_embeddings_of(embed, clips, tmp_path / "twice"))
    assert ids == expected[0]
    np.testing.assert_allclose(vectors, expected[1], atol=1e-5)
    again = embed(clips, "-o", f"{tmp_path}/twice/")
    assert again.returncode == 0, "nothing left to do is no failure"


def read_embeddings_of(
    embed: Callable[..., Completed], clips: Path, folder: Path
) -> EmbeddingReader:
    done = embed(clips, "-o", f"{folder}/")
    assert done.returncode == 0, done.stderr
    return read_embeddings(folder)


# Failures


def test_failed_inputs_are_named_and_the_rest_is_done(
    embed: Callable[..., Completed], clips: Path, tmp_path: Path
) -> None:
    good = sorted(clips.rglob("*.wav"))[0]
    (tmp_path / "broken.wav").write_text("no sound")
    (tmp_path / "clips.jsonl").write_text(
        '{"id": "a", "path": "broken.wav"}\n{"id": "b"}\nno json\n'
        f'{{"id": "c", "path": "{good}"}}\n{{"id": "d", "path": "gone.wav"}}\n'
    )
    done = embed("clips.jsonl", "--errors", "errors.jsonl", cwd=tmp_path)
    assert done.returncode == 3
    assert [row["id"] for row in rows(done)] == ["c"]
    lines = done.stderr.splitlines()
    assert lines[0] == "oea embed: broken.wav: cannot be decoded (Format not recognised)"
    needed = "no 'path' and no 'text'; every record needs one (it has 'id')"
    assert lines[1] == f"oea embed: clips.jsonl:2: {needed}"
    assert lines[2].startswith("oea embed: clips.jsonl:3: ")
    assert lines[3] == "oea embed: gone.wav: no such file"
    assert lines[4:] == ["oea embed: 4 of 5 inputs failed, 1 done"]
    errors = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text().splitlines()]
    assert [error["where"] for error in errors] == [
        "broken.wav", "clips.jsonl:2", "clips.jsonl:3", "gone.wav",
    ]  # fmt: skip
    assert errors[0]["id"] == "a" and "cannot be decoded" in errors[0]["error"]


def test_on_error_fail_stops_at_the_first(
    embed: Callable[..., Completed], clips: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    done = embed(tmp_path / "a.wav", clips, "--on-error", "fail", "-o", tmp_path / "x.npy")
    assert done.returncode == 1
    assert done.stderr == (
        f"oea embed: {tmp_path / 'a.wav'}: cannot be decoded (Format not recognised)\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav"], "nothing half-written"


def test_when_everything_fails_nothing_is_written(
    embed: Callable[..., Completed], tmp_path: Path
) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_text("no sound")
    done = embed(tmp_path, "-o", tmp_path / "x.parquet")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "oea embed: all 2 inputs failed"
    assert not (tmp_path / "x.parquet").exists()


def test_no_inputs(embed: Callable[..., Completed], tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    done = embed("wavs", "-o", "x.npy", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "oea embed: no sounds in wavs; --allow-empty permits that\n"
    assert not (tmp_path / "x.npy").exists()
    assert embed("wavs", "--allow-empty", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shard", "0/4", "x"], "--shard must be I/N with I from 1 to N, such as 1/8; got '0/4'"),
        (["--shard", "5", "x"], "--shard must be I/N with I from 1 to N, such as 1/8; got '5'"),
        (["-b", "many", "x"], "--batch-size must be auto or a number of 1 or more; got 'many'"),
        (["-b", "0", "x"], "--batch-size must be auto or a number of 1 or more; got '0'"),
        (["--text", "--files-from", "x"], "--files-from lists sounds"),
        (["-o", "x.mat", "."], "x.mat: the name must be X.npy, X.parquet, X.jsonl"),
    ],
)
def test_wrong_usage(
    embed: Callable[..., Completed],
    clips: Path,
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    soundfile.write(tmp_path / "x", np.zeros(100), 8000, format="WAV")
    done = embed(*[clips if word == "." else word for word in arguments], cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"oea embed: {message}") and done.stderr.count("\n") == 1


# Real terminals, pipes and signals


def test_a_terminal_gets_no_vectors(clips: Path, tiny_encoder: Path) -> None:
    terminal, ours = pty.openpty()
    with popen(["embed", clips], stdout=ours, stderr=subprocess.PIPE) as process:
        stderr = process.communicate(timeout=60)[1].decode()
    os.close(ours)
    os.close(terminal)
    assert process.returncode == 2
    assert stderr.startswith("oea embed: vectors are not for reading, and stdout is a terminal")
    assert f"oea embed {clips}" in stderr and "| oea index -o sounds.oea" in stderr


@pytest.mark.slow
def test_progress_and_summary_on_a_terminal(
    clips: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    terminal, ours = pty.openpty()
    arguments = ["embed", clips, "-m", tiny_encoder, "-o", tmp_path / "x.npy"]
    with popen(arguments, stderr=ours) as process:
        os.close(ours)
        shown = b""
        try:
            while chunk := os.read(terminal, 4096):
                shown += chunk
        except OSError:  # the terminal's end, as Linux tells it
            pass
    os.close(terminal)
    assert process.returncode == 0
    assert f"oea embed: {NUM_CLIPS} sounds in " in shown.decode()
    assert f"-> {tmp_path / 'x.npy'}" in shown.decode()


@pytest.mark.slow
def test_a_closed_pipe_is_no_error(clips: Path, tiny_encoder: Path) -> None:
    names = "\n".join(map(str, sorted(clips.rglob("*.*")) * 40))
    arguments: list[str | Path] = ["embed", "--files-from", "-", "-m", tiny_encoder]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with popen(arguments, **streams) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(names.encode())
        process.stdin.close()
        assert b'"embedding"' in process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_half_written_and_the_next_run_goes_on(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    """Interrupted in the middle of its inputs."""
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).standard_normal(800) / 9, 8000)
    ids = [str(i) for i in range(3000)]
    clips = tmp_path / "clips.jsonl"
    clips.write_text("".join(json.dumps({"id": i, "path": "a.wav"}) + "\n" for i in ids))
    output = tmp_path / "vectors"
    arguments: list[str | Path] = ["embed", clips, "-m", tiny_encoder, "-o", f"{output}/"]
    with popen([*arguments, "-b", "1"], stderr=subprocess.PIPE) as process:
        assert process.stderr
        while not output.exists():
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        stderr = process.stderr.read().decode()
        assert process.wait(60) == 130
    goes_on = f"the same command goes on after what is in {output}/"
    assert stderr == f"oea embed: interrupted; {goes_on}\n"
    assert not (output / "manifest.json").exists()
    assert not list(output.rglob("*.tmp"))
    done = run(arguments)
    assert done.returncode == 0, done.stderr
    assert everything(read_embeddings(output))[0] == ids


@pytest.mark.slow
def test_noise_of_c_libraries_is_hidden_but_for_v(
    oea: Callable[..., Completed], shared_data: Path, tiny_encoder: Path
) -> None:
    """libmpg123 writes warnings about this one straight to stderr."""
    folder = shared_data / "nasty_audio" / "devsnd+tinytag" / "tinytag" / "tests" / "samples"
    arguments = ["embed", folder / "vbr_xing_header_2channel.mp3", "-m", tiny_encoder]
    quiet = oea(arguments)
    assert quiet.returncode == 0
    assert quiet.stderr.count("\n") == 1 and "used up to its end" in quiet.stderr
    assert "Xing stream size" in oea([*arguments, "-v"]).stderr


# The encoder that ships, on real clips


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "subtype"), [("flac", "PCM_16"), ("mp3", "MPEG_LAYER_III")])
def test_a_clip_encoded_anew_finds_itself_first(
    shared_data: Path, tmp_path: Path, suffix: str, subtype: str
) -> None:
    """Every tenth of the 400 real clips, in another format, searched among all 400."""
    model = BUILT_IN / "mini"
    if not (model / "encoder.json").is_file():
        pytest.skip("needs the built-in encoder")
    paths = sorted((shared_data / "esc10").rglob("*.ogg"))[::10]
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        soundfile.write(tmp_path / f"{path.stem}.{suffix}", samples, rate, subtype=subtype)
    assert run(["embed", shared_data / "esc10", "-o", tmp_path / "all.npy"]).returncode == 0
    assert run(["embed", tmp_path, "-o", tmp_path / "again.npy"]).returncode == 0
    all_ids, corpus = everything(read_embeddings(tmp_path / "all.npy"))
    ids, queries = everything(read_embeddings(tmp_path / "again.npy"))
    assert len(corpus) == 400 and len(queries) == 40
    first = [Path(all_ids[row]).stem for row in (queries @ corpus.T).argmax(1)]
    assert first == [Path(name).stem for name in ids]


def test_what_failed_before_the_first_record_counts_too(tiny_encoder: Path, tmp_path: Path) -> None:
    rows = 'no record\n{"text": "rain"}\n{}\n{"text": "wind"}\n'
    (tmp_path / "rows.jsonl").write_text(rows)
    args = ["embed", "--text", "rows.jsonl", "-m", str(tiny_encoder), "-o", "t.npy"]
    done = run(args, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "oea embed: 2 of 4 inputs failed, 2 done"


def test_a_sound_that_is_named_twice_is_refused_before_it_is_embedded(tmp_path: Path) -> None:
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(800), 8000)
    (tmp_path / "same.csv").write_text("id,path\n1,a.wav\n1,b.wav\n")
    (tmp_path / "list.txt").write_text("a.wav\n./a.wav\n")
    for args, said in (
        (["same.csv"], "a.wav and b.wav: both have the id '1'; ids must be unique"),
        (["--files-from", "list.txt"], "a.wav: is among the inputs twice; leave one out"),
    ):
        done = run(["embed", *args, "-m", "no-such-encoder", "-o", "v.npy"], cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, f"oea embed: {said}\n")
