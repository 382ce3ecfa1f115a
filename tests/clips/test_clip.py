"""One rule for what a clip is and which captions it has; seven readers had seven of them."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from oea_cli.clips.captions import all_captions_in, captions_in, cleaned
from oea_cli.clips.clip import clip_from, read_clips
from oea_cli.errors import Failure, OeaError, raise_failure

SOUND = {"id": "a.wav", "path": "wavs/a.wav"}


class TestCaptions:
    @pytest.mark.parametrize(
        ("value", "captions"),
        [
            (["rain", "it pours"], ("rain", "it pours")),
            ("rain", ("rain",)),
            ([" rain\n", "", "  "], ("rain",)),
            # AudioCaps' test set gives a clip the same caption twice in 96 of 975 clips, and all
            # 4,875 ask: what is repeated stays, so that numbers and counts are the dataset's.
            (["rain", "wind", "rain"], ("rain", "wind", "rain")),
            # MECAT's filler, in whatever case; eval and gen-queries took it for a caption.
            (["None", "rain", "none", "NONE "], ("rain",)),
            (["nonetheless"], ("nonetheless",)),
            ([7, "rain", None], ("rain",)),
            (("rain",), ("rain",)),
            (None, ()),
            (7, ()),
            ({"en": "rain"}, ()),
        ],
    )
    def test_one_cleaning(self, value: object, captions: tuple[str, ...]) -> None:
        assert cleaned(value) == captions
        assert captions_in({**SOUND, "captions": value}) == captions

    def test_one_caption_under_its_own_name(self) -> None:
        assert captions_in({**SOUND, "caption": "rain"}) == ("rain",)
        assert captions_in({**SOUND, "captions": [], "caption": "rain"}) == ("rain",)
        assert captions_in({**SOUND, "captions": ["wind"], "caption": "rain"}) == ("wind",)

    def test_the_text_of_a_sound_is_its_caption(self) -> None:
        """Where it has no other: training and the report took it, mining and eval did not."""
        assert captions_in({**SOUND, "text": "rain"}) == ("rain",)
        assert captions_in({**SOUND, "text": "rain", "captions": ["wind"]}) == ("wind",)

    def test_a_text_alone_is_no_clip(self) -> None:
        assert captions_in({"id": "q", "text": "rain"}) == ()

    def test_mecats_other_fields_tell_a_clip_and_are_no_captions_of_it(self) -> None:
        record = {**SOUND, "captions": ["hum"], "music": ["None", "pop"], "speech": "no list"}
        assert captions_in(record) == ("hum",)
        assert all_captions_in(record) == ("hum", "pop")


class TestClip:
    def test_what_a_record_says(self) -> None:
        record: dict[str, Any] = {
            **SOUND, "captions": ["rain"], "start": 2, "end": 12.5, "duration": 60.0,
            "dataset": "clotho", "extra": [1],
        }  # fmt: skip
        clip = clip_from(record, "clips.jsonl:3")
        assert (clip.id, clip.where, clip.path) == ("a.wav", "clips.jsonl:3", "wavs/a.wav")
        assert (clip.start, clip.end, clip.duration) == (2.0, 12.5, 60.0)
        assert clip.captions == ("rain",) and clip.dataset == "clotho"
        assert clip.record == record

    def test_what_a_record_does_not_say(self) -> None:
        clip = clip_from({"id": 7, "path": "", "start": None, "end": "later", "dataset": ""})
        assert clip.id == "7" and clip.where == ""
        assert (clip.path, clip.start, clip.end, clip.duration) == (None, None, None, None)
        assert clip.captions == () and clip.dataset is None
        assert clip.negatives == () and clip.negative_captions == ()

    @pytest.mark.parametrize(
        ("times", "seconds"),
        [
            ({}, None),
            ({"duration": 60}, 60.0),
            ({"start": 50, "duration": 60}, 10.0),  # to the end of its file
            ({"start": 5, "end": 15, "duration": 60}, 10.0),
            ({"end": 15}, 15.0),
            ({"start": 5}, None),
            ({"start": 70, "duration": 60}, 0.0),
        ],
    )
    def test_how_long_it_is(self, times: dict[str, float], seconds: float | None) -> None:
        assert clip_from({**SOUND, **times}).seconds == seconds

    def test_what_its_captions_do_not_fit(self) -> None:
        record = {**SOUND, "negatives": ["b.wav", "c.wav"], "negative_captions": "wind"}
        clip = clip_from(record)
        assert clip.negatives == ("b.wav", "c.wav") and clip.negative_captions == ("wind",)

    @pytest.mark.parametrize("value", [7, {"a": 1}, ["b.wav", 2]])
    def test_a_list_of_negatives_that_is_none(self, value: object) -> None:
        clip = clip_from({**SOUND, "negatives": value}, "clips.jsonl:3")
        with pytest.raises(OeaError, match=r"^clips.jsonl:3: 'negatives' must be a list of texts"):
            _ = clip.negatives

    def test_a_clip_stays_as_it_is(self) -> None:
        clip = clip_from(SOUND)
        with pytest.raises(AttributeError):
            clip.id = "b"  # type: ignore[misc]
        assert not hasattr(clip, "__dict__")


def written(path: Path, *rows: dict[str, Any]) -> str:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return str(path)


class TestReading:
    def test_where_a_clip_stands_and_whose_it_is(self, tmp_path: Path) -> None:
        rows = [{"path": "a.wav", "captions": ["rain"]}, {"id": "b", "caption": "wind"}]
        name = written(tmp_path / "clotho.eval.jsonl", *rows, {**rows[0], "path": "c.wav",
                                                              "dataset": "own"})  # fmt: skip
        clips, pairs = read_clips([name], report=raise_failure)
        assert [clip.id for clip in clips] == ["a.wav", "b", "c.wav"] and not pairs
        assert [clip.where for clip in clips] == [f"{name}:{line}" for line in (1, 2, 3)]
        assert [clip.dataset for clip in clips] == ["clotho", "clotho", "own"]
        assert [clip.path for clip in clips] == ["a.wav", None, "c.wav"]
        named, _ = read_clips([name], report=raise_failure, dataset="mine")
        assert {clip.dataset for clip in named} == {"mine"}

    def test_what_is_no_clip_is_reported(self, tmp_path: Path) -> None:
        rows = [{"id": "a", "captions": ["None"]}, {"id": "b", "captions": 7}, {"captions": ["c"]}]
        failures: list[Failure] = []
        clips, _ = read_clips([written(tmp_path / "x.jsonl", *rows)], report=failures.append)
        assert not clips and len(failures) == 3
        assert "no 'captions'" in failures[0].error and failures[0].id == "a"

    def test_the_target_of_a_pair_is_a_clip(self, tmp_path: Path) -> None:
        row = {"target": "a", "hard_negative": "b", "captions": ["rain"]}
        clips, pairs = read_clips([written(tmp_path / "p.jsonl", row)], report=raise_failure)
        assert [(clip.id, clip.captions) for clip in clips] == [("a", ("rain",))]
        assert [(pair.target, pair.hard_negative) for pair in pairs] == [("a", "b")]
