"""An encoder of a real size with random weights, without any download: for measuring only.

Speed and memory depend on shapes and number formats, not on values. Weights are made in their final
format, on their device: never a second copy in float32.
"""

import warnings
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from peft import get_peft_model
from torch import Tensor
from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniThinkerConfig

from oea_cli.encoder.hardware import resolve_device, resolve_dtype
from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.encoder.names.places import encoder_folder
from oea_cli.encoder.names.released import RELEASED
from oea_cli.encoder.omni.adapter import lora_config
from oea_cli.encoder.omni.backbone import build_backbone, read_config
from oea_cli.encoder.omni.bare import MAX_SECONDS
from oea_cli.encoder.omni.fresh import ModelSizes, new_front_end, train_tokenizer
from oea_cli.encoder.omni.front_end import FrontEnd, load_front_end
from oea_cli.encoder.omni.known_backbones import KNOWN_BACKBONES, backbone_config
from oea_cli.encoder.omni.omni import OmniEncoder, OmniModel
from oea_cli.encoder.omni.prompts import chat
from oea_cli.encoder.omni.quantization import quantize
from oea_cli.encoder.omni.settings import EncoderSettings, load_settings
from oea_cli.errors import UsageError

DIM = 512
STANDARD_DEVIATION = 0.02
LARGE_WIDTH = 1024
BLOCK = 2**24  # random numbers that are drawn; larger weights repeat them
VOCABULARY = 4096  # of the stand-in tokenizer, whose ids lie within any real vocabulary


def random_encoder(
    name: EncoderName, placement: Placement, texts: tuple[str, ...] = ()
) -> OmniEncoder:
    """An encoder like the one of this name, with random weights.

    A released checkpoint (its LoRA beside bfloat16 weights, as it runs), a known bare backbone
    (`omni:Qwen/Qwen2.5-Omni-7B`), or the configuration in a local encoder's folder. Where there is
    no tokenizer at hand, one is trained on `texts`. Raises UsageError for any other name.
    """
    name.allow()
    if name.scheme == "" and name.place not in RELEASED:
        return _like_folder(name, encoder_folder(name.place), placement)
    is_released = name.scheme == ""
    repository = RELEASED[name.place].base.repo if is_released else name.place
    if name.scheme not in ("", "omni") or repository not in KNOWN_BACKBONES:
        known = ", ".join([*RELEASED, *(f"omni:{place}" for place in KNOWN_BACKBONES)])
        raise UsageError(f"{name}: its sizes are not known; known: {known}, or a local encoder")
    config, attention = backbone_config(repository), KNOWN_BACKBONES[repository].attention
    settings = EncoderSettings(
        dim=DIM if is_released else config.text_config.hidden_size, max_seconds=MAX_SECONDS
    )
    front_end = _front_end(texts, settings)
    config.audio_token_index = front_end.audio_id
    return _encoder(name, config, attention, front_end, placement, with_lora=is_released)


def _like_folder(name: EncoderName, folder: Path, placement: Placement) -> OmniEncoder:
    settings = load_settings(folder / "encoder.json")
    if settings.base:
        raise UsageError(f"{name}: is an adapter; --random-weights takes the name of its backbone")
    config, attention = read_config(folder)
    return _encoder(name, config, attention, load_front_end(folder, settings), placement)


def _encoder(
    name: EncoderName,
    config: Qwen2_5OmniThinkerConfig,
    attention: str,
    front_end: FrontEnd,
    placement: Placement,
    with_lora: bool = False,
) -> OmniEncoder:
    device = resolve_device(placement.device)
    is_large = config.text_config.hidden_size >= LARGE_WIDTH
    dtype = resolve_dtype(placement.dtype, device, is_large)
    backbone = random_backbone(config, attention, dtype, device)
    if with_lora and dtype != torch.float32:
        backbone = _with_lora(backbone)
    quantize(backbone, placement.quantize)
    settings = front_end.settings
    has_heads = name.scheme == ""
    model = OmniModel(backbone, settings.dim if has_heads else None, settings.pooling).to(device)
    return OmniEncoder(str(name), "random", model, front_end, settings)


def random_backbone(
    config: Qwen2_5OmniThinkerConfig, attention: str, dtype: torch.dtype, device: torch.device
) -> Any:
    """The Thinker of this configuration, its weights random."""
    with init_empty_weights(include_buffers=False):
        backbone = build_backbone(config, attention)
    generator = torch.Generator(device).manual_seed(0)
    drawn = torch.empty(BLOCK, dtype=dtype, device=device)
    drawn.normal_(0.0, STANDARD_DEVIATION, generator=generator)
    for name, empty in backbone.state_dict().items():
        tensor = torch.empty(empty.shape, dtype=dtype, device=device)
        _fill(name, tensor, drawn)
        backbone.load_state_dict({name: tensor}, strict=False, assign=True)
    return backbone.to(device).eval().requires_grad_(False)


def _fill(name: str, tensor: Tensor, drawn: Tensor) -> None:
    if tensor.ndim == 1:
        tensor.fill_(0.0 if name.endswith("bias") else 1.0)
        return
    for part in torch.split(tensor.view(-1), BLOCK):
        part.copy_(drawn[: len(part)])


def _with_lora(backbone: Any) -> Any:
    config = lora_config(dropout=0.0)
    config.inference_mode = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of PEFT's use of transformers
        return get_peft_model(backbone, config, autocast_adapter_dtype=False).base_model.model


def _front_end(texts: tuple[str, ...], settings: EncoderSettings) -> FrontEnd:
    """Qwen2.5-Omni's mel, and a tokenizer that knows the words of these texts, as the real one."""
    lines = [chat(settings.system_prompt, settings.text_prompt + text) for text in texts or ("",)]
    tokenizer = train_tokenizer(lines * 2, VOCABULARY)  # a pair has to come twice to be merged
    return new_front_end(tokenizer, ModelSizes(hop_length=160), settings)
