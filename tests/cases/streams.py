"""Small inputs for the tests about streams: a run with its judgments, and an index."""

import json
from pathlib import Path

import pytest

from tests.commands.in_process import run


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with run.txt and qrels.txt (R@1 is 0.5), v.jsonl and v.oea: three clips."""
    (tmp_path / "run.txt").write_text("q1 Q0 a 1 0.9 t\nq2 Q0 a 1 0.9 t\n")
    (tmp_path / "qrels.txt").write_text("q1 0 a 1\nq2 0 b 1\n")
    rows = [
        {"id": f"r{i}", "captions": ["a dog — “barks”"], "embedding": [1.0, i, 0.0]}
        for i in range(3)
    ]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    built = run(["index", "v.jsonl", "-o", "v.oea", "-q"], cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    return tmp_path
