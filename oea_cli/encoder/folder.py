"""An encoder on disk: encoder.json, config.json, model.safetensors, heads.safetensors, tokenizer.

The backbone's tensors carry the names that transformers gives them, so AutoModel reads the folder
too. Weights are safetensors only.
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig

from oea_cli.encoder import encoder_folder
from oea_cli.encoder.front_end import FrontEnd, load_front_end
from oea_cli.encoder.names import EncoderName, Placement
from oea_cli.encoder.omni import OmniEncoder, OmniModel, build_backbone
from oea_cli.encoder.settings import EncoderSettings, load_settings, save_settings
from oea_cli.errors import OeaError

BACKBONE_FILE = "model.safetensors"
HEADS_FILE = "heads.safetensors"
HEADS = ("text_head", "audio_head")


def save_encoder_folder(
    folder: Path,
    model: OmniModel,
    front_end: FrontEnd,
    settings: EncoderSettings,
    storage: torch.dtype = torch.float32,
) -> None:
    """Write an encoder; encoder.json comes last, so that a half-written folder is not one.

    `storage` is the number format of the backbone on disk; the heads stay float32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "encoder.json").unlink(missing_ok=True)
    model.backbone.config.save_pretrained(str(folder))
    backbone = {name: _stored(t, storage) for name, t in model.backbone.state_dict().items()}
    save_file(backbone, folder / BACKBONE_FILE, metadata={"format": "pt"})
    heads = {
        f"{head}.{name}": _stored(tensor, torch.float32)
        for head in HEADS
        for name, tensor in getattr(model, head).state_dict().items()
    }
    save_file(heads, folder / HEADS_FILE, metadata={"format": "pt"})
    front_end.save(folder)
    save_settings(folder / "encoder.json", settings)


def load_encoder_folder(
    folder: Path, *, name: str | None = None, device: str = "auto", dtype: str = "auto"
) -> OmniEncoder:
    """Load what `save_encoder_folder` wrote, on `device`, the backbone in `dtype`.

    Raises OeaError when a file is missing or broken, or a tensor does not fit the configuration.
    """
    settings = load_settings(folder / "encoder.json")
    target = resolve_device(device)
    model = load_model(folder, settings)
    model.backbone.to(resolve_dtype(dtype, target))
    model.to(target)
    front_end = load_front_end(folder, settings)
    fingerprint = fingerprint_folder(folder, settings)
    return OmniEncoder(name or str(folder), fingerprint, model, front_end, settings)


def load_named_folder(name: EncoderName, placement: Placement) -> OmniEncoder:
    """A `Loader`: an encoder that lies on disk or inside the package."""
    name.allow()
    folder = encoder_folder(name.place)
    return load_encoder_folder(
        folder, name=str(name), device=placement.device, dtype=placement.dtype
    )


def load_model(folder: Path, settings: EncoderSettings) -> OmniModel:
    """The float32 model of an encoder folder, on the CPU."""
    try:
        config = Qwen2_5OmniThinkerConfig.from_pretrained(str(folder))
    except (OSError, ValueError) as error:
        raise OeaError(f"{folder / 'config.json'}: {error}") from error
    model = OmniModel(build_backbone(config), settings.dim)
    _fill(model.backbone, _read_tensors(folder / BACKBONE_FILE), folder / BACKBONE_FILE)
    heads = _read_tensors(folder / HEADS_FILE)
    for head in HEADS:
        own = {n.removeprefix(f"{head}."): t for n, t in heads.items() if n.startswith(head)}
        _fill(getattr(model, head), own, folder / HEADS_FILE)
    return model


def fingerprint_folder(folder: Path, settings: EncoderSettings) -> str:
    """16 hex digits over everything that decides a vector: settings, weights, tokenizer, mel."""
    digest = hashlib.sha256(json.dumps(settings.identity(), sort_keys=True).encode())
    for name in (BACKBONE_FILE, HEADS_FILE, "tokenizer.json", "preprocessor_config.json"):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def resolve_device(device: str) -> torch.device:
    """`auto` is the first GPU there is, else the CPU; raises OeaError for one that is not there."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        target = torch.device(device)
    except RuntimeError as error:
        raise OeaError(f"device '{device}' is not one of auto, cpu, cuda, cuda:1, mps") from error
    available = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    if (target.index or 0) >= available.get(target.type, 0):
        raise OeaError(f"there is no device '{device}' on this machine; try --device auto")
    return target


def resolve_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 on CUDA, as OEA runs, and float32 elsewhere."""
    if dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[dtype]


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return {name: tensor.float() for name, tensor in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise OeaError(f"{path}: cannot be read as safetensors ({error})") from error


def _fill(module: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Load exactly these tensors; one that is missing, left over or misshapen is an error."""
    try:
        missing, unexpected = module.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise OeaError(f"{path}: {str(error).splitlines()[-1].strip()}") from error
    if missing or unexpected:
        what = f"lacks {missing[0]}" if missing else f"has an unknown tensor {unexpected[0]}"
        raise OeaError(f"{path}: {what}; it does not fit the configuration beside it")


def _stored(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.detach().to("cpu", dtype).contiguous()
