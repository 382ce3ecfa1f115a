"""The two projection heads on disk: heads.safetensors, always float32."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from oea_cli.encoder.omni.backbone import readable
from oea_cli.errors import OeaError

HEADS_FILE = "heads.safetensors"
HEADS = ("text_head", "audio_head")


def save_heads(folder: Path, heads: dict[str, Tensor]) -> None:
    """Write `{text_head,audio_head}.{linear.weight,norm.weight,norm.bias}`."""
    stored = {name: tensor.detach().cpu().float().contiguous() for name, tensor in heads.items()}
    save_file(stored, folder / HEADS_FILE, metadata={"format": "pt"})


def heads_of(model: nn.Module) -> dict[str, Tensor]:
    """The tensors of a model's heads, as they are saved."""
    return {name: tensor for name, tensor in model.state_dict().items() if name.startswith(HEADS)}


def load_heads(folder: Path, model: nn.Module) -> None:
    """Fill a model's heads, all of them and nothing else; raises OeaError where that fails."""
    path = folder / HEADS_FILE
    with readable(path):
        tensors = load_file(path)
    try:
        missing, unexpected = model.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise OeaError(f"{path}: {str(error).splitlines()[-1].strip()}") from error
    missing = [name for name in missing if name.startswith(HEADS)]
    if missing or unexpected:
        what = f"lacks {missing[0]}" if missing else f"has an unknown tensor {unexpected[0]}"
        raise OeaError(f"{path}: {what}; it does not fit encoder.json")
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise OeaError(f"{path}: holds numbers that are not finite")
