"""Targets: a released checkpoint, a pickle in a zip, and the adapter that is made of it."""

import io
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

from tests.fuzz.encoder_files import header_bytes, lying_header
from tests.fuzz.mutations import any_of, damaged_bytes, lying_json
from tests.fuzz.target import Target

CHECKPOINT, BASE, ADAPTER = "step_350.pt", "base", "adapter"


@cache
def _whole() -> dict[str, bytes]:
    """A tiny checkpoint, its base and its adapter, by name in a folder."""
    from tests.encoder.released_layout import make_release, save_release

    release = make_release()
    with TemporaryDirectory() as place:
        folder = Path(place)
        release.save_base(folder / BASE)
        save_release(folder / CHECKPOINT, release.content({}))
        _convert(folder, ADAPTER)
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _convert(folder: Path, output: str) -> None:
    from oea_cli.encoder.released.conversion import convert
    from oea_cli.encoder.released.torch_checkpoint import open_checkpoint

    with open_checkpoint(folder / CHECKPOINT) as checkpoint:
        convert(checkpoint, folder / output, base=str(folder / BASE))


def _make(*names: str) -> Any:
    def make(folder: Path) -> list[str]:
        for name, content in _whole().items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return list(names)

    return make


def _read_checkpoint(folder: Path) -> None:
    try:
        _convert(folder, "made")
    finally:
        rmtree(folder / "made", ignore_errors=True)


def _read_adapter(folder: Path) -> None:
    from oea_cli.encoder.omni.adapter import read_adapter

    read_adapter(folder / ADAPTER)


def damaged_pickle(random: Random, whole: bytes) -> bytes:
    """The same zip around a damaged pickle: its sums are right."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("data.pkl"):
                content = damaged_bytes(random, content)
            new.writestr(entry, content)
    return made.getvalue()


CONFIG = any_of(lying_json, lying_json, damaged_bytes)
LORA = any_of(header_bytes, lying_header)
TARGETS = [
    Target(
        "released-checkpoint",
        _make(CHECKPOINT),
        _read_checkpoint,
        any_of(damaged_pickle, damaged_pickle, damaged_bytes),
        0.1,
    ),
    Target("adapter-config", _make(f"{ADAPTER}/adapter_config.json"), _read_adapter, CONFIG, 0.3),
    Target("adapter-lora", _make(f"{ADAPTER}/adapter_model.safetensors"), _read_adapter, LORA, 0.3),
]
