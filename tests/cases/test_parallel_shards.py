"""Jobs of `--shard` in one output folder: each writes a part of its own, and none is lost."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from oea_cli.errors import OeaError
from oea_cli.records.selection import is_in_shard
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from oea_cli.vectors.files.parts import Part
from oea_cli.vectors.files.writer import EmbeddingWriter
from tests.commands.in_process import run
from tests.vectors.test_embedding_shards import batch_of, vector_of

IDS = [f"c{number}" for number in range(8)]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def job(number: int, of: int, **options: Any) -> EmbeddingWriter:
    options = {"encoder": "m:1", "shard_rows": 2, "part": Part(number, of), **options}
    return open_writer("out/", **options)


def own(number: int, of: int, ids: list[str] = IDS) -> list[str]:
    return [id_ for id_ in ids if is_in_shard(id_, (number, of))]


def whole(number: int, of: int, ids: list[str] = IDS, **options: Any) -> None:
    with job(number, of, **options) as writer:
        for id_ in own(number, of, ids):
            if not writer.is_done({"id": id_}):
                writer.write(batch_of(id_))


def stored() -> dict[str, Any]:
    rows = [
        (record["id"], vector)
        for batch in read_embeddings("out")
        for record, vector in zip(batch.records, batch.vectors, strict=True)
    ]
    assert len(rows) == len(dict(rows)), "stored twice"
    return dict(rows)


def assert_all_there(ids: list[str] = IDS) -> None:
    found = stored()
    assert sorted(found) == sorted(ids)
    assert all((found[id_] == vector_of(id_)[0]).all() for id_ in ids)
    assert orjson.loads(Path("out/manifest.json").read_bytes())["count"] == len(ids)
    assert not list(Path("out").rglob(".*")), "something is left behind"


@pytest.mark.parametrize("of", [2, 3, 5])
def test_jobs_at_once_write_one_folder(of: int) -> None:
    with ExitStack() as jobs:
        writers = [jobs.enter_context(job(number, of)) for number in range(1, of + 1)]
        for id_ in IDS:  # in turns, as jobs at the same time do
            (writer,) = [w for n, w in enumerate(writers, 1) if is_in_shard(id_, (n, of))]
            writer.write(batch_of(id_))
    assert_all_there()
    numbers = [int(path.stem[-4:]) for path in Path("out/audio_emb").iterdir()]
    assert len(numbers) == len(set(numbers))


def test_the_programs_own_example(tiny_encoder: Path, tone: Callable[..., Path]) -> None:
    rows = [{"id": str(n), "path": str(tone(Path(f"{n}.wav"), 300 + 50 * n))} for n in range(6)]
    Path("clips.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    for part in ("1/2", "2/2"):
        if part == "2/2":
            early = run(["index", "v/", "-o", "x.oea"])
            assert early.returncode == 1
            assert "part 2 of 2 is missing; run `oea embed` with --shard 2/2 -o v/" in early.stderr
        done = run(["embed", "clips.jsonl", "-m", tiny_encoder, "-o", "v/", "--shard", part])
        assert done.returncode == 0, done.stderr
    assert run(["index", "v/", "-o", "x.oea"]).returncode == 0
    listed = run(["index", "--info", "x.oea", "-f", "json"])
    assert orjson.loads(listed.stdout)["count"] == 6


def test_a_second_job_of_the_same_part_is_refused() -> None:
    with job(1, 2):
        with pytest.raises(OeaError, match=r"^out: another job is writing part 1 of 2 of these"):
            job(1, 2)
        done = run(["embed", "--text", "a", "-o", "out/", "--shard", "1/2", "-m", "nothing-there"])
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "another job is writing part 1 of 2" in done.stderr  # before a model is looked for
        whole(2, 2)
    with job(1, 1, resume=False), pytest.raises(OeaError, match="another job is writing these"):
        job(1, 1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"encoder": "m:2"}, "vectors of m:1, not of m:2"),
        ({"storage": "f16"}, "f32 vectors, not f16"),
        ({"kind": "text"}, "audio vectors, not text"),
        ({"part": Part(1, 3)}, "one of 2 parts, not one of 3 parts"),
        ({"part": Part()}, "one of 2 parts, not vectors in one part"),
    ],
)
def test_jobs_of_other_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    with job(1, 2):
        for more in ({}, {"resume": False}):
            with pytest.raises(OeaError, match=f"^out: another job is writing {said}"):
                job(2, 2, **settings, **more)
    whole(1, 2)
    with pytest.raises(OeaError, match=rf"^out: holds {said}; .*--no-resume"):
        job(2, 2, **settings)


def test_parts_that_are_not_there_are_named() -> None:
    whole(2, 5)
    with pytest.raises(OeaError, match=r"parts 1, 3, 4, 5 of 5 are missing; .*--shard 1/5 -o out/"):
        read_embeddings("out")
    with pytest.raises(KeyboardInterrupt), job(1, 5) as writer:
        writer.write(batch_of("c0", "c1", "c2"))
        raise KeyboardInterrupt
    with pytest.raises(OeaError, match=r"parts 1, 3, 4, 5 of 5"):
        read_embeddings("out")


def test_a_part_goes_on_where_it_stopped() -> None:
    whole(2, 2)
    first, *rest = own(1, 2)
    with pytest.raises(KeyboardInterrupt), job(1, 2) as writer:
        writer.write(batch_of(first))
        raise KeyboardInterrupt
    with job(1, 2) as writer:
        assert writer.is_done({"id": first}) and not writer.is_done({"id": rest[0]})
        writer.write(batch_of(*rest))
    assert_all_there()
    more = [*IDS, "d1", "d2", "d3"]
    whole(1, 2, more)
    whole(2, 2, more)
    assert_all_there(more)


def test_starting_anew_keeps_the_other_parts() -> None:
    whole(1, 2)
    whole(2, 2)
    with job(1, 2, resume=False) as writer:
        assert not writer.is_done({"id": own(1, 2)[0]})
        with pytest.raises(OeaError, match="part 1 of 2 is missing"):
            read_embeddings("out")
        writer.write(batch_of(*own(1, 2)))
    assert_all_there()
    whole(1, 2, encoder="m:2", resume=False)  # what does not fit to it goes
    with pytest.raises(OeaError, match="part 2 of 2 is missing"):
        read_embeddings("out")
    whole(2, 2, encoder="m:2")
    assert_all_there()


def test_a_part_without_clips_counts(tiny_encoder: Path) -> None:
    for number in range(1, 6):
        done = run(
            ["embed", "--text", "a", "b", "-o", "v/", "--shard", f"{number}/5", "-m", tiny_encoder]
        )
        assert done.returncode == 0, done.stderr
    assert sum(len(batch) for batch in read_embeddings("v")) == 2


def test_the_lock_of_a_killed_job_holds_nobody_up() -> None:
    with job(1, 2):
        content = Path("out/.part-1-of-2.lock").read_bytes()
    Path("out/.part-2-of-2.lock").write_bytes(content.replace(b"m:1", b"m:9"))
    whole(1, 2)
    whole(2, 2)
    assert_all_there()


@contextmanager
def without_locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As a file system is that is mounted without locks."""

    def refuse(*_: object) -> None:
        raise OSError(37, os.strerror(37))

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse)
        yield


def test_a_file_system_without_locks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with without_locks(monkeypatch):
        whole(1, 2, notice=said.append)
        whole(2, 2, notice=said.append)
    assert len(said) == 2 and "out: this file system has no locks; make sure" in said[0]
    assert_all_there()


def test_a_folder_of_an_earlier_version_goes_on() -> None:
    with open_writer("out/", encoder="m:1", shard_rows=3) as writer:
        writer.write(Batch(batch_of(*IDS[:4]).records, batch_of(*IDS[:4]).vectors))
    manifest = orjson.loads(Path("out/manifest.json").read_bytes())
    assert "part" not in manifest and "parts" not in manifest
    assert [shard["vectors"][-8:] for shard in manifest["shards"]] == ["0000.npy", "0001.npy"]
    whole(1, 1)
    assert_all_there()
