"""Clips on both sides of an evaluation, under the names that the published datasets give them."""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import soundfile

from oea_cli.clips.leaks import Leak, find_leaks, leak_counts, load_blacklist
from oea_cli.clips.origins import KINDS, marks_of, source_of
from oea_cli.errors import Failure, OeaError
from tests.reading import strictly

Record = dict[str, Any]

AUDIOCAPS = {"id": "YQSuFyFm3Lc_230", "path": "x/YQSuFyFm3Lc_230.wav"}
WAVCAPS_AUDIOSET = {"id": "YYQSuFyFm3Lc.wav", "path": "flac/YYQSuFyFm3Lc.flac"}
MECAT = {"id": "YQSuFyFm3Lc_0_21999999999999975_10_22", "domain": "00A"}
WAVCAPS_FREESOUND = {
    "id": "1234",
    "path": "FreeSound/1234.flac",
    "href": "/people/someone/sounds/1234/",
}
SOUNDBIBLE = {
    "id": "1234",
    "path": "flac/1234.flac",
    "download_link": "http://soundbible.com/grab.php?id=1234&type=wav",
}


def reasons(training: Record, evaluation: Record) -> list[tuple[str, str]]:
    return [(leak.by, leak.value) for leak in find_leaks([training], [evaluation])]


class TestYouTube:
    @pytest.mark.parametrize(
        "record",
        [
            AUDIOCAPS,
            WAVCAPS_AUDIOSET,
            MECAT,
            {"id": "YQSuFyFm3Lc.wav"},
            {"id": "a", "youtube_id": "YQSuFyFm3Lc"},
            {"id": "YYQSuFyFm3Lc_230"},
            {"id": "YQSuFyFm3Lc_230.000_240.000"},
            {"id": "7", "path": "audio/YYQSuFyFm3Lc.flac"},
            {"id": "7", "url": "https://www.youtube.com/watch?v=YQSuFyFm3Lc&t=230"},
            {"id": "7", "url": "https://youtu.be/YQSuFyFm3Lc"},
        ],
    )
    def test_every_form_of_the_id(self, record: Record) -> None:
        assert ("youtube id", "YQSuFyFm3Lc") in marks_of(record)

    @pytest.mark.parametrize("id", ["-vfY_TJq7__130", "Y-vfY_TJq7__130", "Y-vfY_TJq7_.wav"])
    def test_underscores_and_dashes_belong_to_it(self, id: str) -> None:
        assert ("youtube id", "-vfY_TJq7_") not in marks_of({"id": id})  # ten letters
        name = id.replace("TJq7_", "TJq7n_")
        assert ("youtube id", "-vfY_TJq7n_") in marks_of({"id": name})

    @pytest.mark.parametrize(
        "name", ["doorknocker.wav", "Yellowhammer.wav", "Thunderclap_2.wav", "dog_barking_1.wav"]
    )
    def test_words_of_eleven_letters_are_none(self, name: str) -> None:
        assert not [mark for mark in marks_of({"id": name}) if mark.kind == "youtube id"]

    def test_across_datasets(self) -> None:
        expected = [("youtube id", "YQSuFyFm3Lc")]
        assert reasons(WAVCAPS_AUDIOSET, AUDIOCAPS) == expected
        assert reasons(AUDIOCAPS, MECAT) == expected
        other = {"id": "YQSuFyFm3ld_230"}  # ids tell capitals apart
        assert reasons(other, AUDIOCAPS) == []


