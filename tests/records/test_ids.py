"""Ids made from other ids, and back."""

import pytest

from oea_cli.records.ids import (
    caption_id,
    caption_of,
    clip_of,
    is_window,
    section_id,
    section_of,
    trec_id,
    window_id,
)


@pytest.mark.parametrize("clip", ["a.wav", "b c/ä#1.wav", "line\nfeed", "a.wav#t=0,60"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 10.0), (3.4004, 13.25)])
def test_a_window_leads_back_to_its_clip(clip: str, start: float, end: float) -> None:
    found = window_id(clip, start, end)
    assert is_window(found)
    assert clip_of(found) == clip
    assert section_of(found) == (round(start, 3), round(end, 3))


def test_a_section_may_reach_to_the_end_of_its_file() -> None:
    assert section_id("a.wav", 2.5, 7) == "a.wav#t=2.5,7"
    assert section_id("a.wav", 2.5) == "a.wav#t=2.5"
    assert section_of("a.wav#t=2.5,7") == (2.5, 7.0)
    assert section_of("a.wav#t=2.5") == (2.5, None)
    assert clip_of("a.wav#t=2.5") == "a.wav"


@pytest.mark.parametrize("name", ["a.wav", "a.wav#2", "a.wav#t=", "a.wav#t=x,2", "#t=1,2", ""])
def test_other_names_are_no_section(name: str) -> None:
    assert section_of(name) is None


@pytest.mark.parametrize(
    "name", ["a.wav", "a.wav#2", "#t=1,2", "", "rain#t=1,2.wav", "rain#t=1.mp3", "a#t=", "a#t=x,2"]
)
def test_what_is_no_window_is_its_own_clip(name: str) -> None:
    assert clip_of(name) == name
    assert not is_window(name)
    assert clip_of(window_id(name or "x", 0, 10)) == (name or "x")


def test_sections_far_into_a_file_keep_their_digits() -> None:
    assert section_id("a.wav", 12345.678, 1234567.25) == "a.wav#t=12345.678,1234567.25"


def test_a_caption_leads_back_to_its_clip() -> None:
    assert caption_id("a.wav", 2) == "a.wav#2"
    assert caption_of("a.wav#2") == ("a.wav", 2)
    assert caption_of("a#1#12") == ("a#1", 12)
    for other in ("a.wav", "a.wav#0", "a.wav#02", "a.wav#t=1,2", "#2"):
        assert caption_of(other) is None


def test_ids_in_a_run_have_no_blanks() -> None:
    assert trec_id("my rain\t100%.wav") == "my%20rain%09100%25.wav"
    assert trec_id("plain#t=1,2") == "plain#t=1,2"
