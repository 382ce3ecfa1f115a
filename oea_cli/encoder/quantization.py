"""Weights in fewer bits, through torchao (extra `[quant]`); heads and activations stay as they are."""

from typing import Any

from torch import nn

from oea_cli.errors import OeaError


def quantize(backbone: Any, kind: str) -> None:
    """Quantise the weights of a backbone's linear layers in place: none, int8 or int4.

    int8 is one scale per output channel, int4 one per 32 weights. LoRA beside them stays as it is.
    """
    if kind == "none":
        return
    try:
        from torchao.quantization import quantize_
    except ImportError as error:
        raise OeaError("--quantize needs torchao: pip install 'oea[quant]'") from error
    quantize_(backbone, _config(kind), _is_frozen_linear)
