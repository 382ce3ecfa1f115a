"""Targets: what mini's ONNX form reads beside its weights, without torch."""

import shutil
from pathlib import Path
from typing import Any

from oea_cli.encoder.names.places import BUILT_IN
from tests.fuzz.encoder_files import DESCRIBED
from tests.fuzz.target import Target

ENCODER = "mini"


def _make(*names: str) -> Any:
    def make(folder: Path) -> list[str]:
        shutil.copytree(BUILT_IN / ENCODER, folder / ENCODER)
        return [f"{ENCODER}/{name}" for name in names]

    return make


def _encode(folder: Path) -> None:
    import numpy as np

    from oea_cli.encoder.onnx.encoder import load_onnx_folder

    encoder = load_onnx_folder(folder / ENCODER)
    encoder.encode_audio([np.zeros(500, np.float32)])


TARGETS = [
    Target("onnx", _make("onnx.json", "preprocessor_config.json"), _encode, DESCRIBED, 0.2),
    Target("onnx-tokenizer", _make("tokenizer.json"), _encode, DESCRIBED, 0.02),
]
