"""Names that mean one file, however a table or a list writes them."""

import json
from pathlib import Path

import polars as pl
import pytest

from oea_cli.clips.names import AmbiguousNameError, ClipNames
from tests.reading import ids, leniently, strictly, touch


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def captions(folder: str) -> dict[str, list[str] | None]:
    """The captions of each sound; None for one that no row describes."""
    records = strictly(folder)
    assert len(set(ids(records))) == len(records)
    assert all(Path(record["path"]).is_file() for record in records)
    return {record["id"]: record.get("captions") for record in records}


@pytest.mark.parametrize(
    "written",
    [
        "data/a.wav",
        "./data/a.wav",
        "data//a.wav",
        "data/./a.wav",
        "other/../data/a.wav",
        r"data\a.wav",
        r".\data\a.wav",
        "{here}/set/data/a.wav",
        "{here}/set/other/../data/a.wav",
    ],
)
def test_a_row_and_its_sound_make_one_record(written: str, tmp_path: Path) -> None:
    touch("set/data/a.wav", "set/data/b.wav", "set/other/c.wav")
    name = written.format(here=tmp_path)
    Path("set/metadata.csv").write_text(f"file_name,caption\n{name},rain on a roof\n")
    assert captions("set") == {
        "data/a.wav": ["rain on a roof"],
        "data/b.wav": None,
        "other/c.wav": None,
    }


def test_metadata_of_folders_further_down() -> None:
    touch("deep/train/rain/a.wav", "deep/train/sea/b.wav", "deep/test/c.wav")
    Path("deep/train/rain/metadata.csv").write_text("file_name,caption\na.wav,rain on a roof\n")
    row = {"file_name": "../sea/b.wav", "caption": "waves"}
    Path("deep/train/rain/metadata.jsonl").write_text(json.dumps(row) + "\n")
    pl.DataFrame({"audio_file_name": ["c.wav"], "caption": ["a test"]}).write_parquet(
        "deep/test/metadata.parquet"
    )
    assert captions("deep") == {
        "train/rain/a.wav": ["rain on a roof"],
        "train/sea/b.wav": ["waves"],
        "test/c.wav": ["a test"],
    }


def test_the_nearest_metadata_counts_and_each_sound_comes_once() -> None:
    touch("set/train/a.wav", "set/train/b.wav")
    Path("set/metadata.csv").write_text("file_name,caption\ntrain/a.wav,far\ntrain/b.wav,far\n")
    Path("set/train/metadata.csv").write_text("file_name,caption\na.wav,near\n")
    assert captions("set") == {"train/a.wav": ["near"], "train/b.wav": ["far"]}


def test_a_composed_and_a_decomposed_name_are_one_file() -> None:
    touch("set/cafe\u0301.wav")
    Path("set/metadata.csv").write_text("file_name,caption\ncaf\u00e9.wav,a bar\n", "utf-8")
    assert len(strictly("set")) == 1


def test_a_row_without_a_name_is_named() -> None:
    touch("set/a.wav")
    Path("set/metadata.csv").write_text("file_name,caption\n,rain\na.wav,drops\n")
    records, said = leniently("set")
    assert ids(records) == ["a.wav"]
    assert said == ["set/metadata.csv:2: no 'file_name'; the row names no sound"]


def test_a_file_that_has_a_backslash_in_its_name_is_that_file() -> None:
    touch(r"set/a\b.wav", "set/a/b.wav")
    Path("set/metadata.csv").write_text("file_name,caption\na\\b.wav,odd\n")
    assert captions("set") == {r"a\b.wav": ["odd"], "a/b.wav": None}


@pytest.mark.parametrize(
    "written", ["./wavs/a.wav", "wavs//a.wav", "x/../wavs/a.wav", r"wavs\a.wav"]
)
def test_tables_name_files_in_any_way(written: str) -> None:
    touch("wavs/a.wav")
    Path("x").mkdir()
    Path("clips.csv").write_text(f"path,caption\n{written},rain\n")
    (record,) = strictly("clips.csv")
    assert record["id"] == "wavs/a.wav"
    assert Path(record["path"]).samefile("wavs/a.wav")


@pytest.mark.parametrize(
    "written",
    [
        "./rain/a.wav",
        r"rain\a.wav",
        "rain//a",
        "sea/../rain/A.WAV",
        "/data/set/rain/a.wav",
        r"C:\data\set\rain\a.wav",
    ],
)
def test_lists_of_clips_name_them_in_any_way(written: str) -> None:
    names = ClipNames(["rain/a.wav", "sea/a.wav"])
    assert names.find(written) == "rain/a.wav"
    assert names.find(written.replace("rain", "storm").replace("sea", "storm")) is None


def test_ids_that_are_odd_paths_are_found_by_plain_ones() -> None:
    assert ClipNames(["./rain/a.wav", "b.wav"]).find("rain/a.wav") == "./rain/a.wav"
    with pytest.raises(AmbiguousNameError):
        ClipNames(["./a.wav", "x/../a.wav"]).find("a.wav")
