"""Every artefact says which format it has: older ones are read, newer ones refused in one line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from oea_cli.encoder.omni.settings import EncoderSettings, load_settings, save_settings
from oea_cli.encoder.onnx.form import GRAPHS, MADE_FROM, OnnxForm, open_form, save_form
from oea_cli.errors import OeaError
from oea_cli.evaluation.output.results import read_results
from oea_cli.records.format_versions import VERSIONS, check_format, format_mark
from oea_cli.training.loop.checkpoint import read_progress
from oea_cli.vectors.batch import Batch
from oea_cli.vectors.files.formats import open_writer, read_embeddings
from oea_cli.vectors.index.building import build_index
from oea_cli.vectors.index.index import VectorIndex
from tests.fuzz.result_files import COLUMNS

BATCH = Batch([{"id": "a"}, {"id": "b"}], np.eye(2, dtype=np.float32), "m:1")
Change = Callable[[Path, str], None]
"""Writes another mark into an artefact."""


def _in_json(path: Path, mark: str) -> None:
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"format": mark}))


def _in_parquet(path: Path, mark: str) -> None:
    stored = orjson.loads(pl.read_parquet_metadata(path)["oea"]) | {"format": mark}
    pl.read_parquet(path).write_parquet(path, metadata={"oea": orjson.dumps(stored).decode()})


def _in_safetensors(path: Path, mark: str) -> None:
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, metadata | {"format": mark})


def _vectors(output: str) -> Callable[[], Any]:
    def make() -> None:
        with open_writer(output, encoder="m:1") as writer:
            writer.write(BATCH)

    return make


def _checkpoint() -> None:
    progress = '{"step": 1, "updates": 1, "best": null, "best_step": 0, "waited": 0}'
    mark = format_mark("oea-checkpoint")
    metadata = {"format": mark, "recipe": "d", "progress": progress}
    save_file({"modules.a": np.zeros(1)}, Path("checkpoint.safetensors"), metadata)


def _onnx_form() -> None:
    for name in (*MADE_FROM, *GRAPHS.values()):
        Path(name).write_bytes(name.encode())
    save_form(Path(), OnnxForm(mel_bins=8, chunk_frames=16))


def _results() -> None:
    document = {"format": format_mark("oea-results"), "per_query": COLUMNS}
    Path("r.json").write_bytes(orjson.dumps(document))


ARTEFACTS: list[tuple[str, Callable[[], Any], str, Change, Callable[[], Any]]] = [
    (
        "oea-index",
        lambda: build_index(Path("x.oea"), [BATCH], dim=2, encoder="m:1"),
        "x.oea/index.json",
        _in_json,
        lambda: VectorIndex.open(Path("x.oea")),
    ),
    (
        "oea-embeddings",
        _vectors("x.npy"),
        "x.meta.json",
        _in_json,
        lambda: list(read_embeddings("x.npy")),
    ),
    (
        "oea-embeddings",
        _vectors("x.parquet"),
        "x.parquet",
        _in_parquet,
        lambda: list(read_embeddings("x.parquet")),
    ),
    (
        "oea-embeddings",
        _vectors("x/"),
        "x/manifest.json",
        _in_json,
        lambda: list(read_embeddings("x")),
    ),
    (
        "oea-encoder",
        lambda: save_settings(Path("encoder.json"), EncoderSettings()),
        "encoder.json",
        _in_json,
        lambda: load_settings(Path("encoder.json")),
    ),
    (
        "oea-onnx",
        _onnx_form,
        "onnx.json",
        _in_json,
        lambda: open_form(Path()),
    ),
    (
        "oea-results",
        _results,
        "r.json",
        _in_json,
        lambda: read_results(Path("r.json").read_bytes(), "r.json"),
    ),
    (
        "oea-checkpoint",
        _checkpoint,
        "checkpoint.safetensors",
        _in_safetensors,
        lambda: read_progress(Path(), "d"),
    ),
]


def test_every_kind_is_tried() -> None:
    assert {kind for kind, *_ in ARTEFACTS} == set(VERSIONS) - {"oea-description"}  # never read


@pytest.mark.parametrize(
    ("kind", "make", "file", "change", "read"),
    ARTEFACTS,
    ids=[f"{kind} {file}" for kind, _, file, _, _ in ARTEFACTS],
)
def test_versions(
    kind: str,
    make: Callable[[], Any],
    file: str,
    change: Change,
    read: Callable[[], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    make()
    newest = VERSIONS[kind]
    assert format_mark(kind).encode() in Path(file).read_bytes()
    for version in range(1, newest + 1):
        change(Path(file), f"{kind}/{version}")
        assert read(), "older ones are read"
    change(Path(file), f"{kind}/{newest + 1}")
    line = (
        f"{file}: written by a newer oea (format {newest + 1}; this one reads up to {newest}); "
        "upgrade oea"
    )
    with pytest.raises(OeaError, match=rf"^{re.escape(line)}$"):
        read()
    for mark in (f"{kind}/0x1", f"{kind}/", "something/1", f"{kind}/-1"):
        change(Path(file), mark)
        with pytest.raises(OeaError, match=re.escape(file.rpartition("/")[2])):
            read()


def test_without_a_mark() -> None:
    assert check_format({}, "oea-checkpoint", "c", unmarked=1) == 1
    with pytest.raises(OeaError, match=r"c: its format is None, not oea-index; is it damaged\?"):
        check_format({}, "oea-index", "c")
