"""A recipe is text like any other: a mark is no content, other encodings are named."""

from pathlib import Path

import pytest

from oea_cli.errors import OeaError
from oea_cli.records.recipe_files.reading import read_mapping

RECIPE = "# für Züge\nname: x\nsteps: 3\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_and_line_ends(encoding: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(RECIPE.replace("\n", end).encode(encoding))
    assert read_mapping(path) == {"name": "x", "steps": 3}


@pytest.mark.parametrize(
    ("encoding", "says"),
    [
        ("utf-16", r"r\.yaml: expected lines or records; got UTF-16 text"),
        ("utf-16-le", r"r\.yaml: expected lines or records; got UTF-16 text"),
        ("cp1252", r"r\.yaml:1: not UTF-8, but probably CP1252; convert the file with `iconv"),
    ],
)
def test_other_encodings_are_named(encoding: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(RECIPE.encode(encoding))
    with pytest.raises(OeaError, match=says):
        read_mapping(path)
