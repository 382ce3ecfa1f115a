"""An encoder written out whole, for other machines and for other libraries.

`merged` is this project's own folder: LoRA added into the backbone's weights, the front end beside
them, and nothing left to fetch. `sentence-transformers` is the same folder with what that library
needs to load it, through the module in `sentence_transformers_module`.
"""

import json
from dataclasses import replace
from pathlib import Path

import torch

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.names.parsing import Placement
from oea_cli.encoder.omni.folder import load_encoder_folder, save_encoder_folder
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.encoder.tools.parity import LIMITS, Check, equality
from oea_cli.errors import OeaError
from oea_cli.records.artefacts import whole_folder

MODULE = "oea_cli.encoder.sentence_transformers_module.OeaModule"
STORAGE = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def export(
    name: str,
    output: Path,
    *,
    to_sentence_transformers: bool = False,
    storage: str = "float32",
    device: str = "auto",
) -> list[Check]:
    """Write the folder; returns how far the vectors of what was written are from the original's.

    `storage` is the backbone's number format on disk. In memory it is float32, twice while the two
    are compared. Raises OeaError for an encoder that is no Qwen2.5-Omni with heads, and where the
    vectors differ.
    """
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
        if to_sentence_transformers:
            _add_modules(folder)
        placement = Placement(device=device, dtype="float32")
        checks = equality(encoder, load_encoder_folder(folder, None, placement), LIMITS[storage])
        if worst := [check for check in checks if not check.holds]:
            raise OeaError(
                f"{output}: not written; its {worst[0].what} would be off by {worst[0].value:.2g} "
                f"(limit {worst[0].limit:.2g})"
            )
    return checks


def _add_modules(folder: Path) -> None:
    modules = [{"idx": 0, "name": "0", "path": "", "type": MODULE}]
    settings = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine"}
    _write_json(folder / "modules.json", modules)
    _write_json(folder / "config_sentence_transformers.json", settings)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
