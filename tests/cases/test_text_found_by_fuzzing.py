"""Texts that ended in a traceback when they were damaged at random: each is read or named."""

from pathlib import Path

import pytest

from oea_cli.clips.pairs import read_pairs
from oea_cli.clips.queries import read_queries
from oea_cli.clips.verdicts import read_verdicts
from oea_cli.errors import OeaError
from oea_cli.evaluation.inputs.qrels import read_qrels
from oea_cli.evaluation.inputs.runs import read_run
from oea_cli.records.tables import read_table
from oea_cli.vectors.files.formats import read_embeddings
from tests.fuzz.target import Inputs
from tests.fuzz.text_files import TARGETS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_control_characters_part_words_in_every_line() -> None:
    Path("run").write_bytes(b"q1 Q0 a 1 0.9 x\nq1 Q0 b\x01c x y\n")
    with pytest.raises(OeaError, match=r"^run:2: score must be a finite number; got 'x'"):
        read_run("run")
    Path("run").write_bytes(b"q1 Q0 a 1 0.9 x\nq1\x1cQ0\x01b 2 0.8 x y\n")
    assert read_run("run").documents.tolist() == [b"a", b"b"]
    Path("qrels").write_bytes(b"q1 0 a 1\nq2 0 b 2\x1cq2 0 c 0\n\x01\nq3 0 d\x021\n")
    assert [(query.id, query.targets) for query in read_qrels("qrels")] == [
        ("q1", {"a": 1.0}),
        ("q2", {"b": 2.0}),
        ("q3", {"d": 1.0}),
    ]
    Path("qrels").write_bytes(b"q1 0 a 1\n\x01\nq3 0 d x y\n")
    with pytest.raises(OeaError, match="qrels:3: grade 'x'"):
        read_qrels("qrels")


@pytest.mark.parametrize("read", [read_queries, read_verdicts])
def test_cells_that_are_not_utf8_are_named(read: object) -> None:
    Path("q.csv").write_bytes("id,text,target\nq,Jos\xe9,a\n".encode("latin-1"))
    with pytest.raises(OeaError, match=r"^q\.csv:2: 'text' is not UTF-8, but probably CP1252"):
        read(["q.csv"])  # type: ignore[operator]
    Path("p.csv").write_bytes("target,hard_negative\na,Jos\xe9\n".encode("latin-1"))
    with pytest.raises(OeaError, match=r"^p\.csv:2: 'hard_negative' is not UTF-8"):
        read_pairs("p.csv")


@pytest.mark.parametrize("encoder", ["[]", "{}", "7", "true"])
def test_an_encoder_that_is_no_text_is_named(encoder: str) -> None:
    Path("v.jsonl").write_text(f'{{"embedding":[1,0],"encoder":{encoder}}}\n')
    with pytest.raises(OeaError, match=r"^v\.jsonl:1: 'encoder' must be text"):
        list(read_embeddings("v.jsonl"))


def test_a_long_name_of_a_column_is_cut() -> None:
    name = "9" * 5000
    Path("c.csv").write_text(f"{name},{name}\n1,2\n")
    with pytest.raises(OeaError) as caught:
        list(read_table("c.csv"))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_some_inputs_of_each_kind_end_cleanly(target: object, tmp_path: Path) -> None:
    inputs = Inputs(target, 3, tmp_path)  # type: ignore[arg-type]
    for number in range(8):
        one = inputs[number]
        (tmp_path / one.name).write_bytes(one.content)
        try:
            target.read(tmp_path)  # type: ignore[attr-defined]
        except OeaError as error:
            assert len(str(error)) < 2000
        (tmp_path / one.name).write_bytes(inputs.whole[one.name])
