"""Texts beyond an encoder's limit: one notice with the count, in every verb that encodes texts."""

import json
from pathlib import Path

import pytest

from tests.commands.in_process import run

LONG = "a dog barks at the rain " * 400
NOTICE = "longer than the encoder's 512 tokens; what is beyond them does not count"


@pytest.fixture(scope="module")
def index(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut")
    rows = [{"id": f"{n}", "text": f"sound {n}", "captions": [f"{LONG} {n}"]} for n in range(3)]
    (folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    vectors = folder / "v.jsonl"
    done = run(["embed", "--text", folder / "texts.jsonl", "-m", tiny_encoder, "-o", vectors, "-q"])
    assert (done.returncode, done.stderr) == (0, "")
    assert run(["index", vectors, "-o", folder / "i.oea", "-q"]).returncode == 0
    return folder / "i.oea"


def test_embed(tiny_encoder: Path, tmp_path: Path) -> None:
    texts = ["rain", LONG, f"{LONG} 2", f"{LONG} 3"]
    (tmp_path / "t.txt").write_text("\n".join(texts))
    embed = ["embed", "--text", "-m", tiny_encoder, "-o", tmp_path / "x.jsonl"]
    for texts_given, counted in ((tmp_path / "t.txt", "3 texts"), (LONG, "1 text")):
        notice, _ = run([*embed, texts_given]).stderr.splitlines()
        assert notice == f"oea embed: {counted}: {NOTICE}"
    assert run([*embed, tmp_path / "t.txt", "-q"]).stderr == ""


def test_search_counts_the_query_and_what_is_excluded(index: Path) -> None:
    done = run(["search", LONG, "--not", f"{LONG} wind", "-i", index])
    assert done.returncode == 0
    assert done.stderr == f"oea search: 2 texts: {NOTICE}\n"
    assert run(["search", "rain", "-i", index]).stderr == ""


def test_eval_counts_queries(index: Path, tmp_path: Path) -> None:
    queries = [{"id": f"q{n}", "text": f"{LONG} {n}", "target": f"{n}"} for n in range(3)]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    done = run(["eval", "--queries", tmp_path / "q.jsonl", "-i", index, "-f", "json"])
    assert done.returncode == 0
    assert done.stderr.splitlines().count(f"oea eval: 3 texts: {NOTICE}") == 1


def test_mining_counts_captions(tiny_encoder: Path, tmp_path: Path) -> None:
    rows = [
        {"id": name, "captions": [f"{LONG} {name}"], "embedding": vector}
        for name, vector in [("a", [1.0, 0.0]), ("b", [0.9, 0.4]), ("c", [0.8, -0.6])]
    ]
    clips = tmp_path / "clips.jsonl"
    clips.write_text("".join(json.dumps(row) + "\n" for row in rows))
    mine = ["mine-negatives", clips, "--text-model", tiny_encoder, "--max-text-similarity", "1"]
    lines = [line for line in run(mine).stderr.splitlines() if "tokens" in line]
    assert lines == [f"oea mine-negatives: 3 texts: {NOTICE}"]
