"""A list that pandas wrote into a cell of CSV is a list: of captions, of targets."""

from pathlib import Path

import numpy as np
import pytest

from oea_cli.clips.queries import read_queries
from oea_cli.clips.uiq import uiq_row_from
from oea_cli.records.cells import value_of
from oea_cli.records.inputs import read_records
from oea_cli.records.tables import read_table
from tests.commands.in_process import run


def test_captions_and_targets_are_lists(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text(
        """path,captions\na.wav,"['rain on a roof', ""it's raining""]"\n"""
    )
    (record,) = read_records([str(tmp_path / "clips.csv")])
    assert record["captions"] == ["rain on a roof", "it's raining"]
    texts = read_records([str(tmp_path / "clips.csv")], text=True)
    assert [record["id"] for record in texts] == ["a.wav#1", "a.wav#2"]
    (tmp_path / "queries.csv").write_text("""id,text,target\nq1,rain,"['a', 'b']"\n""")
    (tmp_path / "run.txt").write_text("q1 Q0 b 1 0.9 x\nq1 Q0 z 2 0.8 x\n")
    args = ["eval", "--run", "run.txt", "--queries", "queries.csv", "-M", "recall@1"]
    done = run([*args, "-f", "json"], cwd=tmp_path)
    assert '"targets": [["a","b"]]' in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("['a', 'b']", ["a", "b"]),
        ('["a", "\\u00e4"]', ["a", "ä"]),  # JSON
        ("['a' 'b']", ["a", "b"]),  # numpy
        (str(np.array(["it's " * 20, 'say "b"'], object)), ["it's " * 20, 'say "b"']),
        ("('a', 'b')", ["a", "b"]),
        ("[]", []),
        ("[7, 12345678901234567890123]", ["7", "12345678901234567890123"]),
        ("['a', None]", ["a", None]),
        (repr(["a\nb", "ä\\"]), ["a\nb", "ä\\"]),
        ("{'a': 2, 'b': 1.5}", {"a": 2.0, "b": 1.5}),
        ("[music playing]", "[music playing]"),
        ("(rain)", "(rain)"),
        ("['a'] and ['b']", "['a'] and ['b']"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_what_is_a_list(cell: str, value: object) -> None:
    assert value_of(cell) == value


def test_a_grade_for_each_target(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("""id,text,target\nq,rain,"{'a': 2, 'b': 0}"\n""")
    (query,) = read_queries([str(tmp_path / "q.csv")])
    assert query.targets == {"a": 2.0}


def test_rows_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text(
        "audio_id,dataset,query_type,generated_query,original_captions\n"
        """a,clotho,question,Is it rain?,"['rain', 'wet']"\n"""
    )
    ((where, row),) = read_table(str(tmp_path / "u.csv"))
    assert uiq_row_from(where, row).captions == ("rain", "wet")


def test_other_columns_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("""path,tags\na.wav,"['x']"\n""")
    (record,) = read_records([str(tmp_path / "c.csv")])
    assert record["tags"] == "['x']"
