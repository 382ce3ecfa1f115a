"""Weights in fewer bits, through bitsandbytes (extra `[quant]`), on the CPU and on CUDA alike."""

from typing import Any

import torch
from torch import nn

from oea_cli.errors import OeaError


def quantize(backbone: Any, kind: str) -> None:
    """Replace a backbone's linear layers, in place: `none`, `int8` (LLM.int8) or `int4` (NF4).

    LoRA beside a layer stays as it is, and so do embeddings, norms, convolutions and heads.
    """
    if kind == "none":
        return
    try:
        import bitsandbytes
    except ImportError as error:
        raise OeaError(f"--quantize {kind} needs bitsandbytes: pip install 'oea[quant]'") from error
    replace = _int8 if kind == "int8" else _int4
    for parent, name, layer in _frozen_linears(backbone):
        setattr(parent, name, replace(bitsandbytes.nn, layer))


def _frozen_linears(backbone: nn.Module) -> list[tuple[nn.Module, str, nn.Linear]]:
    return [
        (parent, name, child)
        for path, parent in backbone.named_modules()
        if "lora_" not in path
        for name, child in parent.named_children()
        if type(child) is nn.Linear and not name.startswith("lora_")
    ]


def _int8(library: Any, layer: nn.Linear) -> nn.Module:
    size = (layer.in_features, layer.out_features)
    made = library.Linear8bitLt(*size, bias=False, has_fp16_weights=False, device="meta")
    made.weight = library.Int8Params(layer.weight.data, requires_grad=False, has_fp16_weights=False)
    made.bias = layer.bias
    quantized: nn.Module = made.to(layer.weight.device)  # this is what quantises
    # Its state is set up by the first call; several threads may make the next ones.
    with torch.inference_mode():
        quantized(layer.weight.new_zeros(1, layer.in_features))
    return quantized


def _int4(library: Any, layer: nn.Linear) -> nn.Module:
    weight = layer.weight
    made = library.Linear4bit(
        layer.in_features,
        layer.out_features,
        bias=False,
        compute_dtype=weight.dtype,
        quant_type="nf4",
        device="meta",
    )
    made.weight = library.Params4bit(weight.data, requires_grad=False, quant_type="nf4")
    made.bias = layer.bias
    quantized: nn.Module = made.to(weight.device)
    return quantized
