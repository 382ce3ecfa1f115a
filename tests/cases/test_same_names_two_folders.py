"""Two folders whose sounds have the same names: found before any work, and told apart."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from oea_cli.errors import OeaError
from oea_cli.records.equal_ids import prefixes_of
from oea_cli.vectors.index.building import build_index
from tests.commands.in_process import run
from tests.conftest import Completed
from tests.reading import ids, strictly, touch
from tests.vectors.test_embedding_shards import batch_of

Tone = Callable[..., Path]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(done: Completed) -> str:
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


def test_two_recorders_that_name_files_alike(tone: Tone, tiny_encoder: Path) -> None:
    tone(Path("siteA/0500.wav"), 440), tone(Path("siteB/0500.wav"), 880)
    # No such encoder: nothing is loaded, and nothing encoded, before the names are known to differ.
    line = said(run(["embed", "siteA", "siteB", "-m", "nowhere/at/all"]))
    assert line == (
        "oea embed: siteA/0500.wav and siteB/0500.wav: both have the id '0500.wav'; "
        "--prefix-ids puts the name of its folder before each id"
    )
    done = run(["embed", "siteA", "siteB", "-m", tiny_encoder, "--prefix-ids", "-q"])
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(record["id"], record["path"]) for record in records] == [
        ("siteA/0500.wav", "siteA/0500.wav"),
        ("siteB/0500.wav", "siteB/0500.wav"),
    ]


def test_tables_texts_and_one_input_twice() -> None:
    Path("a.csv").write_text("id,path\n7,x.wav\n8,y.wav\n")
    Path("b.csv").write_text("id,path\n8,z.wav\n7,w.wav\n")
    assert "y.wav and z.wav: both have the id '8' (1 more" in said(run(["embed", "a.csv", "b.csv"]))
    Path("t.jsonl").write_text('{"id": "1", "text": "rain"}\n')
    Path("u.jsonl").write_text('{"id": "1", "text": "wind"}\n')
    line = said(run(["embed", "--text", "t.jsonl", "u.jsonl"]))
    assert "'rain' and 'wind': both have the id '1'" in line
    touch("w/deep/x.wav")
    assert said(run(["embed", "w", "w"])) == (
        "oea embed: w/deep/x.wav: is among the inputs twice; leave one out"
    )


def test_prefixes_are_as_short_as_they_can_be() -> None:
    touch("2023/wavs/a.wav", "2024/wavs/a.wav", "siteA/a.wav")
    Path("siteB.csv").write_text("path\nsiteA/a.wav\n")
    here = Path.cwd()
    assert prefixes_of(["siteA", "siteB.csv"]) == {"siteA": "siteA", "siteB.csv": "siteB"}
    assert prefixes_of(["2023/wavs", f"{here}/2024/wavs/"]) == {
        "2023/wavs": "2023/wavs",
        f"{here}/2024/wavs/": "2024/wavs",
    }
    inputs = ["siteA", "2023/wavs", "2024/wavs", "siteA/a.wav"]
    assert ids(strictly(*inputs, prefix_ids=True)) == [
        "siteA/a.wav",
        "2023/wavs/a.wav",
        "2024/wavs/a.wav",
        "siteA/a.wav",
    ]


def test_an_index_names_both_sounds_of_one_id(tmp_path: Path) -> None:
    first, second = batch_of("a", "b"), batch_of("b", "c")
    first.records[1]["path"] = "siteA/b.wav"
    second.records[0]["path"] = "siteB/b.wav"
    second.vectors[0] *= -1
    with pytest.raises(OeaError) as caught:
        build_index(tmp_path / "x.oea", [first, second], dim=8, encoder=None)
    assert str(caught.value).startswith(
        "id 'b' occurs twice with different vectors, of siteA/b.wav and siteB/b.wav; "
    )
