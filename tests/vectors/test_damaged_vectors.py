"""What lies beside vectors or before them: headers of .npy, X.meta.json, manifests of shards."""

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from oea_cli.errors import OeaError
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from oea_cli.vectors.files.matrix import open_matrix

VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)


def _npy(header: str, values: bytes = b"") -> bytes:
    text = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + values


def _described(dtype: str = "<f4", shape: str = "(3, 2)", by_columns: str = "False") -> str:
    return f"{{'descr': {dtype!r}, 'fortran_order': {by_columns}, 'shape': {shape}, }}"


WHOLE = VECTORS.tobytes()
HUGE = "(4611686018427387904, 4611686018427387904)"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00",
        b"PK\x03\x04" + bytes(100),
        _npy(_described(), WHOLE)[:40],
        _npy(_described(), WHOLE[:-1]),
        _npy(_described(), WHOLE + b"\x00"),
        _npy(_described(shape="(300000, 2)"), WHOLE),
        _npy(_described(shape=HUGE), WHOLE),
        _npy(_described(shape="(-3, -2)"), WHOLE),
        _npy(_described(shape="(3, 2"), WHOLE),  # numpy's reader fails with a TokenError
        _npy(_described(shape="(3.0, 2)"), WHOLE),
        _npy(_described(shape="'3'"), WHOLE),
        _npy(_described(shape="()"), WHOLE[:4]),
        _npy(_described(shape="(0, 4611686018427387904)")),
        _npy(_described("|O"), WHOLE),
        _npy(_described("<i4"), WHOLE),
        _npy(_described("<c8"), WHOLE * 2),
        _npy(_described("<f4, <f4"), WHOLE * 2),
        _npy(_described("no type"), WHOLE),
        _npy("__import__('os').system('touch executed')", WHOLE),
        _npy("(" * 9000, WHOLE),
        _npy("{}", WHOLE),
    ],
)
@pytest.mark.parametrize("through", ["file", "pipe"])
def test_a_header_that_lies(content: bytes, through: str, tmp_path: Path) -> None:
    path = tmp_path / "v.npy"
    path.write_bytes(content)
    cut_or_longer = content in (_npy(_described(), WHOLE + b"\x00"), b"")
    source = path if through == "file" or cut_or_longer else io.BytesIO(content)
    with pytest.raises(OeaError) as caught:
        list(read_embeddings(source))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert not (tmp_path / "executed").exists() and not Path("executed").exists()


@pytest.mark.parametrize(
    ("dtype", "by_columns"), [("<f4", "False"), (">f4", "False"), ("<f8", "True"), (">f2", "True")]
)
def test_orders_that_are_read(dtype: str, by_columns: str, tmp_path: Path) -> None:
    order = "F" if by_columns == "True" else "C"
    values = VECTORS.astype(dtype).tobytes(order)  # type: ignore[arg-type]
    (tmp_path / "v.npy").write_bytes(_npy(_described(dtype, by_columns=by_columns), values))
    [batch] = read_embeddings(tmp_path / "v.npy")
    assert np.allclose(batch.vectors, VECTORS, atol=1e-3)


def test_a_pipe_by_the_name_of_a_matrix(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "v.npy")
    with pytest.raises(OeaError, match=r"v\.npy: not a file"):
        open_matrix(tmp_path / "v.npy")


def _written(output: Path) -> None:
    with open_writer(f"{output}/", encoder="m:1", shard_rows=2) as writer:
        writer.write(Batch([{"id": name} for name in "abc"], VECTORS, "m:1"))


def _set(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.update({key: value})


def _in_shard(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["shards"][0].update({key: value})


@pytest.mark.parametrize(
    "lie",
    [
        _set("dim", 3),
        _set("dim", None),
        _set("dim", 2**63),
        _set("count", 4),
        _set("count", -1),
        _set("encoder", ["m:1"]),
        _set("metadata", 7),
        _set("shards", {}),
        _set("shards", None),
        _set("shards", [None]),
        _set("shards", []),
        _set("part", [3, 2]),
        _in_shard("count", 3),
        _in_shard("count", "2"),
        _in_shard("vectors", "../x/audio_emb/audio_emb_0000.npy"),
        _in_shard("vectors", "/etc/passwd"),
        _in_shard("vectors", "audio_emb/audio_emb_0001.npy"),
        _in_shard("records", "metadata/metadata_0001.parquet"),
        _in_shard("records", None),
        lambda content: content["shards"].reverse() or content["shards"].pop(),
        lambda content: content["shards"].append(content["shards"][0]),
        lambda content: content["shards"][1].pop("vectors"),
        lambda content: content.pop("shards"),
    ],
)
def test_a_manifest_that_lies(lie: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    _written(tmp_path / "x")
    manifest = tmp_path / "x" / "manifest.json"
    assert [id_ for batch in read_embeddings(tmp_path / "x") for id_ in batch.ids] == list("abc")
    content = orjson.loads(manifest.read_bytes())
    lie(content)
    manifest.write_bytes(orjson.dumps(content))
    with pytest.raises(OeaError, match=r"manifest\.json|audio_emb_0000\.npy"):
        list(read_embeddings(tmp_path / "x"))


def test_a_shard_whose_metadata_lies_is_not_adopted(tmp_path: Path) -> None:
    """Going on believes the metadata of each shard."""
    import polars as pl

    _written(tmp_path / "x")
    path = tmp_path / "x" / "metadata" / "metadata_0000.parquet"
    stored = orjson.loads(pl.read_parquet_metadata(path)["oea"])
    stored["shard"]["vectors"] = "../../other.npy"
    metadata = {"oea": orjson.dumps(stored).decode()}
    pl.read_parquet(path).write_parquet(path, metadata=metadata)
    with pytest.raises(OeaError, match=r"metadata_0000\.parquet: damaged"):
        _written(tmp_path / "x")
