"""An encoder's window must have a length: 0, negative, nan or a text is one line at loading."""

import json
import shutil
from pathlib import Path

import pytest

from oea_cli.encoder.loading import load_encoder
from oea_cli.errors import OeaError
from oea_cli.records.recipe_files.fields import Positive


def with_field(tiny_encoder: Path, folder: Path, name: str, value: str) -> Path:
    """The tiny encoder with another value in its encoder.json, as JSON has it."""
    copy = folder / "encoder"
    shutil.copytree(tiny_encoder, copy)
    settings = json.loads((copy / "encoder.json").read_text())
    settings[name] = "@"
    (copy / "encoder.json").write_text(json.dumps(settings).replace('"@"', value))
    return copy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("max_seconds", value)
            for value in ("0", "-1", "NaN", "Infinity", '"10"', "true", "null")
        ),
        *(("sample_rate", value) for value in ("0", "-16000", "16000.5", '"16k"', "true")),
        *(("dim", value) for value in ("0", "[]", "1e3")),
        ("max_text_tokens", "0"),
        ("lora", "1"),
        ("text_prompt", "7"),
        ("training", "[]"),
    ],
)
def test_a_value_that_makes_no_sense(
    tiny_encoder: Path, tmp_path: Path, name: str, value: str
) -> None:
    folder = with_field(tiny_encoder, tmp_path, name, value)
    with pytest.raises(OeaError) as caught:
        load_encoder(str(folder))
    said = str(caught.value)
    assert said.startswith(f"{folder}/encoder.json: {name} cannot be ") and "\n" not in said


def test_a_window_shorter_than_a_sample(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = with_field(tiny_encoder, tmp_path, "max_seconds", "1e-9")
    with pytest.raises(OeaError, match=r"max_seconds must be a number of seconds from 0\.01 "):
        load_encoder(str(folder))


def test_a_rate_that_no_sound_has(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = with_field(tiny_encoder, tmp_path, "sample_rate", "1")
    with pytest.raises(
        OeaError, match="sample_rate must be a whole number from 1,000 to 2,000,000"
    ):
        load_encoder(str(folder))


@pytest.mark.parametrize("option", ["max_seconds=0", "max_seconds=nan", "max_seconds=-3"])
def test_options_of_a_name(option: str) -> None:
    with pytest.raises(OeaError, match="max_seconds must be a number above 0; got"):
        load_encoder(f"http://127.0.0.1:9/v1?model=x&dim=4&{option}")


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "ten"])
def test_recipes(value: object) -> None:
    from pydantic import TypeAdapter, ValidationError

    with pytest.raises(ValidationError):
        TypeAdapter(Positive).validate_python(value)
