"""One bad row costs one row; what makes a whole table useless is said in one line, at once."""

from pathlib import Path

import pytest

from oea_cli.errors import Failure, OeaError
from oea_cli.records.inputs import read_records
from oea_cli.records.tables import read_table
from tests.commands.in_process import run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(*names: str, text: bool = False) -> tuple[list[str], list[str]]:
    said: list[Failure] = []
    records = list(read_records(names, report=said.append, text=text))
    return [record["id"] for record in records], list(map(str, said))


@pytest.mark.parametrize("depth", [250, 300, 1000])
@pytest.mark.parametrize("marks", [("[", "]"), ('{"a":', "}")])
def test_a_nesting_too_deep(depth: int, marks: tuple[str, str]) -> None:
    value = marks[0] * depth + "1" + marks[1] * depth
    Path("d.jsonl").write_text(
        f'{{"path":"a.wav"}}\n{{"path":"b.wav","x":{value}}}\n{{"path":"c"}}\n'
    )
    ids, said = read("d.jsonl")
    assert ids == ["a.wav", "c"]
    assert len(said) == 1 and said[0].startswith("d.jsonl:2: ")


def test_it_is_embedded_without_that_row(tiny_encoder: Path, tone: object) -> None:
    tone(Path("a.wav"), seconds=0.2)  # type: ignore[operator]
    deep = "[" * 300 + "]" * 300
    Path("d.jsonl").write_text(f'{{"path":"a.wav"}}\n{{"path":"b.wav","x":{deep}}}\n')
    done = run(["embed", "d.jsonl", "-m", tiny_encoder, "-o", "out.jsonl"])
    assert done.returncode == 3
    assert len(Path("out.jsonl").read_text().splitlines()) == 1
    assert "d.jsonl:2: 'x' cannot be written as JSON" in done.stderr


@pytest.mark.parametrize("header", ["path,täg", "pfäd,tag", "path;täg"])
def test_a_header_that_is_not_utf8_is_said_first(header: str) -> None:
    Path("m.csv").write_bytes(f"{header}\na.wav,1\n".encode("cp1252"))
    for names in (["m.csv"], ["first.wav", "m.csv"]):
        Path("first.wav").touch()
        with pytest.raises(OeaError, match=r"m\.csv:1: the header is not UTF-8, .* CP1252"):
            read_records(names)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_table_that_is_not_text_is_said_first(encoding: str) -> None:
    Path("m.csv").write_bytes("path,x\na.wav,1\n".encode(encoding))
    Path("first.wav").touch()
    with pytest.raises(OeaError, match=r"m\.csv: expected lines or records; got UTF-16 text"):
        read_records(["first.wav", "m.csv"])


def test_a_column_named_twice() -> None:
    Path("m.csv").write_text("path,caption,caption\na.wav,rain,wind\n")
    with pytest.raises(OeaError, match=r"m\.csv:1: the header names 'caption' twice"):
        read_records(["m.csv"])


def test_a_quote_that_is_never_closed_costs_its_row() -> None:
    Path("m.csv").write_text('path,caption\na.wav,"rain\nb.wav,wind\nc.wav,sea\n')
    ids, said = read("m.csv")
    assert ids == ["b.wav", "c.wav"]
    assert said == ["m.csv:2: not CSV (a quote is opened here and never closed)"]


def test_a_nul_costs_its_row() -> None:
    first = '{"path":"a.wav","x":"' + "y" * 5000 + '"}'
    Path("m.jsonl").write_text(f'{first}\n{{"path":"b\0.wav"}}\n{{"path":"c.wav"}}\n')
    ids, said = read("m.jsonl")
    assert ids == ["a.wav", "c.wav"]
    assert said == ["m.jsonl:2: holds a NUL byte, which text never does; is the file damaged?"]


def test_a_table_of_other_columns_is_one_line() -> None:
    Path("m.csv").write_text("filename,label\n" + "a.wav,rain\n" * 9)
    assert read("m.csv") == (
        [],
        [
            "m.csv: none of its 9 rows can be used: no 'path' and no 'text'; "
            "every record needs one (it has 'filename', 'label')"
        ],
    )
    Path("n.csv").write_text("path,label\na.wav,rain\n,rain\n,rain\n")
    assert len(read("n.csv")[1]) == 2


def test_json_that_ends_too_early_says_where() -> None:
    Path("d.json").write_text('[{"path": "a.wav"},\n {"path": \n')
    with pytest.raises(OeaError, match=r"^d\.json:2: not JSON \(.* at column 10\)"):
        list(read_table("d.json"))
    Path("d.jsonl").write_text('{"path": "a.wav"\n{"path": "b.wav"}\n')
    assert read("d.jsonl")[1] == ["d.jsonl:1: not JSON (unexpected end of data at column 17)"]
