"""Where encoders lie: built in, released, or a folder on disk."""

from pathlib import Path

from oea_cli.encoder.names.kinds import KINDS
from oea_cli.encoder.names.parsing import nearest
from oea_cli.encoder.names.plug_ins import plug_in_names
from oea_cli.encoder.names.released import RELEASED
from oea_cli.errors import OeaError

BUILT_IN = Path(__file__).parent.parent / "models"
"""Encoders that ship inside the package, one folder each."""
FORM_FILE = "onnx.json"
"""What a folder has that can be loaded without torch (`onnx/form.py`)."""


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
    raise unknown_encoder(name)


def short_names() -> list[str]:
    """The short names: encoders built in, and released with OEA."""
    return [*sorted(path.parent.name for path in BUILT_IN.glob("*/encoder.json")), *RELEASED]


def unknown_encoder(text: str) -> OeaError:
    """The error that names what there is instead, the nearest first."""
    scheme, colon, place = text.partition(":")
    names = [*short_names(), *plug_in_names()]
    suggestion = (nearest(scheme, KINDS, f":{place}") if colon else "") or nearest(text, names)
    kinds = ", ".join(f"{kind}:" for kind in KINDS)
    there = f"{suggestion} There" if suggestion else "; there"
    return OeaError(
        f"no encoder '{text}'{there} are {', '.join(names)}, "
        f"folders made by `oea train`, and {kinds} (`oea models list` explains)"
    )
