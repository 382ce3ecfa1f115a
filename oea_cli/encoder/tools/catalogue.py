"""What encoders there are, and what is known of one without downloading anything."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from oea_cli.encoder.names.kinds import KINDS
from oea_cli.encoder.names.parsing import EncoderName, parse_name
from oea_cli.encoder.names.places import encoder_folder, short_names
from oea_cli.encoder.names.plug_ins import package_of, plug_in_entry, plug_in_names
from oea_cli.encoder.names.released import RELEASED, adapter_cache
from oea_cli.encoder.omni.settings import load_settings
from oea_cli.errors import UsageError

Description = dict[str, Any]
OEA_DIM = 512


def catalogue() -> list[Description]:
    """Every encoder with a short name: built in, released, then those of other packages."""
    return [describe(parse_name(name)) for name in [*short_names(), *plug_in_names()]]


def describe(name: EncoderName) -> Description:
    """What is known of an encoder on this machine; no network, and no weights are read.

    Raises OeaError for an unknown name, UsageError for a kind that keeps no description.
    """
    entry = plug_in_entry(name.scheme or name.place)
    if name.scheme in KINDS or (name.scheme and entry is None):
        raise UsageError(
            f"{name}: only built-in, released, local and installed encoders can be described"
        )
    if entry is not None and (name.scheme or not _is_ours(name.place)):
        return _plug_in(entry)
    name.allow()
    return _released(name.place) if name.place in RELEASED else _folder(name.place)


def _is_ours(place: str) -> bool:
    """Whether a bare name is found before other packages are asked, as `load_encoder` does."""
    return place in short_names() or Path(place).is_dir()


def _plug_in(entry: EntryPoint) -> Description:
    """What an installed package says of itself; it is not imported."""
    version = {"version": entry.dist.version} if entry.dist else {}
    return {"name": entry.name, "kind": "plug-in", "package": package_of(entry), **version}


def _released(name: str) -> Description:
    released, adapter = RELEASED[name], adapter_cache(name)
    is_here = (adapter / "encoder.json").is_file()
    return {
        "name": name,
        "kind": f"released as {released.variant}",
        "dim": OEA_DIM,
        "base": released.base.repo,
        "licence": f"{released.licence}; its backbone: {released.base.licence}",
        "repository": released.repo,
        "revision": released.revision,
        "file": released.file,
        "download": f"{released.num_bytes / 1e9:.1f} GB",
        "adapter": str(adapter) if is_here else "not here yet",
    }


def _folder(name: str) -> Description:
    folder = encoder_folder(name)
    settings = load_settings(folder / "encoder.json")
    # Not the checkpoints that training leaves beside them.
    kinds = ("*model*.safetensors", "heads.safetensors")
    size = sum(path.stat().st_size for kind in kinds for path in folder.glob(kind))
    described = {
        "name": name,
        "kind": "adapter" if settings.base else "whole encoder",
        "dim": settings.dim,
        "base": settings.base,
        "revision": settings.base_revision,
        "weights": f"{size / 1e6:.1f} MB",
        "max_seconds": settings.max_seconds,
        "pooling": settings.pooling,
        "text_prompt": settings.text_prompt,
        "audio_prompt": settings.audio_prompt,
        **settings.training,
    }
    return {key: value for key, value in described.items() if value not in ("", None)}
