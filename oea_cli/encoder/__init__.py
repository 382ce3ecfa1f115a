"""THE encoder: what every step that touches a model talks to.

Importing this package is cheap; torch is loaded by `load_encoder`.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from oea_cli.encoder.names import EncoderName, Placement, nearest, parse_name
from oea_cli.encoder.released import RELEASED
from oea_cli.errors import OeaError

BUILT_IN = Path(__file__).parent.parent / "models"
"""Encoders that ship inside the package, one folder each."""

KINDS = ("omni", "clap", "st", "http", "https")
"""What may stand before the colon of a name."""


class Encoder(Protocol):
    """Turns texts and sounds into vectors of one space.

    Vectors are (n, dim) float32, L2-normalised, in C order. The same input gives the same vector
    whatever else is in the batch (to about 1e-6). All methods may be called from several threads.
    """

    name: str
    fingerprint: str
    dim: int
    sample_rate: int
    max_seconds: float
    concurrency: int | None
    """Batches to have under way at a time where a server computes; None where this machine does."""

    @property
    def device(self) -> str:
        """Where it computes: `cpu`, `cuda`, `mps`."""

    @property
    def stamp(self) -> str:
        """`NAME:FINGERPRINT`, what every artefact remembers."""

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32 of n texts."""

    def encode_audio(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        """(n, dim) float32 of n mono float32 waveforms at `sample_rate`."""

    def prepare_audio(self, waveforms: Sequence[np.ndarray]) -> Any:
        """The model's inputs for these waveforms: the part of the work background threads do."""

    def encode_prepared(self, prepared: Any) -> np.ndarray:
        """(n, dim) float32 from what `prepare_audio` returned."""


Loader = Callable[[EncoderName, Placement], Encoder]


def load_encoder(
    name: str | EncoderName = "mini",
    *,
    device: str = "auto",
    dtype: str = "auto",
    quantize: str = "none",
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Encoder:
    """Load an encoder by what `--model` says (see `names`).

    Raises UsageError for an option that makes no sense, OeaError for an unknown name, a folder that
    is none, a missing device, a missing extra, or a repository that cannot be had.
    """
    placement = Placement(device, dtype, quantize, trust_remote_code)
    if isinstance(name, str):
        name = parse_name(name, revision=revision)
    with _no_garbage_collection():
        loader = find_loader(name)
    return loader(name, placement)


def find_loader(name: EncoderName) -> Loader:
    """What loads encoders of this kind; raises OeaError for a name that means nothing."""
    match name.scheme:
        case "" if name.place in RELEASED:
            from oea_cli.encoder.released_loading import load_released

            return load_released
        case "" if name.place in short_names() or Path(name.place).is_dir():
            encoder_folder(name.place)
            from oea_cli.encoder.folder import load_named_folder

            return load_named_folder
        case "omni":
            from oea_cli.encoder.bare import load_bare

            return load_bare
        case "clap":
            from oea_cli.encoder.clap import load_clap

            return load_clap
        case "st":
            from oea_cli.encoder.sentence_transformer import load_sentence_transformer

            return load_sentence_transformer
        case "http" | "https":
            from oea_cli.encoder.endpoint import load_endpoint

            return load_endpoint
    from oea_cli.encoder.plug_ins import find_plug_in

    if loader := find_plug_in(name.scheme or name.place):
        return loader
    raise _unknown(str(name))


def encoder_folder(name: str) -> Path:
    """Where the encoder of this name lies on disk."""
    built_in = BUILT_IN / name
    if "/" not in name and (built_in / "encoder.json").is_file():
        return built_in
    folder = Path(name)
    if (folder / "encoder.json").is_file():
        return folder
    if folder.is_dir():
        raise OeaError(f"{name}: no encoder.json in it; an encoder folder is made by `oea train`")
    raise _unknown(name)


def short_names() -> list[str]:
    """The encoders that a bare name means: built in, and released with OEA."""
    return [*sorted(path.parent.name for path in BUILT_IN.glob("*/encoder.json")), *RELEASED]


def _unknown(text: str) -> OeaError:
    """What there is instead, the nearest first."""
    from oea_cli.encoder.plug_ins import plug_in_names

    scheme, colon, place = text.partition(":")
    meant = nearest(scheme, KINDS, f":{place}") if colon else ""
    kinds = ", ".join(f"{kind}:" for kind in KINDS)
    names = [*short_names(), *plug_in_names()]
    return OeaError(
        f"no encoder '{text}'{meant or nearest(text, names)}; there are {', '.join(names)}, "
        f"folders made by `oea train`, and {kinds} (`oea models list` explains)"
    )


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """For importing torch and transformers: what they make stays, and is not worth looking through.

    A tenth of the processor time of `oea search TEXT` went there.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
