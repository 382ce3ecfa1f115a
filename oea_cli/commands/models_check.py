"""`oea models check NAME`: are the numbers right on this machine?"""

from typing import TYPE_CHECKING, Annotated

import typer

from oea_cli.commands.console.terminal import say
from oea_cli.commands.options import shared
from oea_cli.commands.options.panels import ENCODER
from oea_cli.errors import OeaError, counted

if TYPE_CHECKING:
    from oea_cli.encoder.protocol import Encoder
    from oea_cli.encoder.tools.parity import Check


def check(
    name: shared.EncoderArgument = "mini",
    device: shared.DeviceOption = "auto",
    dtype: shared.DtypeOption = shared.Dtype.auto,
    quantize: Annotated[
        str,
        ENCODER.option(
            metavar="none|int8|int4",
            help="Also compare with the encoder in 8 or 4 bits.",
        ),
    ] = "none",
    quiet: shared.QuietOption = False,
    verbose: shared.VerboseOption = False,
) -> None:
    """Check that an encoder's vectors are right here.

    An encoder on Qwen2.5-Omni (OEA, omni:, mini) is compared with the original feature extractor
    and the bare model, with pooling and heads written out in double precision: one clip at a time,
    in a batch, and in another order; and with the original processor where pillow and torchvision
    are installed. The vectors of any other encoder must not depend on the batch. All sounds are
    generated. If a limit is broken, the exit code is 1.

    \b
    Examples:
      oea models check
      oea models check oea-qwen3b --dtype bfloat16
      oea models check adapters/mine --quantize int8
    """
    from oea_cli.encoder.loading import load_encoder

    def load(kind: str) -> "Encoder":
        return load_encoder(name, device=device, dtype=dtype.value, quantize=kind)

    encoder = load("none")
    from oea_cli.encoder.tools import parity

    shown = [_show(one, quiet) for one in parity.check(encoder)]
    if quantize != "none":
        shown += [_show(one, quiet) for one in parity.quantized(encoder, load(quantize), quantize)]
    checks = [one for one in shown if one is not None]
    if not checks:
        raise OeaError(f"{name}: nothing could be checked")
    if broken := [f"{one.what} ({one.value:.3g})" for one in checks if not one.holds]:
        whose = "its vectors" if quantize == "none" else f"its vectors in {quantize}"
        raise OeaError(
            f"{name}: {len(broken)} of {counted(len(checks), 'comparison')} beyond the limit: "
            f"{', '.join(broken)}; do not use {whose}"
        )


def _show(one: "Check | str", quiet: bool) -> "Check | None":
    """Print a comparison and return it; None for one that was left out."""
    if isinstance(one, str):
        if not quiet:
            say(f"oea models check: {one}")
        return None
    sign = ">=" if one.at_least else "<="
    verdict = "ok" if one.holds else "BROKEN"
    typer.echo(f"{one.what:<36} {one.value:<9.3g} {sign} {one.limit:<7.3g} {verdict}")
    return one
