"""What is named and is not there is a failure (1) in every verb; what makes no sense is 2."""

import re
import shlex
from pathlib import Path

import pytest

from tests.commands.in_process import run
from tests.conftest import verbs

NAMED = """
embed gone
embed --text gone.txt
embed gone.jsonl
embed --files-from gone
embed here.jsonl --text -m ./gone
embed here.jsonl --text -m clap:./gone
index gone.npy
index gone.jsonl
index --info gone.oea
index --delete a -o gone.oea
index --compact -o gone.oea
index --delete gone -o here.oea
search rain -i gone.oea
search rain
search --queries gone.jsonl -i here.oea
search --like gone.wav -i here.oea
eval --queries gone.jsonl -i here.oea
eval --queries here.jsonl -i gone.oea
eval --queries here.jsonl --corpus gone.npy
eval --run gone.txt --qrels here.txt
eval --run here.run --qrels gone.txt
eval --run here.run --qrels here.txt --baseline gone.json
eval gone.yaml
mine-negatives gone
mine-negatives here.jsonl --vectors gone.npy
gen-queries gone.jsonl
gen-queries here.jsonl --hard-negatives gone.jsonl
train gone.yaml -o out
review gone.jsonl -o verdicts.jsonl
review here.jsonl -o verdicts.jsonl --clips gone
review here.jsonl -o verdicts.jsonl -i gone.oea
models info ./gone
models info gone
models convert gone.pt -o out
models export ./gone -o out
models bench ./gone
models check ./gone
"""
NO_FOLDER = """
embed --text rain -o gone/x.npy
embed --text rain --errors gone/x.jsonl
eval --run here.run --qrels here.txt -o gone/x.json
eval --run here.run --qrels here.txt --report gone/x.html
mine-negatives here.jsonl -o gone/x.jsonl
mine-negatives here.jsonl --qrels gone/x.txt
gen-queries here.jsonl -o gone/x.jsonl
gen-queries here.jsonl --rejects gone/x.jsonl
review here.queries.jsonl -o gone/x.jsonl
"""
SENSELESS = """
embed here.jsonl --shard 9/8
index --append --compact here.oea
search rain -i here.oea --where ((
search rain -i here.oea --alpha high
eval --run here.run --qrels here.txt -M gone@1
mine-negatives here.jsonl --top-k none
train here.yaml -o out
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("things")
    rows = (
        '{"id": "a", "text": "rain", "embedding": [1, 0]}\n'
        '{"id": "b", "text": "hail", "embedding": [0, 1]}\n'
    )
    (folder / "here.jsonl").write_text(rows)
    (folder / "here.txt").write_text("q 0 a 1\n")
    (folder / "here.run").write_text("q Q0 a 1 1.0 t\n")
    (folder / "here.queries.jsonl").write_text('{"id": "q", "text": "rain", "target": "a"}\n')
    (folder / "here.yaml").write_text("name: x\nno_such_key: 1\n")
    assert run(["index", "here.jsonl", "-o", "here.oea"], cwd=folder).returncode == 0
    return folder


def lines(block: str) -> list[str]:
    return block.strip().splitlines()


@pytest.mark.parametrize("line", lines(NAMED))
def test_what_is_not_there_is_a_failure_of_one_line(line: str, folder: Path) -> None:
    done = run(shlex.split(line), cwd=folder)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "gone" in done.stderr or "index.oea" in done.stderr
    assert not (folder / "out").exists()


@pytest.mark.parametrize("line", lines(NO_FOLDER))
def test_no_folder_is_made_for_what_is_written(line: str, folder: Path) -> None:
    done = run(shlex.split(line), cwd=folder)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    said = done.stderr.splitlines()[-1]
    assert re.search(r": gone/x[.a-z]*: there is no folder gone; create it first$", said)
    assert not (folder / "gone").exists()


@pytest.mark.parametrize("line", ["index here.jsonl -o new/deep/x.oea", "demo new/deep/x"])
def test_folders_are_made_with_those_above(line: str, folder: Path) -> None:
    assert run(shlex.split(line), cwd=folder).returncode == 0
    assert (folder / shlex.split(line)[-1]).is_dir()


@pytest.mark.parametrize("line", lines(SENSELESS))
def test_what_makes_no_sense_is_wrong_usage(line: str, folder: Path) -> None:
    assert run(shlex.split(line), cwd=folder).returncode == 2


def test_no_verb_is_forgotten() -> None:
    named = {verb for verb in verbs() for line in lines(NAMED) if line.startswith(f"{verb} ")}
    assert named == set(verbs()) - {"demo", "models list"}
