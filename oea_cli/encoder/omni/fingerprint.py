"""What an encoder is known by: a hash over all that decides a vector, without torch."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from oea_cli.encoder.omni.prompts import FRONT_END_FILES
from oea_cli.encoder.omni.settings import EncoderSettings


def fingerprint(
    settings: EncoderSettings, weights: Iterable[Path], added: Iterable[Path], front_end: Path
) -> str:
    """16 hex digits over settings, weights, what is added to them, tokenizer and mel.

    `weights` are the backbone's files, `added` heads and adapter, `front_end` the folder of the
    tokenizer. The order counts.
    """
    digest = hashlib.sha256(json.dumps(settings.identity(), sort_keys=True).encode())
    for path in (*weights, *added, *(front_end / name for name in FRONT_END_FILES)):
        digest.update(bytes.fromhex(file_sha256(path)))
    return digest.hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex. In the hub's cache a file is called by it, and not read."""
    blob = path.resolve()
    if blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", blob.name):
        return blob.name
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
