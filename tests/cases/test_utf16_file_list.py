"""A list of files as Windows saves it: UTF-16 is named, and no item of a list is a folder."""

import os
from pathlib import Path

import pytest

from oea_cli.errors import Failure, OeaError
from oea_cli.records.inputs import read_records


@pytest.fixture(autouse=True)
def sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "w/b.wav", "secret.wav", "音.wav"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()


def listed(content: bytes) -> tuple[list[str], list[str]]:
    """The ids that a list gives, and what is said."""
    Path("list").write_bytes(content)
    failures: list[Failure] = []
    found = read_records([], report=failures.append, files_from="list")
    return [record["id"] for record in found], list(map(str, failures))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", ["a.wav\r\n", "./w/b.wav\r\na.wav\r\n", "音.wav\n", "a.wav"])
def test_utf16_is_named_and_nothing_is_walked(encoding: str, text: str) -> None:
    with pytest.raises(OeaError, match=r"^list: expected lines or records; got UTF-(16|32) text"):
        listed(text.encode(encoding))


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert listed("\ufeffa.wav\nw/b.wav\n".encode()) == (["a.wav", "w/b.wav"], [])
    assert listed("\ufeffa.wav\0w/b.wav\0".encode()) == (["a.wav", "w/b.wav"], [])


@pytest.mark.parametrize("folder", [".", "./", "w", "w/", "w/..", ".."])
@pytest.mark.parametrize("mark", ["\n", "\0"])
def test_a_folder_in_a_list_is_an_error(folder: str, mark: str) -> None:
    ids, said = listed(f"{folder}{mark}a.wav{mark}".encode())
    assert ids == ["a.wav"]
    assert said == [f"list:1: {folder}: a folder; a list names files, and folders are inputs"]


def test_an_empty_item_is_an_error_and_a_blank_line_is_not() -> None:
    assert listed(b"a.wav\0\0w/b.wav\0") == (
        ["a.wav", "w/b.wav"],
        ["list:2: an empty name; every item of a list names a file"],
    )
    assert listed(b"\na.wav\n\n  \nw/b.wav\n") == (["a.wav", "w/b.wav"], [])


def test_lone_returns_end_lines() -> None:
    assert listed(b"a.wav\rw/b.wav\r") == (["a.wav", "w/b.wav"], [])


def test_names_in_another_encoding_are_named() -> None:
    ids, said = listed("a.wav\ncafé.wav\n".encode("cp1252"))
    assert ids == ["a.wav"]
    assert said == [
        "list:2: not UTF-8, but probably CP1252; convert the file with `iconv -f CP1252 -t UTF-8`"
    ]


def test_a_name_that_is_not_utf8_may_be_the_files_own() -> None:
    Path(os.fsdecode(b"caf\xe9.wav")).touch()
    said = ["list:1: the file's name is not UTF-8; rename it"]
    assert listed(b"caf\xe9.wav\na.wav\n") == (["a.wav"], said)


@pytest.mark.parametrize(
    "picture", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\0\x10JFIF", b"GIF89a"]
)
def test_a_picture_is_no_list(picture: bytes) -> None:
    with pytest.raises(OeaError, match="list: expected lines or records; got a picture"):
        listed(picture)
