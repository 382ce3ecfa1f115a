"""A clip's name in another spelling, among a few and among a million."""

import time
from itertools import product

import pytest

from oea_cli.clips.folded_names import FoldedNames
from oea_cli.clips.names import AmbiguousNameError, ClipNames, folded
from oea_cli.records.file_names import plain_name

FOLDERS = ["", "./", "x/", "X//", "x\\\\", "x/../", "/data/x/", ".x/", "É/"]
STEMS = ["a", "A.b", "é", "e\u0301", "straße", "STRASSE", "ΟΔΟΣ", "ﬁ", "İ", "K", ".wav", "ſ"]
SUFFIXES = ["", ".wav", ".WAV", ".txt", ".ſph", ".ta\u212a", ".wav "]


def path_of(name: str) -> str:
    return folded(plain_name(name))


def file_name_of(name: str) -> str:
    return folded(plain_name(name).rpartition("/")[2])


def test_keys_made_by_columns_are_those_made_one_by_one() -> None:
    names = list(dict.fromkeys(map("".join, product(FOLDERS, STEMS, SUFFIXES))))
    found = FoldedNames(names, path_of, file_name_of)
    for key_of, with_key in ((path_of, found.with_path), (file_name_of, found.with_file_name)):
        by_key: dict[str, list[str]] = {}
        for name in names:
            by_key.setdefault(key_of(name), []).append(name)
        assert {key: with_key(key) for key in by_key} == by_key
        assert with_key("nothing") == []


def test_the_other_form_of_unicode_is_the_same_name_and_no_other() -> None:
    names = ClipNames(["\u00e9.wav", "\u00e9.flac"])
    assert names.find("e\u0301.wav") == "\u00e9.wav"
    with pytest.raises(AmbiguousNameError, match="means 2 clips"):
        names.find("e\u0301.mp3")


@pytest.mark.parametrize("form", ["clip-{:06}.wav", "set/{0}/Clip é {0}.wav"])
def test_unknown_names_among_300_000_take_a_moment(form: str) -> None:
    names = ClipNames(form.format(number) for number in range(300_000))
    start = time.process_time()
    assert names.find("nothing") is None
    assert names.find("/some/where/nothing.wav") is None
    assert names.find(form.format(7).upper()) == form.format(7)
    assert time.process_time() - start < 1.0  # a dictionary of every spelling took several
