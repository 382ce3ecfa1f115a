"""What a run leaves: an encoder folder that every other verb takes."""

import shutil
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from oea_cli.encoder.names.places import FORM_FILE
from oea_cli.encoder.omni.adapter import lora_of, save_adapter_folder
from oea_cli.encoder.omni.folder import save_encoder_folder
from oea_cli.encoder.omni.heads import heads_of
from oea_cli.encoder.tools.onnx_form import write_onnx_form
from oea_cli.errors import OeaError
from oea_cli.records.artefacts import with_ordinary_permissions
from oea_cli.training.loop.learner import Learner
from oea_cli.training.loop.starting_point import StartingPoint

STORAGE = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
LAST = "encoder.json"
"""Written last, and removed first: a folder with it is whole."""


def save_result(
    folder: Path, learner: Learner, start: StartingPoint, training: dict[str, Any], storage: str
) -> None:
    """Write the encoder into a run's folder: an adapter where the backbone is someone else's.

    It is written aside first, so that a full disk leaves what was there.
    """
    aside = folder / "encoder.tmp"
    settings = replace(start.settings, training=training)
    try:
        shutil.rmtree(aside, ignore_errors=True)
        with learner.averaged() as model:
            if settings.base:
                lora, config = None, None
                if start.lora is not None:
                    lora, config = lora_of(start.lora), start.lora.peft_config["default"]
                save_adapter_folder(aside, lora, heads_of(model), settings, config)
            else:
                save_encoder_folder(aside, model, start.front_end, settings, STORAGE[storage])
                _add_onnx_form(aside)
        with_ordinary_permissions(aside)
        _move_into(folder, aside)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise OeaError(
            f"{folder}: the encoder cannot be written ({error}); its checkpoint is whole, "
            "and the same command writes the encoder again"
        ) from error


def _add_onnx_form(folder: Path) -> None:
    """Let it run without torch, where the library that writes graphs is installed."""
    if find_spec("onnx") is not None:
        with suppress(OeaError):  # of a configuration that has none; the encoder is whole
            write_onnx_form(folder)


def _move_into(folder: Path, aside: Path) -> None:
    for name in (LAST, FORM_FILE):
        (folder / name).unlink(missing_ok=True)
    names = sorted(path.name for path in aside.iterdir())
    for name in sorted(names, key=lambda name: name == LAST):
        (aside / name).replace(folder / name)
    aside.rmdir()
