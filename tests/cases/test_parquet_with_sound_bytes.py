"""A Parquet file that holds the sounds themselves: named before any work, never taken for text."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from oea_cli.errors import OeaError
from tests.commands.in_process import run
from tests.reading import ids, strictly

HUGGING_FACE = pl.Struct({"bytes": pl.Binary, "path": pl.String})


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def encoded(format: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.sin(np.arange(4000) / 9), 16_000, format=format)
    return file.getvalue()


def stored(column: str, values: list[Any], dtype: Any = None, **others: list[Any]) -> None:
    pl.DataFrame({column: pl.Series(values, dtype=dtype), **others}).write_parquet("hub.parquet")


def struct(content: bytes | None, path: str | None = None) -> dict[str, Any]:
    return {"bytes": content, "path": path}


@pytest.mark.parametrize(
    ("column", "values", "dtype"),
    [
        ("audio", [struct(encoded())], pl.Struct({"bytes": pl.Binary, "path": pl.Null})),
        ("audio", [struct(encoded("MP3"), "a.mp3")], HUGGING_FACE),
        ("audio", [struct(None), struct(b"of an unknown kind")], HUGGING_FACE),
        ("recording", [struct(encoded("OGG"))], HUGGING_FACE),
        ("takes", [[], [struct(encoded("FLAC"))]], pl.List(HUGGING_FACE)),
        ("sound", [None, encoded()], pl.Binary),
    ],
)
def test_the_sounds_are_named_and_no_text_is_taken_for_them(
    column: str, values: list[Any], dtype: Any
) -> None:
    stored(column, values, dtype, text=["rain"] * len(values))
    done = run(["embed", "hub.parquet", "-m", "nowhere/at/all"])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"oea embed: hub.parquet: the sounds are stored inside it, as bytes in the column "
        f"'{column}', and are not read in place; write them to files first: "
    )
    assert len(done.stderr.splitlines()) == 1


def test_what_is_said_of_the_sounds_is_still_read(tiny_encoder: Path) -> None:
    stored("audio", [struct(encoded(), "a.wav")], HUGGING_FACE, text=["rain"])
    done = run(["embed", "--text", "hub.parquet", "-m", tiny_encoder, "-q"])
    assert json.loads(done.stdout)["text"] == "rain"
    assert ids(strictly("hub.parquet", sounds=False)) == ["a.wav"]


def test_files_that_rows_name_are_read(tone: Callable[..., Path]) -> None:
    tone(Path("a.wav"))
    stored("audio", [struct(encoded(), "a.wav")], HUGGING_FACE)
    assert strictly("hub.parquet") == [{"id": "a.wav", "path": "a.wav"}]


def test_pictures_are_no_sounds() -> None:
    stored("cover", [struct(b"\x89PNG\r\n\x1a\n")], HUGGING_FACE, path=["gone.wav"])
    assert ids(strictly("hub.parquet")) == ["gone.wav"]
    stored("thumbnail", [b"\x89PNG\r\n\x1a\n"], path=["gone.wav"])
    assert ids(strictly("hub.parquet")) == ["gone.wav"]


def test_nothing_is_embedded_before_such_a_file_among_others() -> None:
    Path("a.csv").write_text("path\nx.wav\n")
    stored("audio", [struct(encoded())], HUGGING_FACE)
    with pytest.raises(OeaError, match=r"^hub\.parquet: the sounds are stored inside it"):
        strictly("a.csv", "hub.parquet")
