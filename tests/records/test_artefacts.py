"""Files that appear whole or not at all."""

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from oea_cli.records.artefacts import whole_folder, write_whole


def written_folder(path: Path) -> None:
    with whole_folder(path, "marker.json") as aside:
        (aside / "marker.json").write_text("{}")
        (aside / "part").mkdir()
        (aside / "part" / "weights").write_bytes(b"w")


@pytest.mark.parametrize(
    ("write", "files"), [(lambda path: write_whole(path, b"{}"), 1), (written_folder, 2)]
)
def test_content_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, write: Any, files: int
) -> None:
    """What only the system's memory holds is lost with its power."""
    called: list[str] = []

    def follow(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and function in (os.fsync, os.rename, os.replace):
            called.append("fsync" if function is os.fsync else "rename")

    sys.setprofile(follow)
    try:
        write(tmp_path / "x")
    finally:
        sys.setprofile(None)
    assert called == ["fsync"] * files + ["rename"]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
