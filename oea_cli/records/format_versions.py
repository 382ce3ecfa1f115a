"""The format version that every artefact carries: older ones are read, newer ones refused.

A mark is text such as "oea-index/2", under the key "format". Raise the number here when what an
older oea would make of the artefact is wrong or an error; a key that it ignores needs no new one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oea_cli.errors import OeaError

VERSIONS = {
    "oea-index": 2,  # 2: sizes and sums of all files
    "oea-embeddings": 1,
    "oea-encoder": 1,
    "oea-onnx": 1,
    "oea-results": 1,
    "oea-checkpoint": 1,
    "oea-description": 1,
}
"""Every kind of artefact, with the version that is written; all from 1 to it are read."""


def format_mark(kind: str) -> str:
    """The mark that artefacts of a kind are written with."""
    return f"{kind}/{VERSIONS[kind]}"


def check_format(
    content: Mapping[str, Any], kind: str, where: str | Path, *, unmarked: int | None = None
) -> int:
    """The version that an artefact says it has; raises OeaError for a newer one, or another kind.

    `unmarked` is the version of those without a mark, where the first ones carried none.
    """
    found = content.get("format", unmarked and f"{kind}/{unmarked}")
    name, _, number = str(found).rpartition("/")
    if name != kind or not number.isascii() or not number.isdecimal() or len(number) > 9:
        raise OeaError(f"{where}: its format is {found!r:.80}, not {kind}; is it damaged?")
    version = int(number)
    if version > VERSIONS[kind]:
        raise OeaError(
            f"{where}: written by a newer oea (format {version}; this one reads up to "
            f"{VERSIONS[kind]}); upgrade oea"
        )
    return version
