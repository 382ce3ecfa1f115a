"""What the manifests of a folder of shards say; nothing in it is believed.

The names of a shard's files follow from its number, so that no name leads out of the folder.
"""

import re
from pathlib import Path
from typing import Any

import orjson

from oea_cli.errors import OeaError
from oea_cli.vectors.files.writer import check_description, is_count

_VECTORS = re.compile(r"(audio|text)_emb/\1_emb_(\d{4,})\.npy")
_RECORDS = re.compile(r"metadata/metadata_(\d{4,})\.parquet")


def read_manifest_file(path: Path) -> dict[str, Any]:
    """The content of a manifest; raises OeaError for any other, FileNotFoundError for none."""
    try:
        content = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OeaError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise OeaError(f"{path}: not written by oea ({error})") from error
    checked = check_settings(content, path)
    shards = checked.get("shards")
    if not isinstance(shards, list):
        raise _damaged(path, "it lists no shards")
    names = {name for shard in shards for name in _names(check_shard(shard, path))}
    if len(names) != 2 * len(shards):
        raise _damaged(path, "it lists a shard twice")
    if sum(shard["count"] for shard in shards) != checked["count"]:
        raise _damaged(path, "its shards have not the number of rows that it names")
    return checked


def check_settings(content: Any, where: Path) -> dict[str, Any]:
    """What a manifest, or the metadata of a shard, says of its vectors; raises OeaError."""
    checked = check_description(content, where)
    part = checked.get("part", [1, 1])
    is_pair = isinstance(part, list) and len(part) == 2 and all(map(is_count, part))
    if not is_pair or not 1 <= part[0] <= part[1]:
        raise _damaged(where, "'part'")
    return checked


def check_shard(shard: Any, where: Path) -> dict[str, Any]:
    """What is said of one shard; raises OeaError."""
    if not isinstance(shard, dict) or not is_count(shard.get("count")):
        raise _damaged(where, "a shard without a count")
    vectors, records = (
        pattern.fullmatch(name) if isinstance(name := shard.get(key), str) else None
        for key, pattern in (("vectors", _VECTORS), ("records", _RECORDS))
    )
    if not vectors or not records or vectors[2] != records[1]:
        raise _damaged(where, "a shard whose files have other names than were written")
    if not isinstance(shard.setdefault("sha256", {}), dict):
        raise _damaged(where, "'sha256'")
    return shard


def _names(shard: dict[str, Any]) -> tuple[str, str]:
    return shard["vectors"], shard["records"]


def _damaged(where: Path, why: str) -> OeaError:
    return OeaError(f"{where}: damaged ({why}); run `oea embed` again, or copy the folder again")
