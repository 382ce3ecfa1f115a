"""`embed -o DIR/` again: what has changed since is noticed, what has not is not encoded again."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from oea_cli.vectors.files.formats import open_writer, read_embeddings
from tests.commands.in_process import run
from tests.conftest import Completed
from tests.vectors.test_embedding_shards import batch_of

Tone = Callable[..., Path]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def embed(tiny_encoder: Path) -> Callable[..., Completed]:
    def embed(*args: str) -> Completed:
        done = run(["embed", *args, "-m", tiny_encoder, "-o", "v/"])
        said = [line for line in done.stderr.splitlines(True) if "/s) -> " not in line]
        return Completed(done.args, done.returncode, done.stdout, "".join(said))

    return embed


def stored(folder: str = "v") -> dict[str, list[float]]:
    rows = [
        (record["id"], vector.tolist())
        for batch in read_embeddings(folder)
        for record, vector in zip(batch.records, batch.vectors, strict=True)
    ]
    assert len(rows) == len(dict(rows)), "an input is stored once"
    return dict(rows)


def alone(tiny_encoder: Path, *args: str) -> dict[str, list[float]]:
    assert run(["embed", *args, "-m", tiny_encoder, "-o", "alone/", "--no-resume"]).returncode == 0
    return stored("alone")


def assert_same(found: dict[str, list[float]], expected: dict[str, list[float]]) -> None:
    assert found.keys() == expected.keys()
    for id_, vector in found.items():
        assert np.allclose(vector, expected[id_], atol=1e-6), id_


def test_a_sound_that_changed_is_embedded_again(
    embed: Callable[..., Completed], tone: Tone, tiny_encoder: Path
) -> None:
    for name, hz in (("a", 300), ("b", 400), ("c", 500)):
        tone(Path(f"w/{name}.wav"), hz)
    assert embed("w").stderr == ""
    tone(Path("w/b.wav"), 2000)
    done = embed("w")
    assert done.returncode == 0
    assert done.stderr == (
        "oea embed: v: 2 inputs were done already; 1 had changed and was embedded again (w/b.wav)\n"
    )
    assert_same(stored(), alone(tiny_encoder, "w"))
    assert embed("w").stderr == "oea embed: v: 3 inputs were done already\n"
    # What is remembered of the files is no business of the records'.
    records = [record for batch in read_embeddings("v") for record in batch.records]
    assert {key for record in records for key in record} == {"id", "path", "duration"}


def test_a_file_that_was_only_touched_or_copied_is_the_same(
    embed: Callable[..., Completed], tone: Tone
) -> None:
    tone(Path("w/a.wav"))
    embed("w")
    os.utime("w/a.wav", (1, 1))
    assert embed("w").stderr == "oea embed: v: 1 input was done already\n"
    shutil.copytree("w", "copy")
    assert embed("copy").stderr == "oea embed: v: 1 input was done already\n"


def test_other_files_of_the_same_names_are_refused(
    embed: Callable[..., Completed], tone: Tone, tmp_path: Path
) -> None:
    tone(Path("siteA/0500.wav"), 300), tone(Path("siteB/0500.wav"), 2000)
    # Two recorders: the same length, and closed in the same second.
    os.utime("siteA/0500.wav", (1, 1)), os.utime("siteB/0500.wav", (1, 1))
    embed("siteA")
    before = stored()
    done = embed("siteB")
    assert done.returncode == 1
    assert done.stderr == (
        f"oea embed: siteB/0500.wav: has the id '0500.wav', as {tmp_path}/siteA/0500.wav has, "
        "whose vector is in v; --prefix-ids puts the name of its folder before each id, or choose "
        "another -o\n"
    )
    assert embed("siteA").returncode == 0 and stored() == before
    assert embed("siteB", "--prefix-ids").returncode == 0
    assert sorted(stored()) == ["0500.wav", "siteB/0500.wav"]


def test_what_moved_or_is_gone_is_said(embed: Callable[..., Completed], tone: Tone) -> None:
    for name, hz in (("a", 300), ("b", 400), ("c", 500)):
        tone(Path(f"w/{name}.wav"), hz)
    embed("w")
    before = stored()
    Path("w/c.wav").unlink()
    Path("w").rename("x")
    assert embed("x").stderr.splitlines() == [
        "oea embed: v: 2 inputs were done already; 2 have moved: their rows name the old place "
        f"(x/a.wav, x/b.wav); 1 is gone: its row stays ({Path.cwd()}/w/c.wav); --no-resume embeds "
        "what is there anew"
    ]
    assert stored() == before
    Path("x/a.wav").rename("x/d.wav")
    assert embed("x").returncode == 0
    assert sorted(stored()) == ["a.wav", "b.wav", "c.wav", "d.wav"]


def test_what_is_gone_is_said_beside_what_changed(
    embed: Callable[..., Completed], tone: Tone
) -> None:
    for name, hz in (("a", 300), ("b", 400), ("c", 500)):
        tone(Path(f"w/{name}.wav"), hz)
    embed("w")
    tone(Path("w/a.wav"), 900), tone(Path("w/b.wav"), 1000)
    Path("w/c.wav").unlink()
    assert embed("w").stderr.splitlines() == [
        "oea embed: v: 2 inputs had changed and were embedded again (w/a.wav, w/b.wav); 1 is gone: "
        f"its row stays ({Path.cwd()}/w/c.wav); --no-resume embeds what is there anew"
    ]


def test_texts_and_rows_that_changed_under_one_id(
    embed: Callable[..., Completed], tone: Tone, tiny_encoder: Path
) -> None:
    Path("t.txt").write_text("rain\nwind\nsea\n")
    embed("--text", "t.txt")
    Path("t.txt").write_text("rain\nthunder\nsea\n")
    assert embed("--text", "t.txt").stderr == (
        "oea embed: v: 2 inputs were done already; 1 had changed and was embedded again (2)\n"
    )
    assert_same(stored(), alone(tiny_encoder, "--text", "t.txt"))
    shutil.rmtree("v")
    tone(Path("a.wav"), 300, seconds=2.0)
    row = {"id": "a", "path": "a.wav", "captions": ["a tone"]}
    Path("c.jsonl").write_text(json.dumps(row))
    embed("c.jsonl")
    Path("c.jsonl").write_text(json.dumps({**row, "end": 0.5}))
    assert (
        embed("c.jsonl").stderr
        == "oea embed: v: 1 input had changed and was embedded again (a.wav)\n"
    )
    assert_same(stored(), alone(tiny_encoder, "c.jsonl"))


def test_a_run_that_was_killed_ends_although_all_that_is_left_fails(
    embed: Callable[..., Completed], tone: Tone
) -> None:
    tone(Path("w/a.wav"))
    Path("w/b.wav").write_bytes(b"RIFF, damaged")
    assert embed("w").returncode == 3
    Path("v/manifest.json").unlink()
    done = embed("w")
    assert done.returncode == 3
    assert done.stderr.splitlines()[1:] == [
        "oea embed: v: 1 input was done already",
        "oea embed: 1 of 2 inputs failed, 1 done",
    ]
    assert list(stored()) == ["a.wav"]


def test_a_sound_that_changed_and_cannot_be_decoded_keeps_its_row(
    embed: Callable[..., Completed], tone: Tone
) -> None:
    for name, hz in (("a", 300), ("b", 400)):
        tone(Path(f"w/{name}.wav"), hz)
    embed("w")
    before = stored()
    Path("w/b.wav").write_bytes(b"RIFF, damaged")
    for _ in range(2):
        done = embed("w")
        assert done.returncode == 3
        assert done.stderr.splitlines()[1:] == [
            "oea embed: v: 1 input was done already; 1 had changed and failed: its row stays "
            "(w/b.wav)",
            "oea embed: 1 of 2 inputs failed, 1 done",
        ]
        assert stored() == before
    tone(Path("w/b.wav"), 2000)
    assert "1 had changed and was embedded again (w/b.wav)" in embed("w").stderr
    assert stored()["a.wav"] == before["a.wav"] and stored()["b.wav"] != before["b.wav"]


def test_windows_of_a_sound_that_changed_are_all_replaced(
    embed: Callable[..., Completed], tone: Tone, tiny_encoder: Path
) -> None:
    tone(Path("w/a.wav"), 300, seconds=25.0), tone(Path("w/b.wav"), 400)
    embed("w")
    assert len(stored()) == 4
    tone(Path("w/a.wav"), 2000, seconds=12.0)
    embed("w")
    assert_same(stored(), alone(tiny_encoder, "w"))


def write(row_ids: list[str], stop: bool = False, version: int = 0) -> list[str]:
    """Write what is not done, three rows a shard; with `stop`, the process dies before the end."""
    written = []
    writer = open_writer("v/", encoder="m:1", shard_rows=3)
    for id_ in row_ids:
        if not writer.is_done({"id": id_, "version": version}):
            writer.write(batch_of(id_))
            written.append(id_)
    if stop:
        writer.abort()
    else:
        writer.close()
    return written


def test_a_run_that_was_stopped_while_it_replaced_leaves_no_row_twice() -> None:
    ids = [f"c{number}" for number in range(8)]
    assert write(ids) == ids
    assert write(ids[:5], stop=True, version=1) == ids[:5]
    assert write(ids[:5], version=1) == []
    assert sorted(stored()) == ids
    assert write(ids, version=1) == ids[5:]
    assert sorted(stored()) == ids
    assert len(list(Path("v/metadata").iterdir())) == len(list(Path("v/sources").iterdir()))


def test_what_was_being_stored_at_an_interrupt_is_known_to_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(_: Path) -> str:
        raise KeyboardInterrupt

    ids = ["c0", "c1", "c2"]
    writer = open_writer("v/", encoder="m:1", shard_rows=3)
    assert not any(writer.is_done({"id": id_, "version": 0}) for id_ in ids)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("oea_cli.vectors.files.shards.sha256_of", interrupted)
        writer.write(batch_of(*ids))
    writer.abort()
    assert write(ids) == []
    assert write(ids, version=1) == ids


def test_a_folder_of_an_earlier_version_is_taken_as_it_is() -> None:
    ids = [f"c{number}" for number in range(5)]
    write(ids)
    shutil.rmtree("v/sources")
    assert write(ids, version=1) == []
    assert sorted(stored()) == ids


def names_of_vectors() -> list[str]:
    return sorted(path.name for path in Path("v").glob("*_emb/*.npy"))


@pytest.mark.parametrize("number", [1, 3, 8])
def test_shards_are_numbered_from_the_first_where_all_or_some_have_changed(number: int) -> None:
    ids = [f"c{number}" for number in range(8)]
    write(ids[:number])
    write(ids[:number], version=1)
    shards = -(-number // 3)
    expected = [f"audio_emb_{shard:04}.npy" for shard in range(shards)]
    assert names_of_vectors() == expected
    assert sorted(stored()) == ids[:number]
    assert write(ids[:number], version=1) == []  # what is remembered has moved along
    write(ids[: min(3, number)], version=2)
    assert names_of_vectors() == expected
    assert sorted(stored()) == ids[:number]
    assert len(list(Path("v/sources").iterdir())) == shards


KILLED = """
import os, sys
from tests.vectors.test_changed_inputs import write

def die(event, args):
    if event == "os.remove" and str(args[0]).endswith(sys.argv[1]):
        os._exit(9)

sys.addaudithook(die)
write([f"c{number}" for number in range(8)], version=1)
"""


@pytest.mark.parametrize(
    "removing",
    [
        "emb_0003.npy",
        pytest.param("sources_0004.parquet", marks=pytest.mark.slow),
        pytest.param("data_0005.parquet", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_was_killed_while_it_renumbered_loses_nothing(removing: str) -> None:
    ids = [f"c{number}" for number in range(8)]
    write(ids)
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    assert subprocess.run([sys.executable, "-c", KILLED, removing], env=here).returncode == 9
    assert not Path("v/manifest.json").exists()
    write(ids, version=1)
    assert sorted(stored()) == ids
    assert names_of_vectors() == [f"audio_emb_{shard:04}.npy" for shard in range(3)]
    assert len(list(Path("v/sources").iterdir())) == len(list(Path("v/metadata").iterdir())) == 3
