"""Weights in fewer bits: which layers take them, and that the others stay as they are."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

from oea_cli.encoder.loading import load_encoder
from oea_cli.encoder.omni.omni import OmniEncoder
from oea_cli.encoder.omni.quantization import quantize

SIZES = (16, 17, 32, 48, 64, 96, 128, 192)
bitsandbytes = pytest.importorskip("bitsandbytes", reason="needs the extra [quant]")


def network(inputs: int, outputs: int, dtype: torch.dtype = torch.float32) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(inputs * 1000 + outputs)
        return nn.Sequential(nn.Linear(inputs, outputs, dtype=dtype)).eval()


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.cosine_similarity(one.flatten().double(), other.flatten().double(), dim=0))


@pytest.mark.parametrize("outputs", SIZES)
@pytest.mark.parametrize("inputs", SIZES)
@pytest.mark.parametrize(("kind", "limit"), [("int8", 0.999), ("int4", 0.98)])
@torch.inference_mode()
def test_every_size_works(kind: str, limit: float, inputs: int, outputs: int) -> None:
    plain, reduced = network(inputs, outputs), network(inputs, outputs)
    quantize(reduced, kind)
    batch = torch.randn(5, inputs, generator=torch.Generator().manual_seed(1))
    for shape in ((5, inputs), (1, 5, inputs)):
        given = batch.reshape(shape)
        assert cosine(plain(given), reduced(given)) > limit
    fits = kind == "int8" or (inputs % 64 == 0 and outputs % 32 == 0)
    assert (type(reduced[0]) is not nn.Linear) == fits
    if not fits:
        assert torch.equal(plain(batch), reduced(batch))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ["int8", "int4"])
@torch.inference_mode()
def test_the_number_format_stays(kind: str, dtype: torch.dtype) -> None:
    plain, reduced = network(128, 64, dtype), network(128, 64, dtype)
    quantize(reduced, kind)
    batch = torch.randn(3, 128, generator=torch.Generator().manual_seed(1)).to(dtype)
    assert reduced(batch).dtype == dtype
    assert cosine(plain(batch), reduced(batch)) > 0.98


@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_threads_may_make_the_first_calls(kind: str) -> None:
    """The state of a layer is set up before anybody else has it."""
    batch = torch.randn(64, 192, generator=torch.Generator().manual_seed(1))
    reduced = network(192, 192)
    quantize(reduced, kind)

    def call(_: int) -> torch.Tensor:
        with torch.inference_mode():
            return reduced(batch)

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(call, range(32))
    assert all(torch.equal(first, other) for other in others)


def test_none_changes_nothing() -> None:
    layers = network(64, 64)
    before = layers[0]
    quantize(layers, "none")
    assert layers[0] is before


@pytest.mark.parametrize("kind", ["int8", "int4"])
def test_every_layer_of_the_tiny_encoder_is_quantised(tiny_encoder: Path, kind: str) -> None:
    """So that what other tests compare is quantisation."""
    encoder = load_encoder(str(tiny_encoder), quantize=kind)
    assert isinstance(encoder, OmniEncoder)
    kept = [
        name for name, layer in encoder.model.backbone.named_modules() if type(layer) is nn.Linear
    ]
    assert kept == []
