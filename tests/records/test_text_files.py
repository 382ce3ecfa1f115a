"""Every file of text is opened in one way: a BOM is no content, other encodings are named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oea_cli.clips.leaks import load_blacklist
from oea_cli.clips.verdicts import VerdictLog, read_verdicts
from oea_cli.errors import OeaError, raise_failure
from oea_cli.evaluation.inputs.leak_check import open_leak_sources
from oea_cli.evaluation.inputs.qrels import read_qrels
from oea_cli.evaluation.inputs.record_lookup import hit_records
from oea_cli.evaluation.inputs.runs import read_run
from oea_cli.query_generation.models.answers import AnswerFile
from oea_cli.records.inputs import read_records
from oea_cli.records.lines import read_text
from oea_cli.records.tables import read_table

BOM = b"\xef\xbb\xbf"
HITS = '{"query_id":"q","rank":1,"id":"ä","score":0.5}\n'
VERDICT = '{"target":"a","hard_negative":"b","verdict":"same","annotator":"ä"}\n'
ANSWER = '{"key":"k","text":"ä","tokens_in":1,"tokens_out":1}\n'
READERS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "table": ("x.jsonl", HITS, lambda name: list(read_table(name))),
    "document": ("x.json", f"[{HITS}]", lambda name: list(read_table(name))),
    "records": (
        "x.csv",
        "path,text\nä.wav,rain\n",
        lambda name: [r["id"] for r in read_records([name], report=raise_failure)],
    ),
    "run": ("x.trec", "q Q0 ä 1 0.5 oea\n", lambda name: read_run(name).queries),
    "hits": ("x.run", HITS, lambda name: read_run(name).queries),
    "hits again": ("x.run", HITS, lambda name: hit_records(name)(["ä"])),
    "qrels": ("x.qrels", "q 0 ä 1\n", lambda name: [(q.id, q.targets) for q in read_qrels(name)]),
    "BEIR": (
        "x.tsv",
        "query-id\tcorpus-id\tscore\nq\tä\t1\n",
        lambda name: [(q.id, q.targets) for q in read_qrels(name)],
    ),
    "blacklist": ("x.json", '{"AudioSet":["Yä.wav"]}', load_blacklist),
    "verdicts": ("x.jsonl", VERDICT, lambda name: read_verdicts([name])),
    "log": ("x.jsonl", VERDICT, lambda name: VerdictLog(Path(name)).entries),
    "answers": ("x.jsonl", ANSWER, lambda name: AnswerFile(Path(name)).find("k")),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_bom_is_no_content(reader: str, tmp_path: Path) -> None:
    name, content, read = READERS[reader]
    plain, marked = (tmp_path / folder / name for folder in ("plain", "marked"))
    for path, start in ((plain, b""), (marked, BOM)):
        path.parent.mkdir()
        path.write_bytes(start + content.encode())
    found = read(str(plain))
    assert found
    assert str(read(str(marked))).replace(str(marked), str(plain)) == str(found)


@pytest.mark.parametrize("reader", READERS)
def test_utf_16_is_named(reader: str, tmp_path: Path) -> None:
    name, content, read = READERS[reader]
    path = tmp_path / name
    path.write_bytes(content.encode("utf-16"))
    with pytest.raises(OeaError, match=r"UTF-16 text; save it as UTF-8") as caught:
        read(str(path))
    assert str(caught.value).startswith(str(path))


def test_all_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert read_text(tmp_path / "empty") == b""
    (tmp_path / "sound").write_bytes(b"RIFF....")
    with pytest.raises(OeaError, match="got audio"):
        read_text(tmp_path / "sound")
    with pytest.raises(OeaError, match="no such file"):
        read_text(tmp_path / "nothing")


def test_a_blacklist_is_known_with_a_bom(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(BOM + b'["1234"]')
    (tmp_path / "t.jsonl").write_text('{"id":"rain.wav"}\n')
    found = open_leak_sources([str(tmp_path / "b.json"), str(tmp_path / "t.jsonl")])
    assert list(found.blacklists) == [str(tmp_path / "b.json")]
