"""`--where` was SQL with the reader functions of its engine: it opened any file, and 3,000
conditions never ended."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from oea_cli.vectors.batch import Batch
from oea_cli.vectors.index.building import build_index
from tests.commands.in_process import run


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three clips in i.oea, and a file that no condition may read."""
    monkeypatch.chdir(tmp_path)
    records = [
        {"id": "a.wav", "duration": 2.5, "tags": ["rain", "roof"]},
        {"id": "b.wav", "duration": 7, "tags": ["dog"], "meta": {"place": "yard"}},
        {"id": "c.wav", "duration": 30},
    ]
    vectors = np.eye(3, dtype=np.float32)
    build_index(Path("i.oea"), [Batch(records, vectors)], dim=3, encoder=None)
    Path("s.csv").write_text("secret\nb.wav\n")
    return Path("i.oea")


def chosen(index: Path, condition: str) -> list[str]:
    done = run(["search", "--like", "a.wav", "-i", index, "--where", condition, "-f", "jsonl"])
    assert done.returncode == 0, done.stderr
    return sorted(json.loads(line)["id"] for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    "condition",
    [
        "id IN (SELECT secret FROM read_csv('s.csv'))",  # as reported
        "id IN (SELECT secret FROM 's.csv')",
        "id = read_parquet('s.csv')",
        "EXISTS (SELECT * FROM read_ndjson('s.csv'))",
        "duration < 9; SELECT * FROM read_csv('s.csv')",
        "id LIKE (SELECT secret FROM self)",
    ],
)
def test_a_condition_opens_no_file(index: Path, condition: str) -> None:
    done = run(["search", "--like", "a.wav", "-i", index, "--where", condition])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("oea search: --where, character ")
    assert "b.wav" not in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        (" AND ".join(["duration < 9"] * 3000), ["b.wav"]),  # as reported
        (" AND ".join(f"duration < {number + 9}" for number in range(3000)), ["b.wav"]),
        (" OR ".join(f"id = '{number}.wav'" for number in range(3000)), []),
        ("(" * 3000 + "duration < 9" + ")" * 3000, ["b.wav"]),
        ("NOT " * 3001 + "duration < 9", ["c.wav"]),
        ("id IN (" + ", ".join(["'b.wav'"] * 10_000) + ")", ["b.wav"]),
    ],
    ids=["alike", "different", "or", "nested", "not", "list"],
)
def test_thousands_of_conditions_are_answered_at_once(
    index: Path, condition: str, ids: list[str]
) -> None:
    began = time.process_time()
    assert chosen(index, condition) == ids
    assert time.process_time() - began < 10


def test_a_condition_over_lists_objects_and_what_is_not_there(index: Path) -> None:
    assert chosen(index, "tags = 'dog' OR tags = 'roof'") == ["b.wav"]
    assert chosen(index, "meta.place LIKE 'y%'") == ["b.wav"]
    assert chosen(index, "tags IS NULL AND meta IS NULL") == ["c.wav"]


def test_a_misspelt_column_is_refused_with_the_columns_there_are(index: Path) -> None:
    done = run(["search", "--like", "a.wav", "-i", index, "--where", "duraton < 9"])
    assert done.returncode == 2
    assert done.stderr == (
        "oea search: --where: no record has 'duraton'; did you mean 'duration'? "
        "The columns are 'duration', 'id', 'meta', 'tags'\n"
    )
