"""The digest and the size of an encoder folder, from its files, without loading the encoder."""

import hashlib
from math import prod
from pathlib import Path

from oea_cli.encoder.names.places import encoder_folder
from oea_cli.errors import OeaError


def files_digest(model: str) -> str | None:
    """16 hex digits over an encoder folder's weights and descriptions; None for other encoders.

    Training again under the same name changes it; checkpoints and logs in the folder do not count.
    """
    folder = _folder(model)
    if folder is None:
        return None
    digest = hashlib.sha256()
    for path in _files(folder, ".safetensors", ".json"):
        with path.open("rb") as file:
            digest.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def num_trained(model: str) -> int | None:
    """How many parameters were trained: those in an encoder folder; None for other encoders.

    Of an adapter these are LoRA's and the heads', because what is frozen is not in its folder.
    """
    from safetensors import safe_open

    folder = _folder(model)
    if folder is None:
        return None
    count = 0
    for path in _files(folder, ".safetensors"):
        with safe_open(path, framework="numpy") as tensors:
            for name in tensors.keys():  # noqa: SIM118  it is not a mapping
                count += prod(tensors.get_slice(name).get_shape())
    return count


def _folder(model: str) -> Path | None:
    try:
        return encoder_folder(model)
    except OeaError:
        return None


def _files(folder: Path, *suffixes: str) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in suffixes)
