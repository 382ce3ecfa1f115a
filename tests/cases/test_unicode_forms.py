"""One accented letter, two forms of Unicode: they read alike, and so they are compared."""

import unicodedata
from pathlib import Path

import numpy as np
import orjson
import pytest

from oea_cli.clips.captions import normalized, words_only
from oea_cli.clips.names import ClipNames
from oea_cli.evaluation.inputs.qrels import read_qrels, with_qrels
from oea_cli.records.inputs import read_records
from tests.commands.in_process import run

FORMS = ("NFC", "NFD")


def form(text: str, name: str) -> str:
    return unicodedata.normalize(name, text)


@pytest.mark.parametrize("judged", FORMS)
@pytest.mark.parametrize("ranked", FORMS)
@pytest.mark.parametrize("kind", ["trec", "jsonl"])
def test_a_run_finds_its_target(judged: str, ranked: str, kind: str, tmp_path: Path) -> None:
    target, query = form("Café.wav", ranked), form("q é", ranked)
    if kind == "trec":
        written = f"{query.replace(' ', '%20')} Q0 b 1 0.9 x\n{query[:1]}%20{query[2:]} Q0 "
        written += f"{target} 2 0.8 x\n"
    else:
        hits = [{"query_id": query, "id": "b", "score": 0.9}]
        hits.append({"query_id": query, "id": target, "score": 0.8})
        written = "".join(orjson.dumps(hit).decode() + "\n" for hit in hits)
    (tmp_path / "run").write_text(written)
    row = {"id": form("q é", judged), "text": "x", "target": form("Café.wav", judged)}
    (tmp_path / "q.jsonl").write_bytes(orjson.dumps(row))
    args = ["eval", "--run", "run", "--queries", "q.jsonl", "-M", "r@1", "-M", "r@2"]
    metrics = orjson.loads(run([*args, "-f", "json"], cwd=tmp_path).stdout)["metrics"]
    assert metrics == {"r@1": 0.0, "r@2": 1.0}


def test_judgments_meet_queries(tmp_path: Path) -> None:
    (tmp_path / "qrels").write_text(f"{form('é', 'NFD')} 0 {form('ü.wav', 'NFD')} 1\n")
    judged = read_qrels(str(tmp_path / "qrels"))
    (query,) = with_qrels(read_qrels({form("é", "NFC"): {"other": 1}}), judged, "qrels")
    assert query.targets == {form("ü.wav", "NFC"): 1.0}


@pytest.mark.parametrize("on_disk", FORMS)
@pytest.mark.parametrize("written", FORMS)
def test_a_table_and_a_list_find_the_file(
    on_disk: str, written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    disk, name = (f"{form('é', f)}/{form('Café.wav', f)}" for f in (on_disk, written))
    Path(disk).parent.mkdir()
    Path(disk).touch()
    Path("c.csv").write_text(f"path\n{name}\n")
    Path("list").write_text(f"{name}\n")
    found = [*read_records(["c.csv"]), *read_records([], files_from="list"), *read_records([name])]
    assert [record["path"] for record in found] == 3 * [disk]
    folder, file = name.split("/")
    Path(disk).parent.joinpath("metadata.csv").write_text(f"file_name,x\n{file},1\n")
    (record,) = read_records([folder])
    assert (record["path"], record["x"]) == (disk, "1")


def test_captions_that_read_alike_are_no_pair(tmp_path: Path) -> None:
    rows = [("c0", form("un café animé", "NFC")), ("c1", form("un café animé", "NFD"))]
    vectors = np.eye(3, 4) + 1
    lines = [
        orjson.dumps({"id": id_, "captions": [text], "embedding": vector.tolist()})
        for (id_, text), vector in zip([*rows, ("c2", "pluie")], vectors, strict=True)
    ]
    (tmp_path / "c.jsonl").write_bytes(b"\n".join(lines))
    texts = [{"id": "1", "text": rows[0][1], "embedding": [1.0, 0.0]}]
    texts.append({"id": "2", "text": "pluie", "embedding": [0.0, 1.0]})
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(map(orjson.dumps, texts)))
    args = ["mine-negatives", "c.jsonl", "--no-compare-sounds", "--caption-vectors", "t.jsonl"]
    done = run(args, cwd=tmp_path)
    found = [orjson.loads(line) for line in done.stdout.splitlines()]
    pairs = {(row["target"], row["hard_negative"]) for row in found}
    assert pairs, done.stderr
    assert not {("c0", "c1"), ("c1", "c0")} & pairs


def test_what_is_compared_is_composed() -> None:
    one, other = (form("Ein Übergang, größer", name) for name in FORMS)
    assert normalized([one]) == normalized([other])
    assert words_only(one) == words_only(other)
    assert ClipNames([form("é.wav", "NFD"), "É.wav"]).find(form("é.wav", "NFC")) == form(
        "é.wav", "NFD"
    )


@pytest.mark.parametrize("first", FORMS)
def test_an_index_holds_a_clip_once(first: str, tmp_path: Path) -> None:
    """As a folder is called on one disk and its copy on another."""
    (second,) = {*FORMS} - {first}
    for name, rows in ((first, [[1, 0], [0, 1]]), (second, [[1, 0], [0, 1]]), ("new", [[1, 1]])):
        ids = [form("Café.wav", second if name == "new" else name), "Zoë.wav"]
        lines = [
            orjson.dumps({"id": id_, "embedding": row}) for id_, row in zip(ids, rows, strict=False)
        ]
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(lines))

    def index(*args: str) -> str:
        return run(["index", *args, "-o", "x.oea"], cwd=tmp_path).stderr

    assert "2 vectors (2 added" in index(f"{first}.jsonl")
    assert "2 vectors (2 already there" in index(f"{second}.jsonl", "--append")
    assert "is in x.oea with another vector; --replace" in index("new.jsonl", "--append")
    assert "2 vectors (1 replaced" in index("new.jsonl", "--replace")
    assert "2 vectors (2 added, 2 already there" in index(f"{first}.jsonl", f"{second}.jsonl")
    assert "occurs twice with different vectors" in index(f"{first}.jsonl", "new.jsonl")
