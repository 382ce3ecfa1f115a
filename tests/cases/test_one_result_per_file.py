"""Long files lie as windows and are treated as files: found, filtered, shown, compared, deleted."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from oea_cli.commands.console.moments import clock
from oea_cli.search.index_search import search_index
from oea_cli.vectors.arrays import mean_direction
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index, delete_records
from oea_cli.vectors.index.index import VectorIndex
from tests.commands.in_process import run
from tests.vectors.batches import unit

DIM = 16


def windows(name: str, count: int, seconds: int = 10) -> list[dict[str, object]]:
    """The records of a file's windows; of a short file its own."""
    if count == 1:
        return [{"id": name, "path": name, "duration": seconds}]
    return [
        {"id": f"{name}#t={n * seconds},{(n + 1) * seconds}", "path": name,
         "start": n * seconds, "end": (n + 1) * seconds, "duration": count * seconds}
        for n in range(count)
    ]  # fmt: skip


def built(folder: Path, records: list[dict[str, object]], **options: str) -> VectorIndex:
    batch = Batch(records, unit(len(records), DIM))
    build_index(folder / "x.oea", [batch], dim=DIM, encoder=None, **options)
    return VectorIndex.open(folder / "x.oea")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VectorIndex:
    """Files of 30, 1, 400 and 2 windows."""
    monkeypatch.chdir(tmp_path)
    counts = {"rec.wav": 30, "a.wav": 1, "long.wav": 400, "b.wav": 2}
    return built(tmp_path, [one for name, count in counts.items() for one in windows(name, count)])


# --- a condition on duration means the file's


@pytest.mark.parametrize("seconds", [1.5, 25.0, 61.2])
def test_duration_is_that_of_the_file(tiny_encoder: Path, tmp_path: Path, seconds: float) -> None:
    for name, length in (("x.wav", seconds), ("other.wav", 5)):
        soundfile.write(tmp_path / name, 0.1 * np.ones(round(length * 8000)), 8000)
    embed = ["embed", "x.wav", "other.wav", "-m", tiny_encoder, "-o", "v.jsonl"]
    assert run(embed, cwd=tmp_path).returncode == 0
    assert run(["index", "v.jsonl", "-o", "x.oea"], cwd=tmp_path).returncode == 0
    search = ["search", "--like", "other.wav", "-i", "x.oea", "--no-windows", "--where"]
    for condition, found in ((f"duration = {seconds}", 1), (f"duration < {seconds}", 0)):
        done = run([*search, condition], cwd=tmp_path)
        hits = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(hit["id"], hit["duration"]) for hit in hits] == [("x.wav", seconds)] * found


# --- k counts files, whatever finds them


def test_one_file_fills_no_more_than_one_place(index: VectorIndex) -> None:
    """The query is like all 400 windows of one file: three more files are found all the same."""
    rows = index.by_id.find_clips(["long.wav"])
    near = mean_direction(index.vectors(rows))[None]
    (hits,) = search_index(str(index.folder), near, k=4, windows=False)
    assert sorted(hit["id"] for hit in hits) == ["a.wav", "b.wav", "long.wav", "rec.wav"]
    assert [hit["rank"] for hit in hits] == [1, 2, 3, 4]


def test_a_graph_finds_files_as_a_scan_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oea_cli.vectors.index.index.SCAN_ROWS", 100)
    monkeypatch.setattr("oea_cli.vectors.index.segment_writer.SCAN_ROWS", 100)
    centres = unit(60, DIM, seed=1)
    records, vectors = [], []
    for number, centre in enumerate(centres):
        count = 1500 if number == 7 else 1 + number % 9
        records += windows(f"{number}.wav", count)
        near = centre + 0.1 * unit(count, DIM, seed=number)
        vectors.append(near / np.linalg.norm(near, axis=1, keepdims=True))
    batch = Batch(records, np.concatenate(vectors).astype(np.float32))
    for kind in ("hnsw", "exact"):
        build_index(tmp_path / kind, [batch], dim=DIM, encoder=None, kind=kind)
    # Some questions near the file of 1500 windows, which pushes out all others at first.
    asked = unit(20, DIM, seed=9) + 2 * centres[[7] * 10 + [3] * 10]
    asked = (asked / np.linalg.norm(asked, axis=1, keepdims=True)).astype(np.float32)
    graph, scan = (
        search_index(tmp_path / kind, asked, k=10, windows=False) for kind in ("hnsw", "exact")
    )
    assert all(len({hit["id"] for hit in hits}) == 10 for hits in [*graph, *scan])
    shared = [len({hit["id"] for hit in one} & {hit["id"] for hit in two})
              for one, two in zip(graph, scan, strict=True)]  # fmt: skip
    assert np.mean(shared) > 9  # of ten: a graph may miss a row


