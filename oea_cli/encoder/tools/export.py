"""An encoder written out whole, for other machines and for other libraries.

`merged` is this project's own folder: LoRA added into the backbone's weights, the front end beside
them, and nothing left to fetch. `sentence-transformers` is the same folder with what that library
needs to load it, through the module in `sentence_transformers_module`; `onnx` is the same folder
with the graphs that run it without torch (`onnx_form`).
"""

import json
from dataclasses import replace
from pathlib import Path

import torch

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.parsing import Placement, parse_name
from oea_cli.encoder.names.places import FORM_FILE, encoder_folder
from oea_cli.encoder.names.released import RELEASED
from oea_cli.encoder.omni.folder import load_encoder_folder, save_encoder_folder
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.encoder.onnx.encoder import load_onnx_folder
from oea_cli.encoder.tools.onnx_form import write_onnx_form
from oea_cli.encoder.tools.parity import LIMITS, Check, equality
from oea_cli.errors import OeaError
from oea_cli.records.artefacts import whole_folder

MODULE = "oea_cli.encoder.sentence_transformers_module.OeaModule"
STORAGE = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def export(
    name: str,
    output: Path,
    *,
    format: str = "merged",
    storage: str = "float32",
    device: str = "auto",
) -> list[Check]:
    """Write the folder; returns how far the vectors of what was written are from the original's.

    `storage` is the backbone's number format on disk. In memory it is float32, twice while the two
    are compared. An encoder's own folder as `output` is given its ONNX form, and nothing else in it
    changes. Raises OeaError for an encoder that is no Qwen2.5-Omni with heads, and where the
    vectors differ.
    """
    if format == "onnx" and _is_folder_of(name, output):
        return add_onnx_form(output)
    encoder = load_encoder(name, device=device, dtype="float32")
    if not isinstance(encoder, OmniEncoder) or encoder.model.text_head is None:
        raise OeaError(f"{name}: only OEA encoders, a Qwen2.5-Omni with heads, can be exported")
    settings = encoder.front_end.settings
    origin = {**settings.training, "exported_from": encoder.encoder_id}
    if settings.base:
        origin["backbone"] = f"{settings.base}@{settings.base_revision}".rstrip("@")
    settings = replace(settings, base="", base_revision="", lora=True, training=origin)
    with whole_folder(output, "encoder.json") as folder:
        save_encoder_folder(folder, encoder.model, encoder.front_end, settings, STORAGE[storage])
        if format == "sentence-transformers":
            _add_modules(folder)
        placement = Placement(device=device, dtype="float32")
        checks = equality(encoder, load_encoder_folder(folder, None, placement), LIMITS[storage])
        if worst := [check for check in checks if not check.holds]:
            raise OeaError(
                f"{output}: not written; its {worst[0].what} would be off by {worst[0].value:.2g} "
                f"(limit {worst[0].limit:.2g})"
            )
        if format == "onnx":
            checks += add_onnx_form(folder)
    return checks


def add_onnx_form(folder: Path) -> list[Check]:
    """Give a whole encoder's folder its ONNX form; returns how far it is from torch.

    Raises OeaError for an adapter, and where the vectors differ: there is no form then.
    """
    write_onnx_form(folder)
    twin = load_encoder_folder(folder, None, Placement(device="cpu", dtype="float32"))
    found = equality(twin, load_onnx_folder(folder))
    checks = [replace(check, what=f"{check.what}, ONNX and torch") for check in found]
    if worst := [check for check in checks if not check.holds]:
        (folder / FORM_FILE).unlink()
        raise OeaError(
            f"{folder}: its ONNX form is not usable; {worst[0].what} would be off by "
            f"{worst[0].value:.2g} (limit {worst[0].limit:.2g})"
        )
    return checks


def _is_folder_of(name: str, output: Path) -> bool:
    """Whether the encoder of this name lies in the folder that is written to."""
    named = parse_name(name)
    if named.scheme or named.place in RELEASED or not output.is_dir():
        return False
    return encoder_folder(named.place).resolve() == output.resolve()


def _add_modules(folder: Path) -> None:
    modules = [{"idx": 0, "name": "0", "path": "", "type": MODULE}]
    settings = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine"}
    _write_json(folder / "modules.json", modules)
    _write_json(folder / "config_sentence_transformers.json", settings)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
