"""Weights in fewer bits, through bitsandbytes (extra `[quant]`), on the CPU and on CUDA alike."""

from typing import Any

import torch
from torch import nn

from oea_cli.errors import OeaError

# bitsandbytes' CPU kernel for int4 takes rows in blocks of 64 inputs and 32 outputs.
INT4_INPUTS, INT4_OUTPUTS = 64, 32


def quantize(backbone: Any, kind: str) -> None:
    """Replace a backbone's linear layers, in place: `none`, `int8` (LLM.int8) or `int4` (NF4).

    LoRA beside a layer stays as it is, and so do embeddings, norms, convolutions, heads, and layers
    of sizes that int4 cannot pack: the same ones on every device, so that vectors agree.
    Raises OeaError where bitsandbytes is not installed.
    """
    if kind == "none":
        return
    try:
        import bitsandbytes
    except ImportError as error:
        raise OeaError(f"--quantize {kind} needs bitsandbytes: pip install 'oea[quant]'") from error
    replace = _int8 if kind == "int8" else _int4
    for parent, name, layer in _frozen_linears(backbone):
        if can_quantize(layer, kind):
            setattr(parent, name, _prepared(replace(bitsandbytes.nn, layer), layer))


def can_quantize(layer: nn.Linear, kind: str) -> bool:
    """Whether a layer's sizes suit `int8` (any do) or `int4`."""
    if kind == "int8":
        return True
    return layer.in_features % INT4_INPUTS == 0 and layer.out_features % INT4_OUTPUTS == 0


def _frozen_linears(backbone: nn.Module) -> list[tuple[nn.Module, str, nn.Linear]]:
    return [
        (parent, name, child)
        for path, parent in backbone.named_modules()
        if "lora_" not in path
        for name, child in parent.named_children()
        if type(child) is nn.Linear and not name.startswith("lora_")
    ]


def _prepared(quantized: nn.Module, layer: nn.Linear) -> nn.Module:
    """The layer after its first call, which sets up its state: several threads may make the next.

    Int4 is packed for the CPU in that call, which it leaves out while training.
    """
    quantized = quantized.to(layer.weight.device).eval()  # the move is what quantises
    with torch.inference_mode():
        quantized(layer.weight.new_zeros(1, layer.in_features))
    return quantized


def _int8(library: Any, layer: nn.Linear) -> nn.Module:
    size = (layer.in_features, layer.out_features)
    made: nn.Module = library.Linear8bitLt(*size, bias=False, has_fp16_weights=False, device="meta")
    made.weight = library.Int8Params(layer.weight.data, requires_grad=False, has_fp16_weights=False)
    made.bias = layer.bias
    return made


def _int4(library: Any, layer: nn.Linear) -> nn.Module:
    weight = layer.weight
    made: nn.Module = library.Linear4bit(
        layer.in_features,
        layer.out_features,
        bias=False,
        compute_dtype=weight.dtype,
        quant_type="nf4",
        device="meta",
    )
    made.weight = library.Params4bit(weight.data, requires_grad=False, quant_type="nf4")
    made.bias = layer.bias
    return made
