"""`oea models check NAME`: are the numbers right on this machine?"""

from typing import TYPE_CHECKING, Annotated

import typer

from oea_cli.errors import OeaError
from oea_cli.options import DeviceOption, Dtype, DtypeOption, QuietOption, VerboseOption
from oea_cli.terminal import say

if TYPE_CHECKING:
    from oea_cli.encoder.parity import Check


def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As --model takes it.")] = "mini",
    device: DeviceOption = "auto",
    dtype: DtypeOption = Dtype.auto,
    quantize: Annotated[
        str,
        typer.Option(
            envvar="OEA_QUANTIZE",
            metavar="none|int8|int4",
            help="Also compare with the encoder in fewer bits.",
        ),
    ] = "none",
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Check that an encoder gives the right vectors on this machine.

    A Qwen2.5-Omni (OEA, omni:, mini) is compared with the feature extractor that pads to 300 s,
    the bare model, and pooling and heads written out in double precision: one clip at a time, in
    a batch, in another order. The stock processor is asked too, where pillow and torchvision are
    installed. Any other encoder must not depend on the batch. All sounds are generated. Exit code
    1: a limit is broken.

    \b
    Examples:
      oea models check
      oea models check oea-qwen3b --dtype bfloat16
      oea models check adapters/mine --quantize int8
    """
    from oea_cli.encoder import load_encoder, parity
    from oea_cli.encoder.omni import OmniEncoder

    encoder = load_encoder(name, device=device, dtype=dtype.value)
    num_broken = 0

    def show(one: "Check") -> None:
        nonlocal num_broken
        num_broken += not one.holds
        sign = ">=" if one.at_least else "<="
        verdict = "ok" if one.holds else "BROKEN"
        typer.echo(f"{one.what:<40} {one.value:<10.3g} {sign} {one.limit:<8.3g} {verdict}")

    for one in parity.check(encoder):
        show(one)
    if isinstance(encoder, OmniEncoder):
        stock = parity.stock_processor(encoder)
        if stock is not None:
            show(stock)
        elif not quiet:
            say(
                "oea models check: the stock processor was not asked; it needs pillow and "
                "torchvision"
            )
    if quantize != "none":
        smaller = load_encoder(name, device=device, dtype=dtype.value, quantize=quantize)
        for one in parity.quantized(encoder, smaller, quantize):
            show(one)
    if num_broken:
        raise OeaError(f"{name}: {num_broken} limits are broken; its vectors are not to be used")
