"""A link that leads to itself or to nothing costs itself only; a folder is walked once."""

import json
import os
from pathlib import Path

import pytest

from oea_cli.records.inputs import read_records
from tests.commands.in_process import run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("w/a.wav", "w/b.wav"):
        touch(name)


def touch(name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).touch()


def read(*inputs: str) -> tuple[list[str], list[str]]:
    """The ids, and what was said of the rest."""
    said: list[str] = []
    records = list(read_records(inputs, report=lambda failure: said.append(str(failure))))
    return [record["id"] for record in records], said


def test_a_link_to_itself(tiny_encoder: Path, tone: object) -> None:
    for name in ("s/a.wav", "s/b.wav"):
        tone(Path(name), seconds=0.2)  # type: ignore[operator]
    Path("s/loop").symlink_to("loop")
    done = run(["embed", "s", "-m", tiny_encoder, "-o", "x.jsonl"])
    assert done.returncode == 3
    assert "oea embed: s/loop: is a link that leads back to itself" in done.stderr
    lines = Path("x.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a.wav", "b.wav"]


def test_links_that_lead_to_each_other_or_to_nothing() -> None:
    Path("w/x.wav").symlink_to("y.wav")
    Path("w/y.wav").symlink_to("x.wav")
    Path("w/gone").symlink_to("/nowhere/sounds")
    Path("w/gone.flac").symlink_to("nothing.flac")
    Path("w/notes.txt").symlink_to("nothing.txt")  # no sound is lost with it
    found, said = read("w")
    assert found == ["a.wav", "b.wav"]
    assert said == [
        "w/gone: is a link to nothing",
        "w/gone.flac: is a link to nothing",
        "w/x.wav: is a link that leads back to itself",
        "w/y.wav: is a link that leads back to itself",
    ]


def test_two_links_to_one_folder() -> None:
    touch("other/c.wav")
    Path("w/one").symlink_to("../other")
    Path("w/two").symlink_to("../other")
    assert read("w") == (["a.wav", "b.wav", "one/c.wav"], [])


def test_a_link_beside_its_folder_does_not_rename_the_sounds() -> None:
    touch("w/sub/d.wav")
    Path("w/another").symlink_to("sub")
    Path("w/sub/up").symlink_to("..")
    Path("w/self").symlink_to(Path("w").resolve())
    assert read("w") == (["a.wav", "b.wav", "sub/d.wav"], [])


def test_links_that_overlap() -> None:
    touch("other/sub/c.wav")
    Path("w/inner").symlink_to("../other/sub")
    Path("w/outer").symlink_to("../other")
    Path("w/up").symlink_to("..")
    assert read("w") == (["a.wav", "b.wav", "inner/c.wav"], [])


def test_a_link_out_of_a_hidden_folder_is_followed() -> None:
    touch("w/.store/c.wav")
    Path("w/shown").symlink_to(".store")
    assert read("w") == (["a.wav", "b.wav", "shown/c.wav"], [])


def test_a_pattern_with_two_stars() -> None:
    touch("w/sub/d.wav")
    for name in ("w/sub/one", "w/sub/two"):
        Path(name).symlink_to("..")
    Path("w/loop").symlink_to("loop")
    found, said = read("w/**/*.wav")
    assert found == ["w/a.wav", "w/b.wav", "w/sub/d.wav"]
    assert said == ["w/loop: is a link that leads back to itself"]
    assert read("**/sub/*.wav")[0] == ["w/sub/d.wav"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_a_folder_that_may_not_be_read_costs_itself_only() -> None:
    touch("w/closed/c.wav")
    Path("w/closed").chmod(0)
    Path.cwd().chmod(0o755)
    os.seteuid(65534)
    try:
        assert read("w") == (["a.wav", "b.wav"], ["w/closed/: Permission denied"])
    finally:
        os.seteuid(0)
