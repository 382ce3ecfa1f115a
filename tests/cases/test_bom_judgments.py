"""Runs and qrels as they come: marks, returns and encodings change no figure, or are named."""

from pathlib import Path

import polars as pl
import pytest

from oea_cli.errors import OeaError
from oea_cli.evaluation.inputs.qrels import read_qrels
from oea_cli.evaluation.inputs.runs import read_run
from tests.commands.in_process import run

RUN = "q1 Q0 a 1 0.9 x\nq1 Q0 b 2 0.8 x\nq2 Q0 c 1 0.9 x\nq2 Q0 d 2 0.8 x\n"
QRELS = "q1 0 a 1\nq2 0 d 1\n"
BEIR = "query-id\tcorpus-id\tscore\nq1\ta\t1\nq2\td\t1\n"
WAYS = {
    "plain": lambda text: text.encode(),
    "BOM": lambda text: text.encode("utf-8-sig"),
    "Windows": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "old Mac": lambda text: text.replace("\n", "\r").encode(),
    "mixed": lambda text: text.replace("\n", "\r", 3).replace("\r", "\n", 1).encode(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("judgments", [QRELS, BEIR])
def test_the_figures_are_those_of_the_plain_files(way: str, judgments: str, tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_bytes(WAYS[way](RUN))
    (tmp_path / "qrels.txt").write_bytes(WAYS[way](judgments))
    args = ["eval", "--run", "run.txt", "--qrels", "qrels.txt", "-M", "r@1", "-M", "r@2"]
    done = run([*args, "-f", "table"], cwd=tmp_path)
    figures = [line.split()[:2] for line in done.stdout.splitlines() if line.startswith("R@")]
    assert figures == [["R@1", "50.00"], ["R@2", "100.00"]], done.stderr


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(RUN.encode(encoding))
    for read in (read_run, read_qrels):
        with pytest.raises(OeaError, match="x: expected lines or records; got UTF-16 text"):
            read(str(tmp_path / "x"))


@pytest.mark.parametrize("letters", ["é", "naïve", "“é”"])
def test_another_encoding_is_named_with_its_line(letters: str, tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(f"{RUN}q3 Q0 {letters} 1 0.5 x\n".encode("cp1252"))
    (tmp_path / "qrels").write_bytes(f"{QRELS}q3 0 {letters} 1\n".encode("cp1252"))
    for read, where in ((read_run, "run:5"), (read_qrels, "qrels:3")):
        with pytest.raises(OeaError, match=f"{where}: not UTF-8, but probably CP1252; convert"):
            read(str(tmp_path / where.partition(":")[0]))


def test_a_nul_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(b"#" * 5000 + b" Q0 a 1 0.9 x\nq1 Q0 b\0 2 0.8 x\n")
    with pytest.raises(OeaError, match="run:2: holds a NUL byte"):
        read_run(str(tmp_path / "run"))


def test_judgments_as_tables(tmp_path: Path) -> None:
    rows = pl.DataFrame({"query-id": ["q1", "q2"], "corpus-id": ["a", "d"], "score": [1, 2]})
    rows.write_csv(tmp_path / "q.csv")
    rows.write_parquet(tmp_path / "q.parquet")
    rows.write_ndjson(tmp_path / "q.jsonl")
    for name in ("q.csv", "q.parquet", "q.jsonl"):
        found = {query.id: query.targets for query in read_qrels(str(tmp_path / name))}
        assert found == {"q1": {"a": 1.0}, "q2": {"d": 2.0}}
