"""A folder of shards: an interrupted run goes on where it stopped, and is never taken for whole."""

import hashlib
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oea_cli.errors import OeaError
from oea_cli.records.rows import Record
from oea_cli.vectors.arrays import Vectors
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from tests.conftest import REPOSITORY, clean_environment


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs inside its own empty folder."""
    monkeypatch.chdir(tmp_path)


def vector_of(row_id: str) -> Vectors:
    """(1, 8) unit vector that depends on the id alone, as an encoder's would."""
    seed = int.from_bytes(hashlib.sha256(row_id.encode()).digest()[:4])
    vector = np.random.default_rng(seed).standard_normal((1, 8))
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def batch_of(*row_ids: str) -> Batch:
    records: list[Record] = [{"id": row_id} for row_id in row_ids]
    return Batch(records, np.concatenate([vector_of(row_id) for row_id in row_ids]))


def embed(row_ids: list[str], stop_before: str | None = None, **options: Any) -> list[str]:
    """Write the rows of the clips that are not done, three by three; returns what was written."""
    options = {"encoder": "m:1", "shard_rows": 4, **options}
    written: list[str] = []
    with open_writer("out/", **options) as writer:
        todo = [row for row in row_ids if not writer.is_done({"id": row.partition("#")[0]})]
        for start in range(0, len(todo), 3):
            part = todo[start : start + 3]
            if stop_before in part:
                raise KeyboardInterrupt
            writer.write(batch_of(*part))
            written += part
    return written


def stored() -> dict[str, Vectors]:
    found: dict[str, Vectors] = {}
    for batch in read_embeddings("out"):
        for record, vector in zip(batch.records, batch.vectors, strict=True):
            assert record["id"] not in found, "stored twice"
            found[record["id"]] = vector
    return found


def assert_all_there(row_ids: list[str]) -> None:
    found = stored()
    assert sorted(found) == sorted(row_ids)
    assert all((found[row_id] == vector_of(row_id)[0]).all() for row_id in row_ids)


IDS = [f"c{number:02}" for number in range(20)]


def test_an_interrupted_run_goes_on_with_what_is_missing() -> None:
    with pytest.raises(KeyboardInterrupt):
        embed(IDS, stop_before="c12")
    with pytest.raises(OeaError, match=r"^out: no manifest\.json; `oea embed` did not finish"):
        read_embeddings("out")
    assert embed(IDS) == IDS[12:]
    assert_all_there(IDS)
    assert list(stored()) == IDS


def test_a_finished_folder_takes_new_clips_only() -> None:
    embed(IDS[:5])
    assert embed(IDS) == IDS[5:]
    assert embed(IDS) == []
    assert_all_there(IDS)


@pytest.mark.parametrize(
    ("blocked", "absent"),
    [
        # A metadata file says that its shard is whole: it must not come before the vectors.
        ("audio_emb/audio_emb_0001.npy", "metadata/metadata_0001.parquet"),
        ("metadata/metadata_0001.parquet", "manifest.json"),
        ("audio_emb/audio_emb_0001.npy", "manifest.json"),
    ],
)
def test_what_says_that_something_is_whole_comes_last(blocked: str, absent: str) -> None:
    with pytest.raises(OeaError), open_writer("out/", encoder="m:1", shard_rows=4) as writer:
        writer.write(batch_of(*IDS[:5]))
        assert Path("out/metadata/metadata_0000.parquet").is_file()
        Path("out", blocked).mkdir()  # so that the last shard cannot be written
    assert not Path("out", absent).exists()


def test_windows_of_one_clip_stay_together() -> None:
    windows = [f"long#t={10 * n},{10 * n + 10}" for n in range(9)]
    rows = ["a", "b", *windows, "c"]
    with pytest.raises(KeyboardInterrupt):
        embed(rows, stop_before=windows[7])
    # The long clip was not finished, so none of its windows may count as done.
    assert embed(rows) == [*windows, "c"]
    assert_all_there(rows)
    manifest = orjson.loads(Path("out/manifest.json").read_bytes())
    assert [shard["count"] for shard in manifest["shards"]] == [2, 9, 1]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=25,
)
@given(
    windows=st.lists(st.integers(1, 7), min_size=1, max_size=12),
    stops=st.lists(st.integers(0, 11), max_size=3),
    shard_rows=st.integers(1, 9),
)
def test_any_interruptions(windows: list[int], stops: list[int], shard_rows: int) -> None:
    rows: list[str] = []
    for clip, number in enumerate(windows):
        rows += [f"c{clip}"] if number == 1 else [f"c{clip}#t={n},{n + 1}" for n in range(number)]
    resume = False
    for stop in stops:
        stop_before = rows[stop % len(rows)]
        with suppress(KeyboardInterrupt):
            embed(rows, stop_before=stop_before, shard_rows=shard_rows, resume=resume)
        resume = True
    embed(rows, shard_rows=shard_rows, resume=resume)
    assert_all_there(rows)


def test_another_encoder_is_refused_by_name() -> None:
    embed(IDS[:5], encoder="m:1")
    with pytest.raises(OeaError, match=r"^out: holds vectors of m:1, not of m:2; choose another"):
        open_writer("out", encoder="m:2")
    with pytest.raises(KeyboardInterrupt):
        embed(IDS, stop_before="c12", resume=False)
    with pytest.raises(OeaError, match="holds vectors of m:1, not of None"):
        open_writer("out", encoder=None)


@pytest.mark.parametrize("options", [{"kind": "text"}, {"storage": "f16"}])
def test_another_kind_of_shard_is_refused(options: dict[str, Any]) -> None:
    embed(IDS[:5])
    with pytest.raises(OeaError, match=r"^out: holds"):
        open_writer("out", encoder="m:1", **options)


