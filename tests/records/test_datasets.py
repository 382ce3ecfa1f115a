"""Published caption files: small ones written out as published, and the real ones where present."""

from pathlib import Path

import orjson
import pytest

from oea_cli.errors import OeaError
from tests.reading import ids, piped, strictly, touch


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs inside its own empty folder."""
    monkeypatch.chdir(tmp_path)


CLOTHO = (
    "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\nrain &amp; sea.wav,a,b,c,d,e\n"
)
AUDIOCAPS = (
    "audiocap_id,youtube_id,start_time,caption\n"
    "1,-vfY_TJq7,130,Ducks quack\n"
    "2,tw76HGON,0,A man speaks\n"
    "3,-vfY_TJq7,130,Birds chirp\n"
)
WAVCAPS = {
    "num_captions_per_audio": 1,
    "data": [
        {"id": "2219", "caption": "A plane", "duration": 14.1, "audio": "wav_path", "title": "P"}
    ],
}
MECAT = {
    "short": ["Rain", "None"],
    "long": ["Rain on a roof."],
    "speech": ["None", "No speech"],
    "domain": "000",
}


class TestClotho:
    def test_captions_and_where_the_sounds_lie(self) -> None:
        touch("clotho_audio_files/validation/rain &amp; sea.wav")
        Path("clotho_csv_files").mkdir()
        table = Path("clotho_csv_files/clotho_captions_validation.csv")
        table.write_text(CLOTHO)
        assert strictly(str(table)) == [
            {
                "id": "rain &amp; sea.wav",
                "path": "clotho_audio_files/validation/rain &amp; sea.wav",
                "captions": ["a", "b", "c", "d", "e"],
            }
        ]

    @pytest.mark.parametrize("name", ["rain & sea.wav", "evaluation/rain & sea.wav"])
    def test_a_sound_whose_name_was_written_out(self, name: str) -> None:
        touch(name)
        Path("clotho_captions_evaluation.csv").write_text(CLOTHO)
        assert strictly("clotho_captions_evaluation.csv")[0]["path"] == name

    def test_without_sounds_the_captions_are_there_and_the_path_is_a_guess(self) -> None:
        Path("d").mkdir()
        Path("d/clotho_captions_development.csv").write_text(CLOTHO)
        record = strictly("d/clotho_captions_development.csv")[0]
        assert record["path"] == "d/rain &amp; sea.wav"
        assert len(record["captions"]) == 5
        texts = strictly("d/clotho_captions_development.csv", text=True)
        assert ids(texts) == [f"rain &amp; sea.wav#{n}" for n in range(1, 6)]
        assert texts[0]["clip"] == "rain &amp; sea.wav"

    def test_the_metadata_file_is_latin1(self) -> None:
        header = "file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license\n"
        row = 'caf\xe9.wav,a;b,12,http://x,"[0, 9]",Jos\xe9,CC0\n'
        Path("clotho_metadata_development.csv").write_bytes((header + row).encode("iso-8859-1"))
        record = strictly("clotho_metadata_development.csv")[0]
        assert record["id"] == "café.wav"
        assert record["manufacturer"] == "José"
        assert record["keywords"] == "a;b"

    def test_the_semicolon_variant(self) -> None:
        header = "file_name;keywords;sound_id;sound_link;start_end_samples;manufacturer;license\n"
        Path("m.csv").write_bytes(
            (header + "a.wav;x,y;12;l;[0, 9];Jos\xe9;CC0\n").encode("latin-1")
        )
        assert strictly("m.csv")[0]["keywords"] == "x,y"


class TestAudioCaps:
    def test_captions_are_gathered_per_clip(self) -> None:
        Path("val.csv").write_text(AUDIOCAPS)
        first, second = strictly("val.csv")
        assert first == {
            "id": "-vfY_TJq7_130",
            "path": "-vfY_TJq7_130.wav",
            "captions": ["Ducks quack", "Birds chirp"],
            "audiocap_ids": ["1", "3"],
            "youtube_id": "-vfY_TJq7",
            "start_time": "130",
        }
        assert second["id"] == "tw76HGON_0"

    def test_from_a_pipe(self) -> None:
        records, said = piped(AUDIOCAPS)
        assert ids(records) == ["-vfY_TJq7_130", "tw76HGON_0"]
        assert not said

    @pytest.mark.parametrize(
        "name",
        [
            "-vfY_TJq7_130.flac",
            "audio_32000Hz/val/-vfY_TJq7_130.flac",
            "waveforms/val/Y-vfY_TJq7.wav",
            "val/-vfY_TJq7.mp3",
            "../audio/Y-vfY_TJq7_130.wav",
        ],
    )
    def test_names_that_the_sounds_go_by(self, name: str) -> None:
        Path("csv").mkdir()
        Path("csv/val.csv").write_text(AUDIOCAPS)
        touch(f"csv/{name}")
        found = strictly("csv/val.csv")[0]["path"]
        assert Path(found).samefile(f"csv/{name}")

    def test_with_text_every_caption_is_one(self) -> None:
        Path("val.csv").write_text(AUDIOCAPS)
        texts = strictly("val.csv", text=True)
        assert ids(texts) == ["-vfY_TJq7_130#1", "-vfY_TJq7_130#2", "tw76HGON_0#1"]
        assert [record["text"] for record in texts][:2] == ["Ducks quack", "Birds chirp"]
        assert "path" not in texts[0]


class TestWavCaps:
    def test_the_released_form(self) -> None:
        Path("sb_final.json").write_bytes(orjson.dumps(WAVCAPS))
        touch("flac/2219.flac")
        assert strictly("sb_final.json") == [
            {
                "id": "2219",
                "path": "flac/2219.flac",
                "captions": ["A plane"],
                "duration": 14.1,
                "title": "P",
            }
        ]

    def test_the_retrieval_form_with_paths_of_another_disk(self) -> None:
        row = {"id": "Y1.wav", "audio": "/mnt/x/Y1.wav", "duration": 9.9, "caption_1": "a"}
        Path("val.json").write_bytes(orjson.dumps({"data": [row]}))
        touch("val/Y1.wav")
        assert strictly("val.json") == [
            {"id": "Y1.wav", "path": "val/Y1.wav", "captions": ["a"], "duration": 9.9}
        ]

    def test_a_blacklist_is_no_set_of_records(self) -> None:
        Path("blacklist.json").write_bytes(orjson.dumps({"AudioSet": ["Yx.wav"]}))
        with pytest.raises(OeaError, match=r"^blacklist\.json: contains no list of records"):
            strictly("blacklist.json")


class TestMecat:
    def test_one_object_per_clip_without_filler(self) -> None:
        Path("000.jsonl").write_bytes(orjson.dumps({"ED_0_10": MECAT}) + b"\n")
        touch("000/ED_0_10.flac")
        assert strictly("000.jsonl") == [
            {
                "id": "ED_0_10",
                "path": "000/ED_0_10.flac",
                "captions": ["Rain"],
                "long": ["Rain on a roof."],
                "speech": ["No speech"],
                "domain": "000",
            }
        ]


class TestAsPublished:
    """The real files: as many clips and captions as their papers count."""

    @pytest.mark.parametrize(
        ("name", "clips", "captions"),
        [
            ("clotho/clotho_captions_development.csv", 3839, 19195),
            ("clotho/clotho_captions_validation.csv", 1045, 5225),
            ("audiocaps/val.csv", 495, 2475),
            ("audiocaps/val_2.0.csv", 495, 2475),
            ("audiocaps/test_2.0.csv", 975, 4875),
            ("wavcaps/sb_final.json", 1232, 1232),
            ("mecat/000.jsonl", 179, 537),
        ],
    )
    def test_counts(self, shared_data: Path, name: str, clips: int, captions: int) -> None:
        path = str(shared_data / "captions" / name)
        records = strictly(path)
        assert len({record["id"] for record in records}) == len(records) == clips
        assert all(record["captions"] and record["path"] for record in records)
        texts = strictly(path, text=True)
        assert len({record["id"] for record in texts}) == len(texts) == captions
        assert {record["clip"] for record in texts} == set(ids(records))

    def test_the_real_sounds_of_a_table(self, shared_data: Path) -> None:
        records = strictly(str(shared_data / "esc10" / "esc10_meta.csv"))
        assert len(records) == 400
        assert all(Path(record["path"]).is_file() for record in records)
        assert sorted(ids(records)) == ids(strictly(str(shared_data / "esc10")))
