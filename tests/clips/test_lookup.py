"""Records by the ids that a ranking names: clips, windows, captions, in any spelling."""

from collections.abc import Iterable
from typing import Any

from oea_cli.clips.lookup import lookup, no_records

RECORDS: dict[str, dict[str, Any]] = {
    "wavs/Rain.wav": {"captions": ["rain", "None", "it pours"], "start": 1, "end": 2},
    "long.wav#t=0,10": {"captions": ["hum"], "start": 0, "end": 10},
    "long.wav#t=8,18": {"captions": ["hum"], "start": 8, "end": 18},
}


def read(ids: list[str]) -> Iterable[dict[str, Any]]:
    return [{"id": id_, **RECORDS[id_]} for id_ in ids]


def test_a_clip_in_another_spelling_is_the_whole_clip() -> None:
    found = lookup(RECORDS, read)(["wavs/Rain.wav", "rain"])
    assert found["wavs/Rain.wav"] == {"id": "wavs/Rain.wav", **RECORDS["wavs/Rain.wav"]}
    assert found["rain"]["id"] == "wavs/Rain.wav" and "start" not in found["rain"]


def test_of_a_clip_that_lies_as_windows_the_first_one() -> None:
    found = lookup(RECORDS, read)(["long.wav", "long.wav#t=8,18"])
    assert found["long.wav"] == {"id": "long.wav#t=0,10", "captions": ["hum"]}
    assert found["long.wav#t=8,18"]["start"] == 8


def test_a_caption_is_its_clip_with_that_caption_alone() -> None:
    """Numbers count as those of `oea eval` do: what says nothing is no caption."""
    found = lookup(RECORDS, read)(["wavs/Rain.wav#2", "rain#9"])
    assert found["wavs/Rain.wav#2"]["captions"] == ["it pours"]
    assert found["rain#9"]["captions"] == []


def test_what_is_not_there_is_left_out() -> None:
    assert lookup(RECORDS, read)(["hail", "wavs/Rain.wav#x"]) == {}
    assert no_records(["rain"]) == {}
