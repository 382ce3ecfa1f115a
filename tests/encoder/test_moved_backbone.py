"""An adapter whose backbone was moved: who names it, and what mends that."""

import json
from pathlib import Path

import pytest

from oea_cli.encoder.loading import load_encoder
from oea_cli.errors import OeaError


@pytest.mark.parametrize("base", ["../gone", "/nowhere/gone"])
def test_the_file_that_names_the_backbone_is_said(
    base: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    settings = json.loads((tiny_encoder / "encoder.json").read_text())
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "encoder.json").write_text(json.dumps({**settings, "base": base}))
    with pytest.raises(OeaError) as caught:
        load_encoder(str(folder))
    assert str(caught.value) == (
        f"{base}: no such folder (the backbone that {folder}/encoder.json names as its base; "
        "if it was moved, write its new place there)"
    )
