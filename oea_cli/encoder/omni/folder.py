"""An encoder on disk: a whole one, or an adapter whose backbone lies elsewhere.

A whole one is encoder.json, config.json, model.safetensors, heads.safetensors, tokenizer.json and
preprocessor_config.json; the backbone's tensors carry the names that transformers gives them, so
AutoModel reads the folder too. Weights are safetensors only.
"""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from oea_cli.encoder.hardware import resolve_device, resolve_dtype
from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.names.places import BUILT_IN, FORM_FILE, encoder_folder
from oea_cli.encoder.omni.adapter import ADAPTER_CONFIG, ADAPTER_FILE, attach_adapter
from oea_cli.encoder.omni.backbone import WEIGHTS_FILE, Checkpoint, find_checkpoint, load_backbone
from oea_cli.encoder.omni.fingerprint import fingerprint
from oea_cli.encoder.omni.front_end import FrontEnd, load_front_end
from oea_cli.encoder.omni.heads import HEADS_FILE, heads_of, load_heads, save_heads
from oea_cli.encoder.omni.omni import OmniEncoder, OmniModel
from oea_cli.encoder.omni.quantization import quantize
from oea_cli.encoder.omni.settings import EncoderSettings, load_settings, save_settings
from oea_cli.errors import OeaError


def save_encoder_folder(
    folder: Path,
    model: OmniModel,
    front_end: FrontEnd,
    settings: EncoderSettings,
    storage: torch.dtype = torch.float32,
) -> None:
    """Write a whole encoder; encoder.json comes last, so that a half-written folder is not one.

    `storage` is the number format of the backbone on disk; the heads stay float32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("encoder.json", FORM_FILE):  # an ONNX form fits the weights it was made from
        (folder / name).unlink(missing_ok=True)
    model.backbone.config.save_pretrained(str(folder))
    backbone = {name: _stored(t, storage) for name, t in model.backbone.state_dict().items()}
    save_file(backbone, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    save_heads(folder, heads_of(model))
    front_end.save(folder)
    save_settings(folder / "encoder.json", settings)


def load_named_folder(name: EncoderName, placement: Placement) -> OmniEncoder:
    """A `Loader`: an encoder that lies on disk or inside the package."""
    name.allow()
    return load_encoder_folder(encoder_folder(name.place), str(name), placement)


def load_encoder_folder(
    folder: Path, name: str | None = None, placement: Placement | None = None
) -> OmniEncoder:
    """Load what `save_encoder_folder` or `save_adapter_folder` wrote.

    Raises OeaError when a file is missing or broken, or a tensor does not fit the configuration.
    """
    settings = load_settings(folder / "encoder.json")
    checkpoint = _checkpoint_of(folder, settings)
    if settings.base and settings.attention != checkpoint.attention:
        raise OeaError(
            f"{folder}: made for a backbone with {settings.attention} attention; that of "
            f"{settings.base} is {checkpoint.attention}"
        )
    lora = folder if settings.base and settings.lora else None
    if lora is None and (folder / ADAPTER_FILE).is_file():
        raise OeaError(
            f"{folder}: has {ADAPTER_FILE}, but encoder.json knows of none; move it away, or load "
            f"the adapter alone, as omni:{folder}"
        )
    return assemble(
        name or str(folder),
        settings,
        checkpoint,
        placement or Placement(),
        heads=folder,
        lora=lora,
    )


def assemble(
    name: str,
    settings: EncoderSettings,
    checkpoint: Checkpoint,
    placement: Placement,
    *,
    heads: Path | None = None,
    lora: Path | None = None,
) -> OmniEncoder:
    """An encoder out of a checkpoint and what the folders `heads` and `lora` add, where given."""
    settings = replace(settings, attention=checkpoint.attention)
    front_end = load_front_end(checkpoint.folder, settings)
    device = resolve_device(placement.device)
    backbone = load_backbone(
        checkpoint, resolve_dtype(placement.dtype, device, checkpoint.is_large), device
    )
    added = [] if heads is None else [heads / HEADS_FILE]
    if lora is not None:
        added += [lora / ADAPTER_FILE, lora / ADAPTER_CONFIG]
        backbone = attach_adapter(backbone, lora)
    quantize(backbone, placement.quantize)
    model = OmniModel(backbone, settings.dim if heads else None, settings.pooling)
    if heads is not None:
        load_heads(heads, model)
    model.to(device)
    known_by = fingerprint(settings, checkpoint.files, added, checkpoint.folder)
    return OmniEncoder(name, known_by, model, front_end, settings)


def _checkpoint_of(folder: Path, settings: EncoderSettings) -> Checkpoint:
    """The backbone; raises OeaError that says who names it where it cannot be had."""
    try:
        return find_checkpoint(base_of(folder, settings), settings.base_revision or None)
    except OeaError as error:
        if not settings.base:
            raise
        raise OeaError(
            f"{error} (the backbone that {folder / 'encoder.json'} names as its base; "
            "if it was moved, write its new place there)"
        ) from error


def base_of(folder: Path, settings: EncoderSettings) -> str:
    """Where the backbone is: here, in a folder (perhaps relative to this one), inside the package
    under a built-in encoder's name, or in a repository."""
    for place in (folder / settings.base, BUILT_IN / settings.base):
        if place.is_dir():
            return str(place)
    return settings.base


def _stored(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.detach().to("cpu", dtype).contiguous()