def test_another_dimension_is_refused() -> None:
    embed(IDS[:5])
    with (
        pytest.raises(OeaError, match=r"^out: holds vectors of 8 dimensions"),
        open_writer("out", encoder="m:1") as writer,
    ):
        writer.write(Batch([{"id": "x"}], np.ones((1, 9), dtype=np.float32) / 3))
    assert_all_there(IDS[:5])


def test_starting_anew_removes_what_was_there() -> None:
    embed(IDS)
    embed(IDS[:3], encoder="m:2", kind="text", resume=False)
    assert_all_there(IDS[:3])
    assert [path.name for path in sorted(Path("out").rglob("*.npy"))] == ["text_emb_0000.npy"]


def test_a_folder_of_other_parquet_files_is_left_alone() -> None:
    import polars as pl

    Path("out/metadata").mkdir(parents=True)
    pl.DataFrame({"id": ["a"]}).write_parquet("out/metadata/metadata_0000.parquet")
    with pytest.raises(OeaError, match="not written by oea; choose another folder"):
        open_writer("out/", encoder="m:1")
    assert len(list(Path("out").rglob("*.parquet"))) == 1


def test_the_manifest_counts_and_sums_up() -> None:
    embed(IDS, metadata={"input": "wavs"})
    manifest = orjson.loads(Path("out/manifest.json").read_bytes())
    assert (manifest["encoder"], manifest["dim"], manifest["count"]) == ("m:1", 8, 20)
    assert manifest["metadata"] == {"input": "wavs"}
    assert len(manifest["shards"]) == 5
    for shard in manifest["shards"]:
        for part in ("vectors", "records"):
            content = Path("out", shard[part]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == shard["sha256"][part]


@pytest.mark.skipif(not (which("jq") and which("sha256sum")), reason="needs jq and sha256sum")
def test_the_guides_command_checks_every_file() -> None:
    embed(IDS)
    guide = (REPOSITORY / "docs" / "scale.md").read_text()
    _, _, command = guide.partition("$ cd vectors && ")
    command = command.partition("sha256sum -c")[0] + "sha256sum -c"
    check = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(check, cwd="out", capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.count(": OK\n") == 10, done.stderr
    spoilt = Path("out/audio_emb/audio_emb_0002.npy")
    content = bytearray(spoilt.read_bytes())
    content[-1] ^= 1
    spoilt.write_bytes(content)
    done = subprocess.run(check, cwd="out", capture_output=True, text=True)
    assert done.returncode != 0 and "audio_emb/audio_emb_0002.npy: FAILED" in done.stdout


@pytest.mark.parametrize("part", ["vectors", "records"])
@pytest.mark.parametrize("spoil", ["remove", "cut", "swap"])
def test_a_spoilt_shard_is_named(part: str, spoil: str) -> None:
    embed(IDS[:6])
    shards = orjson.loads(Path("out/manifest.json").read_bytes())["shards"]
    path = Path("out", shards[0][part])
    if spoil == "remove":
        path.unlink()
    elif spoil == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        path.write_bytes(Path("out", shards[1][part]).read_bytes())
    with pytest.raises(OeaError, match=r"_0000\.(npy|parquet): "):
        stored()


def test_a_shard_that_lost_its_vectors_is_made_again() -> None:
    embed(IDS)
    Path("out/audio_emb/audio_emb_0001.npy").unlink()
    assert embed(IDS) == IDS[4:8]
    assert_all_there(IDS)


def test_a_manifest_of_something_else() -> None:
    Path("out").mkdir()
    with pytest.raises(OeaError, match=r"^out: no manifest\.json; not a folder of vectors"):
        read_embeddings("out")
    Path("out/manifest.json").write_text('{"a": 1}')
    with pytest.raises(OeaError, match="not written by oea"):
        read_embeddings("out")


def test_an_index_is_neither_read_nor_written_as_vectors() -> None:
    Path("out").mkdir()
    Path("out/index.json").write_text("{}")
    with pytest.raises(OeaError, match=r"^out/?: is an index; write vectors elsewhere"):
        open_writer("out/", encoder="m:1")
    with pytest.raises(OeaError, match=r"^out: no manifest\.json; it is an index"):
        read_embeddings("out")


def test_a_file_where_the_folder_should_be() -> None:
    Path("out").touch()
    with pytest.raises(OeaError, match=r"^out/?: is a file, not a folder"):
        open_writer("out/", encoder="m:1")


ENDLESS = """
import sys
from tests.vectors.test_embedding_shards import batch_of
from oea_cli.vectors.files.formats import open_writer
with open_writer("out/", encoder="m:1", shard_rows=4) as writer:
    for number in range(100_000):
        if not writer.is_done({"id": f"c{number:02}"}):
            writer.write(batch_of(f"c{number:02}"))
        print(number, flush=True)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_from_outside(end: signal.Signals) -> None:
    """A killed process can clean nothing up; an interrupted one keeps even its last clips."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**clean_environment(), "POLARS_MAX_THREADS": "1"},
    )
    assert process.stdout is not None
    with process.stdout as lines:
        while int(lines.readline()) < 13:
            pass
        os.kill(process.pid, end)
        process.wait()
    with pytest.raises(OeaError, match="did not finish"):
        read_embeddings("out")
    with open_writer("out/", encoder="m:1") as writer:
        done = [row for row in IDS if writer.is_done({"id": row})]
    assert len(done) >= (14 if end == signal.SIGINT else 12)
    found = stored()
    assert set(done) <= set(found)
    assert all((found[row] == vector_of(row)[0]).all() for row in found)