def test_windows_that_only_their_ids_tell(tmp_path: Path) -> None:
    """Other people's rows: without `start`, mixed with whole files, in no order."""
    names = [f"{n % 5}.wav#t={n},{n + 1}" for n in range(40)] + ["5.wav", "6.wav#t=1.wav"]
    index = built(tmp_path, [{"id": name} for name in names])
    (hits,) = search_index(str(index.folder), unit(1, DIM, seed=3), k=10, windows=False)
    assert sorted(hit["id"] for hit in hits) == [*(f"{n}.wav" for n in range(6)), "6.wav#t=1.wav"]


# --- the best moment


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (9.5, "0:09.5"), (260, "4:20"), (59.9996, "1:00"), (3860.25, "1:04:20.25")],
)
def test_the_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_the_table_shows_the_moment(index: VectorIndex) -> None:
    np.save("q.npy", index.vectors(index.by_id.find_clips(["long.wav#t=260,270"])))
    search = ["search", "--queries", "q.npy", "-i", "x.oea", "-f", "table", "-k", "2"]
    folded, all_windows = (
        run([*search, *more]).stdout.splitlines() for more in ([], ["--windows"])
    )
    assert folded[2].split()[-2:] == ["long.wav", "4:20"] and "long.wav" not in folded[3]
    assert all_windows[2].split()[-2:] == ["long.wav", "4:20–4:30"]


# --- a file's id stands for its windows


def test_deleted_by_file(index: VectorIndex) -> None:
    done = run(["index", "--delete", "long.wav", "--delete", "a.wav", "-o", "x.oea"])
    assert (done.returncode, done.stderr) == (
        0, "oea index: x.oea: 32 vectors (401 deleted)\n",
    )  # fmt: skip
    left = VectorIndex.open(Path("x.oea"))
    assert {id_.partition("#")[0] for id_ in left.row_of} == {"rec.wav", "b.wav"}
    gone = run(["index", "--delete", "long.wav", "-o", "x.oea"])
    assert gone.returncode == 1 and "no record with id 'long.wav'" in gone.stderr


def test_a_window_is_deleted_alone(index: VectorIndex) -> None:
    assert delete_records(index.folder, ["rec.wav#t=10,20"]).deleted == 1


@pytest.mark.parametrize("asked", ["é.wav", "é.wav"], ids=["NFC", "NFD"])
@pytest.mark.parametrize("more", [0, 30])
def test_what_belongs_to_a_file(tmp_path: Path, asked: str, more: int) -> None:
    """Its row, windows, sections and their windows; not files whose names begin alike."""
    own = ["é.wav", "é.wav#t=0,10", "é.wav#t=30", "é.wav#t=5,50#t=5,15"]
    others = ["é.wav#t=1.wav", "é.wav#2", "é.wav2#t=0,10", "e.wav#t=0,10"]
    fill = [f"{n}.wav" for n in range(more)]  # many ids are looked up in another way
    index = built(tmp_path, [{"id": name} for name in [*others, *own, *fill]])
    change = delete_records(index.folder, [asked, *fill])
    assert change.deleted == len(own) + more
    assert list(VectorIndex.open(index.folder).row_of) == others


def test_like_a_long_file(index: VectorIndex) -> None:
    """What is asked is the mean of its windows; the file itself is no hit."""
    for form, own in (("trec", "rec.wav"), ("jsonl", "rec.wav#")):
        done = run(["search", "--like", "rec.wav", "-i", "x.oea", "-k", "500", "-f", form])
        assert done.returncode == 0 and f" {own}" not in done.stdout
    hits = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(hits) == len(index) - 30
    mean = mean_direction(index.vectors(index.by_id.find_clips(["rec.wav"])))
    best = int(np.argmax(index.vectors(np.arange(len(index)))[30:] @ mean)) + 30
    assert hits[0]["id"] == index.record_files.ids()[best]
