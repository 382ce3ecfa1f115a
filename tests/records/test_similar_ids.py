"""What an unknown id may have meant, among a million in a fraction of a second."""

import time

import polars as pl
import pytest

from oea_cli.records.similar_ids import did_you_mean, similar_ids

MANY = pl.Series([f"folder/clip{number:06}.wav" for number in range(400_000)])


@pytest.mark.parametrize(
    "asked",
    [
        "folder/clip123456.wave",
        "folder/clip123456",
        "clip123456.wav",
        "/home/me/folder/clip123456.wav",
        "Folder/Clip123456.WAV",
        "foldr/clip123456.waw",
        "folder/cliip123456.wav",
        "folder\\clip123456.wav",
    ],
)
def test_the_nearest_of_many_comes_first(asked: str) -> None:
    began = time.process_time()
    assert similar_ids(asked, MANY)[0] == "folder/clip123456.wav"
    assert time.process_time() - began < 1


def test_windows_of_the_clip_come_before_all_else() -> None:
    ids = [
        "long.wave",
        "long.wav#t=0,10",
        "long.wav#t=10,20",
        "long.wav#t=20,30",
        "long.wav#t=30,40",
    ]
    assert similar_ids("long.wav", ids) == ids[1:4]


@pytest.mark.parametrize("asked", ["", "x", "zzz", "é" * 100, "a" * 10_000, "\n", "(", ".*"])
def test_what_is_like_nothing_has_no_suggestion(asked: str) -> None:
    assert similar_ids(asked, MANY) == [] and did_you_mean(asked, MANY) == ""
    assert similar_ids(asked, []) == []


def test_few_ids() -> None:
    assert similar_ids("rian.wav", ["rain.wav", "dog.wav", "RAIN.wav"]) == ["rain.wav"]
    assert did_you_mean("rian.wav", ["rain.wav"]) == "; did you mean rain.wav?"