class TestFreesound:
    @pytest.mark.parametrize(
        "record",
        [
            WAVCAPS_FREESOUND,
            {"id": "rain.wav", "sound_id": "1234"},
            {"id": "rain.wav", "sound_id": 1234},
            {"id": "rain.wav", "sound_link": "https://freesound.org/people/a_b/sounds/1234/"},
            {"id": "rain.wav", "sound_link": "https://freesound.org/s/1234"},
            {"id": "1234__someone__rain.wav"},
            {"id": "rain/1-1234-A.ogg"},
            {"id": "1-1234-A-10.wav"},
            {"id": "1234", "source": "FreeSound"},
        ],
    )
    def test_every_form_of_the_id(self, record: Record) -> None:
        assert ("freesound id", "1234") in marks_of(record)

    def test_a_number_is_one_clip_per_collection_only(self) -> None:
        assert source_of(SOUNDBIBLE) == "soundbible"
        assert reasons(SOUNDBIBLE, WAVCAPS_FREESOUND) == []
        assert reasons({"id": "1234", "path": "1234.flac"}, WAVCAPS_FREESOUND) == [("id", "1234")]
        assert reasons({"id": "rain.wav", "sound_id": "1234"}, WAVCAPS_FREESOUND) == [
            ("freesound id", "1234")
        ]

    def test_the_number_of_a_line_is_no_id(self) -> None:
        assert reasons({"id": "3", "text": "rain"}, {"id": "3", "text": "wind"}) == []

    @pytest.mark.parametrize(
        "training",
        [
            {"id": "1234", "path": "1234.flac", "file_name": "07 Storm - orage.wav"},
            {"id": "1234", "path": "1234.flac", "title": "07_storm - orage"},
            {"id": "other/07 storm - orage.mp3", "path": "other/07 storm - orage.mp3"},
            {"id": "1234__someone__07-storm-orage.aiff"},
        ],
    )
    def test_titles(self, training: Record) -> None:
        clotho = {"id": "07 storm - orage.wav", "path": "evaluation/07 storm - orage.wav"}
        assert reasons(training, clotho)[0][0] in ("title", "id")
        if "title" in training:
            assert reasons(training, clotho) == [("title", "07 storm orage")]

    def test_entities_in_titles(self) -> None:
        assert reasons({"id": "x", "title": "Dog &amp; cat.wav"}, {"id": "dog & cat.wav"}) == [
            ("title", "dog cat")
        ]

    def test_numbers_and_video_ids_are_no_titles(self) -> None:
        for record in (WAVCAPS_FREESOUND, AUDIOCAPS, MECAT, {"id": "1-1234-A-10.wav"}):
            assert "title" not in {mark.kind for mark in marks_of(record)}


class TestContent:
    @pytest.fixture
    def noise(self, tmp_path: Path) -> Path:
        samples = np.random.default_rng(0).normal(0, 0.1, (30_000, 2))
        path = tmp_path / "train" / "one.wav"
        path.parent.mkdir()
        soundfile.write(path, samples, 44_100, subtype="PCM_16")
        return path

    def test_a_lossless_copy_in_another_container(self, noise: Path, tmp_path: Path) -> None:
        samples, rate = soundfile.read(noise, dtype="int16")
        soundfile.write(tmp_path / "two.flac", samples, rate)
        training, evaluation = {"id": "a", "path": str(noise)}, {"id": "b"}
        evaluation["path"] = str(tmp_path / "two.flac")
        assert find_leaks([training], [evaluation]) == []
        (leak,) = find_leaks([training], [evaluation], content=True)
        assert (leak.by, leak.training, leak.evaluation) == ("content", "a", "b")
        assert len(leak.value) == 64

    def test_another_sound_and_another_section_are_none(self, noise: Path, tmp_path: Path) -> None:
        samples, rate = soundfile.read(noise, dtype="int16")
        soundfile.write(tmp_path / "two.flac", samples + np.int16(9), rate)
        evaluation = [
            {"id": "b", "path": str(tmp_path / "two.flac")},
            {"id": "c", "path": str(noise), "start": 0.1, "end": 0.5},
            {"id": "d", "path": str(tmp_path / "absent.wav")},
        ]
        training = [{"id": "a", "path": str(noise)}]
        leaks = find_leaks(training, evaluation, content=True)
        assert [leak.by for leak in leaks] == ["title"]  # of c, which is called as the file is

    def test_silences_are_not_alike(self, tmp_path: Path) -> None:
        records = []
        for name in ("hush", "still"):
            soundfile.write(tmp_path / f"{name}.wav", np.zeros(16_000), 16_000)
            records.append({"id": name, "path": str(tmp_path / f"{name}.wav")})
        assert find_leaks(records[:1], records[1:], content=True) == []

    def test_a_broken_sound_is_reported(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.wav"
        broken.write_bytes(b"RIFFnothing")
        said: list[Failure] = []
        record = {"id": "x", "path": str(broken)}
        assert find_leaks([], [record], content=True, report=said.append) == []
        assert [(failure.where, failure.id) for failure in said] == [(str(broken), "x")]
        with pytest.raises(OeaError, match=r"broken\.wav: "):
            find_leaks([], [record], content=True)


class TestLeaks:
    def test_one_per_pair_by_the_surest_reason_in_order(self) -> None:
        evaluation = [{"id": "b.wav", "title": "B"}, {"id": "a.wav", "sound_id": "1"}]
        training = [
            {"id": "x", "path": "1__me__b.wav"},
            {"id": "A.WAV"},
            {"id": "b.flac", "title": "b"},
        ]
        leaks = find_leaks(iter(training), iter(evaluation))
        assert leaks == [
            Leak("title", "b", "b.wav", "x"),
            Leak("id", "b", "b.wav", "b.flac"),
            Leak("freesound id", "1", "a.wav", "x"),
            Leak("id", "a", "a.wav", "A.WAV"),
        ]
        assert str(leaks[2]) == "a.wav: also in training as x (by freesound id)"
        assert leak_counts(leaks) == {
            "id": 2,
            "youtube id": 0,
            "freesound id": 0,
            "content": 0,
            "title": 0,
        }

    def test_every_reason_has_a_place(self) -> None:
        assert {mark.kind for mark in marks_of(WAVCAPS_FREESOUND)} <= set(KINDS)

    def test_none(self) -> None:
        assert find_leaks([{"id": "a.wav"}], [{"id": "b.wav"}]) == []
        assert find_leaks([], []) == []


class TestBlacklists:
    def test_wavcaps_layout(self, tmp_path: Path) -> None:
        path = tmp_path / "blacklist.json"
        path.write_bytes(orjson.dumps({"AudioSet": ["YYQSuFyFm3Lc.wav"], "FreeSound": ["1234"]}))
        blacklist = load_blacklist(path)
        assert blacklist == [
            {"id": "YYQSuFyFm3Lc.wav", "source": "AudioSet"},
            {"id": "1234", "source": "FreeSound"},
        ]
        training = [AUDIOCAPS, SOUNDBIBLE, {"id": "x", "sound_id": "1234"}]
        assert [leak.training for leak in find_leaks(training, blacklist)] == [AUDIOCAPS["id"], "x"]

    def test_a_plain_list(self, tmp_path: Path) -> None:
        (tmp_path / "list.json").write_text('["a.wav", 7]')
        assert load_blacklist(str(tmp_path / "list.json")) == [{"id": "a.wav"}, {"id": "7"}]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", ":1: not JSON"),
            ("{}", ": not a blacklist"),
            ('{"pairs": [{"audio_a": "a", "audio_b": "b"}]}', ": not a blacklist"),
            ('{"data": "x"}', ": not a blacklist"),
        ],
    )
    def test_what_is_none(self, tmp_path: Path, content: str, message: str) -> None:
        path = tmp_path / "wrong.json"
        path.write_text(content)
        with pytest.raises(OeaError) as caught:
            load_blacklist(path)
        assert str(caught.value).startswith(f"{path}{message}")


