"""From the value of `--model` to a loaded encoder; torch is imported here at the earliest, and not
at all for a folder with an ONNX form."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from oea_cli.audio.rates import SAMPLE_RATES
from oea_cli.encoder.machine import is_large, may_have_gpu
from oea_cli.encoder.names.kinds import KINDS
from oea_cli.encoder.names.parsing import EncoderName, Placement, parse_name
from oea_cli.encoder.names.places import FORM_FILE, encoder_folder, short_names, unknown_encoder
from oea_cli.encoder.names.released import RELEASED
from oea_cli.encoder.protocol import WINDOW, Encoder, Loader, is_window
from oea_cli.errors import OeaError


def load_encoder(
    name: str | EncoderName = "mini",
    *,
    device: str = "auto",
    dtype: str = "auto",
    quantize: str = "none",
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Encoder:
    """Load an encoder by its name, the value of `--model` (see `names`).

    Raises UsageError for an option that makes no sense, OeaError for an unknown name, a folder that
    is none, a missing device, a missing extra, or a repository that cannot be had.
    """
    placement = Placement(device, dtype, quantize, trust_remote_code)
    if isinstance(name, str):
        name = parse_name(name, revision=revision)
    with _no_garbage_collection():
        loader = find_loader(name, placement)
    try:
        encoder = loader(name, placement)
    except (ZeroDivisionError, OverflowError) as error:
        raise OeaError(f"{name}: a number in its configuration makes no sense ({error})") from error
    _refuse_no_window(encoder)
    return encoder


def _refuse_no_window(encoder: Encoder) -> None:
    """Whatever it was read from: windows of no length would never end."""
    if not is_window(encoder.max_seconds):
        raise OeaError(f"{encoder.name}: max_seconds must be {WINDOW}; got {encoder.max_seconds!r}")
    low, high = SAMPLE_RATES
    if not (isinstance(encoder.sample_rate, int) and low <= encoder.sample_rate <= high):
        raise OeaError(
            f"{encoder.name}: sample_rate must be a whole number from {low:,} to {high:,} Hz; "
            f"got {encoder.sample_rate!r}"
        )


def find_loader(name: EncoderName, placement: Placement | None = None) -> Loader:
    """What loads encoders of this kind; raises OeaError for an unknown name.

    `placement` decides where a folder can be loaded with torch or without.
    """
    match name.scheme:
        case "" if name.place in RELEASED:
            from oea_cli.encoder.released.loading import load_released

            return load_released
        case "" if name.place in short_names() or Path(name.place).is_dir():
            return _folder_loader(encoder_folder(name.place), placement or Placement())
        case kind if kind in KINDS:
            module, _, function = KINDS[kind].loader.partition(":")
            loader: Loader = getattr(import_module(f"oea_cli.encoder.{module}"), function)
            return loader
    from oea_cli.encoder.others.plug_ins import find_plug_in

    if plug_in := find_plug_in(name.scheme or name.place):
        return plug_in
    raise unknown_encoder(str(name))


def _folder_loader(folder: Path, placement: Placement) -> Loader:
    """The ONNX form where there is one and nothing asks for what only torch has."""
    if (folder / FORM_FILE).is_file() and not _wants_torch(folder, placement):
        from oea_cli.encoder.onnx.encoder import load_named_folder as load_onnx

        return load_onnx
    from oea_cli.encoder.omni.folder import load_named_folder

    return load_named_folder


def _wants_torch(folder: Path, placement: Placement) -> bool:
    """Whether a number format was named, be it float32, or another device than the CPU.

    `auto` asks for the GPU of this machine where the encoder is so large that this counts.
    """
    if placement.dtype != "auto" or placement.quantize != "none":
        return True
    if placement.device != "auto":
        return placement.device != "cpu"
    counts = may_have_gpu() and is_large(folder.glob("*.safetensors"))
    return counts and find_spec("torch") is not None


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """For importing torch and transformers: what they create stays, so collecting is wasted time.

    A tenth of the processor time of `oea search TEXT` went there.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