class TestAsPublished:
    """The real files, where they are present."""

    def test_wavcaps_blacklist_covers_audiocaps(self, shared_data: Path) -> None:
        captions = shared_data / "captions"
        blacklist = load_blacklist(captions / "wavcaps" / "blacklist_exclude_test_ac.json")
        assert len(blacklist) == 1451 + 2090
        found = {
            name: leak_counts(find_leaks(strictly(str(captions / "audiocaps" / name)), blacklist))
            for name in ("test_2.0.csv", "val.csv")
        }
        # Together they are the whole of the list's AudioSet part: 957 + 494 = 1,451.
        assert found["test_2.0.csv"]["youtube id"] == 957
        assert found["val.csv"]["youtube id"] == 494
        assert sum(sum(counts.values()) for counts in found.values()) == 1451

    def test_soundbible_numbers_are_not_freesounds(self, shared_data: Path) -> None:
        captions = shared_data / "captions" / "wavcaps"
        soundbible = strictly(str(captions / "sb_final.json"))
        blacklist = load_blacklist(captions / "blacklist_exclude_test_ac.json")
        numbers = {record["id"] for record in soundbible} & {record["id"] for record in blacklist}
        assert numbers == {"1038", "1748"}
        assert find_leaks(soundbible, blacklist) == []

    def test_splits_of_clotho_and_audiocaps(self, shared_data: Path) -> None:
        captions = shared_data / "captions"
        development = strictly(str(captions / "clotho/clotho_captions_development.csv"))
        validation = strictly(str(captions / "clotho/clotho_captions_validation.csv"))
        leaks = find_leaks(development, validation)
        assert [(leak.by, leak.evaluation) for leak in leaks if leak.by == "id"] == [
            ("id", "City Ambience w_ Car Passing_1-2.wav")
        ]
        test = strictly(str(captions / "audiocaps/test_2.0.csv"))
        assert find_leaks(strictly(str(captions / "audiocaps/val_2.0.csv")), test) == []
